using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Host.Rendering;
using MSOnlineBackup.Vaults.Copies;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Host.Commands;

/// <summary>What commands have alike that bring recovery points from one place of a vault to another.</summary>
internal static class CopyOutcome
{
    /// <summary>Lists what could not be copied, and sums up.</summary>
    /// <param name="command">The command, as it is typed.</param>
    /// <param name="report">What came of it.</param>
    /// <param name="context">Where to.</param>
    public static Outcome Of(string command, VaultCopyReport report, CommandContext context)
    {
        foreach (DamagedPoint damaged in report.Damaged)
        {
            context.Renderer.Item(DamagedPointLine.Of(damaged), line => $"DAMAGED  {ShortId.Of(line.Id)} of {VisibleText.Line(line.Machine ?? line.MachineId)}: {line.Problem}");
        }

        Findings.Write(context.Renderer, report.Findings);
        var summary = new CopySummary(
            command,
            report.IsRehearsal,
            report.PointsCopied,
            report.PointsThere,
            report.PointsOlder,
            report.PointsEnded,
            report.PointsSpared,
            report.PointsExpired,
            report.Damaged.Count,
            report.Chunks,
            report.Bytes,
            report.StoredBytes,
            report.Findings.Count)
        {
            ExitCode = (int)(report.Damaged.Count > 0 ? ExitCode.CompletedWithSkips : ExitCode.Success),
        };
        return new Outcome(summary, Describe(report));
    }

    private static string Describe(VaultCopyReport report) => report.IsRehearsal
        ? $"""
            points    {Quantity.Count(report.PointsCopied, "point")} would be copied, {Quantity.Count(report.PointsThere)} there{Others(report)}
            result    nothing was copied
            """
        : $"""
            points    {Quantity.Count(report.PointsCopied, "point")} copied, {Quantity.Count(report.PointsThere)} there before{Others(report)}
            copied    {Quantity.Size(report.Bytes)} in {Quantity.Count(report.Chunks, "chunk")}
            stored    {Quantity.Size(report.StoredBytes)}
            """;

    private static string Others(VaultCopyReport report) =>
        (report.PointsOlder == 0 ? "" : $"; {Quantity.Count(report.PointsOlder)} older than what the twin has, which --older copies")
            + (report.PointsEnded == 0 ? "" : $"; {Quantity.Count(report.PointsEnded)} deleted there")
            + (report.PointsSpared == 0 ? "" : $"; {Quantity.Count(report.PointsSpared)} not kept there")
            + (report.PointsExpired == 0 ? "" : $"; {Quantity.Count(report.PointsExpired)} whose time {(report.IsRehearsal ? "is" : "was")} over there")
            + (report.Damaged.Count == 0 ? "" : $"; {Quantity.Count(report.Damaged.Count)} damaged");
}
