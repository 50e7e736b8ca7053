using System.Globalization;

namespace MSOnlineBackup.Agent.VaultReports;

/// <summary>The machines of a report as CSV (RFC 4180): a row for each machine and policy.</summary>
internal static class ReportCsv
{
    private const string Head = "Machine,Policy,State,ErrorId,Outcome,LastSuccess,LastRun,NextBy,HoursSinceSuccess,ObjectiveHours,ObjectiveMet,ObjectiveMissed,LongestHours,ProtectedBytes,Points,LastVerified,OperatingSystem,AgentVersion,Message,RecommendedAction";

    /// <summary>The text.</summary>
    public static string Write(VaultReport report) => string.Concat(report.Machines.Select(machine => Row(report, machine)).Prepend(Head + "\r\n"));

    private static string Row(VaultReport report, ReportedMachine machine) => string.Join(
        ',',
        ReportText.Csv(machine.Machine),
        ReportText.Csv(machine.Policy),
        machine.State,
        machine.ErrorId,
        machine.Outcome,
        Time(machine.LastSuccess),
        Time(machine.LastRun),
        Time(machine.NextBy),
        Number(machine.HoursSinceSuccess),
        Number(report.ObjectiveHours),
        Number(machine.Objective?.MetShare),
        Number(machine.Objective?.Missed),
        Number(machine.Objective?.LongestHours),
        Number(machine.ProtectedBytes),
        Number(machine.Points),
        Time(machine.LastVerified),
        ReportText.Csv(machine.OperatingSystem),
        ReportText.Csv(machine.AgentVersion),
        ReportText.Csv(machine.Message),
        ReportText.Csv(machine.RecommendedAction)) + "\r\n";

    private static string Time(DateTimeOffset? time) => time is { } known ? ReportText.ExactTime(known) : "";

    private static string Number(double? number) => number?.ToString("0.####", CultureInfo.InvariantCulture) ?? "";
}
