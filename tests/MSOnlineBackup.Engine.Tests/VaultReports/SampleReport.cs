using MSOnlineBackup.Agent.VaultReports;

namespace MSOnlineBackup.Engine.Tests.VaultReports;

/// <summary>A report of fixed content.</summary>
internal static class SampleReport
{
    public const string HostileName = "<script>alert(1)</script>\"'&\u202egnp.\u0007\n]]>";

    public static readonly DateTimeOffset At = new(2024, 2, 29, 21, 0, 0, TimeSpan.Zero);

    /// <summary>Machines in every state, one of them with a hostile name.</summary>
    public static VaultReport Of(int machines = 5) => new(
        At,
        "0123456789abcdef0123456789abcdef",
        "Office",
        "/mnt/backup/office",
        At.AddYears(-1),
        1_234_567_890_123,
        1_234,
        24,
        30,
        [.. Enumerable.Range(0, machines).Select(Machine).OrderBy(machine => machine.ErrorId is null)],
        [.. Enumerable.Range(0, 30).Select(day => new ReportedDay(new DateOnly(2024, 1, 31).AddDays(day), day % 7 == 6 ? 0 : 5, Added(day), 900_000_000_000 + Enumerable.Range(0, day + 1).Sum(Added)))],
        [new ReportedAlarm("BackupUnusual", At.AddDays(-2), "MIKE", "The last backup of 'MIKE' changed 92 % of its files.", "Look at the files of the machine.")],
        [new ReportedProtection("Deleted recovery points can be brought back", true, "For 14 days."), new ReportedProtection("What destroys needs the owner's PIN", false, "Not set.")],
        new ReportedCost(0.018m, "EUR", 20.7m),
        ["The clock of this machine is behind that of the vault."]);

    private static ReportedMachine Machine(int number) => (number % 5) switch
    {
        0 => new ReportedMachine($"ALPHA{number}", "files", "Ok", null, "Fine.", "", "Completed", At.AddHours(-3), At.AddHours(-3), At.AddHours(23), 3, "Linux 6.18", "0.1.0", 987_654_321_098, 365, new ObjectiveResult(1, 0, 24), At.AddDays(-3)),
        1 => new ReportedMachine($"BRAVO{number}", "files", "Late", "BackupLate", "'BRAVO' (files) is late: the last backup came 2024-02-26 21:00:00Z.", "See whether the machine runs.", "Failed", At.AddDays(-3), At.AddHours(-5), At.AddDays(-2), 72, "Windows", "0.1.0", 12_345_678, 12, new ObjectiveResult(0.8666, 2, 72.5), null),
        2 => new ReportedMachine(HostileName, null, "Never", "BackupNeverMade", $"'{HostileName}' was never backed up.", "=HYPERLINK(1)", null, null, null, At.AddDays(-1), null, "+evil", "@x", null, null, null, null),
        3 => new ReportedMachine($"DELTA{number}", "system-state", "Stopped", "PolicyPaused", "'DELTA' is paused.", "Resume the policy.", "Paused", At.AddDays(-1), At.AddDays(-1), null, 24, null, null, 0, 1, new ObjectiveResult(0.99999, 1, 25), null),
        _ => new ReportedMachine($"ECHO{number} with a rather long name of a machine.example.com", "other", "Ok", null, "Fine.", "", "CompletedWithWarnings", At.AddHours(-1), At.AddHours(-1), At.AddHours(47), 1, "macOS", "0.1.0", 55_000, 2, new ObjectiveResult(0.5, 9, 300), At),
    };

    private static long Added(int day) => day % 7 == 6 ? 0 : 1_000_000_000L * (1 + (day * 7 % 11));
}
