using System.CommandLine;
using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Host.Rendering;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Host.Commands;

/// <summary><c>points</c>.</summary>
internal sealed class PointsCommand : HostCommand
{
    private readonly VaultSelection _vault;
    private readonly Option<string?> _machine;

    public PointsCommand()
        : base("points", "List the recovery points, newest first.", "obengine points --vault /mnt/backup")
    {
        _vault = new VaultSelection(this);
        _machine = Value("--machine", "NAME", "Only points of this machine.");
        Add(new PointsDeleteCommand());
        Add(new PointsDeletedCommand());
        Add(new PointsUndeleteCommand());
    }

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        using UnlockedVault vault = await _vault.UnlockAsync(context).ConfigureAwait(false);
        string? machine = context.Get(_machine);
        RecoveryPointList points = await vault.ListPointsAsync(machine, context.Stop).ConfigureAwait(false);
        List<Document> lines = [.. points.Select(PointLine.Of), .. points.Damaged.Select(DamagedPointLine.Of)];
        lines.Sort((x, y) => string.CompareOrdinal(IdOf(y), IdOf(x)));
        context.Renderer.Table(lines, Layout(context));
        string none = machine is null ? "There are no recovery points yet." : $"There are no recovery points of a machine named '{machine}'.";
        var summary = new ListSummary("points", points.Count) { ExitCode = (int)(points.Damaged.Count == 0 ? ExitCode.Success : ExitCode.CompletedWithSkips) };
        string damaged = points.Damaged.Count == 0 ? "" : $"{Quantity.Count(points.Damaged.Count, "point")} cannot be read: 'obengine verify' tells more.";
        return new Outcome(summary, lines.Count == 0 ? none : damaged);
    }

    private static string IdOf(Document line) => line is PointLine point ? point.Id : ((DamagedPointLine)line).Id;

    private static TextTable<Document> Layout(CommandContext context) => new(
        new Column<Document>("POINT", line => ShortId.Of(IdOf(line))),
        Column("TIME", point => context.LocalTime(point.Ended), damaged => damaged.Started is { } started ? context.LocalTime(started) : "?"),
        Column("MACHINE", point => point.Machine, damaged => damaged.Machine ?? damaged.MachineId),
        Column("STATUS", Status, damaged => $"damaged ({damaged.ErrorId})"),
        Column("FILES", point => Quantity.Count(point.Files), _ => "?", alignRight: true),
        Column("SIZE", point => Quantity.Size(point.Bytes), _ => "?", alignRight: true),
        Column("NEW", point => Quantity.Size(point.NewBytes), _ => "?", alignRight: true),
        Column("STORED", point => Quantity.Size(point.StoredBytes), _ => "?", alignRight: true),
        Column("CONSISTENCY", point => SnapshotText.Word(point.Consistency), _ => "?"),
        Column("SOURCES", Sources, _ => "?"));

    private static Column<Document> Column(string header, Func<PointLine, string> whole, Func<DamagedPointLine, string> damaged, bool alignRight = false) =>
        new(header, line => line is PointLine point ? whole(point) : damaged((DamagedPointLine)line), alignRight);

    private static string Status(PointLine point) => point.Status switch
    {
        nameof(RecoveryPointStatus.Completed) => "completed",
        nameof(RecoveryPointStatus.CompletedWithWarnings) => $"{Quantity.Count(point.Skipped)} skipped",
        _ => point.Status,
    };

    private static string Sources(PointLine point)
    {
        string paths = string.Join(", ", point.Sources.Select(source => source.Path));
        return point.Tags.Count == 0 ? paths : $"{paths} [{string.Join(", ", point.Tags)}]";
    }
}
