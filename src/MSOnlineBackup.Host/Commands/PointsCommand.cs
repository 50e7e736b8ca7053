using System.CommandLine;
using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Engine.Snapshots;
using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Host.Rendering;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
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
        string? machine = context.Get(_machine);
        IReadOnlyList<LocalPoint> local =
        [
            .. (await LocalPointSelection.ListAsync(context).ConfigureAwait(false)).Where(point => machine is null || point.MachineName.Equals(machine, StringComparison.OrdinalIgnoreCase)),
        ];
        UnlockedVault vault;
        try
        {
            vault = await _vault.UnlockAsync(context).ConfigureAwait(false);
        }
        catch (BackupException e) when (local.Count > 0 && LocalRestore.StandsIn(e))
        {
            context.Renderer.Warn(e);
            context.Renderer.Table<Document>([.. local.Select(point => LineOf(point, point.State))], Layout(context));
            return new Outcome(
                new ListSummary("points", local.Count) { ExitCode = (int)ExitCode.CompletedWithSkips }, "The vault cannot be reached: only points with local snapshots are listed.");
        }

        using (vault)
        {
            RecoveryPointList points = await vault.ListPointsAsync(machine, context.Stop).ConfigureAwait(false);
            LocalPoint[] own = [.. local.Where(point => point.VaultId == vault.VaultId)];
            List<Document> lines =
            [
                .. points.Select(point => PointLine.Of(point) with { HasLocalSnapshot = own.Any(each => each.Id == point.SessionId && each.Obstacle is null) }),
                .. points.Damaged.Select(DamagedPointLine.Of),

                // What the vault does not have is local, also where it had it once.
                .. own.Where(each => points.All(point => point.SessionId != each.Id) && points.Damaged.All(point => point.SessionId != each.Id))
                    .Select(point => LineOf(point, point.State == PointState.Vaulted ? PointState.Local : point.State)),
            ];
            lines.Sort((x, y) => string.CompareOrdinal(IdOf(y), IdOf(x)));
            context.Renderer.Table(lines, Layout(context));
            string none = machine is null ? "There are no recovery points yet." : $"There are no recovery points of a machine named '{machine}'.";
            var summary = new ListSummary("points", lines.Count - points.Damaged.Count) { ExitCode = (int)(points.Damaged.Count == 0 ? ExitCode.Success : ExitCode.CompletedWithSkips) };
            string damaged = points.Damaged.Count == 0 ? "" : $"{Quantity.Count(points.Damaged.Count, "point")} cannot be read: 'obengine verify' tells more.";
            return new Outcome(summary, lines.Count == 0 ? none : damaged);
        }
    }

    private static PointLine LineOf(LocalPoint point, PointState state) => PointLine.Of(point.Point) with { State = state, HasLocalSnapshot = point.Obstacle is null };

    private static string IdOf(Document line) => line is PointLine point ? point.Id : ((DamagedPointLine)line).Id;

    private static TextTable<Document> Layout(CommandContext context) => new(
        new Column<Document>("POINT", line => ShortId.Of(IdOf(line))),
        Column("TIME", point => context.LocalTime(point.Ended), damaged => damaged.Started is { } started ? context.LocalTime(started) : "?"),
        Column("MACHINE", point => point.Machine, damaged => damaged.Machine ?? damaged.MachineId),
        Column("STATE", point => LocalPointSelection.Word(point.State, point.HasLocalSnapshot), _ => "vaulted"),
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
        _ when point.State != PointState.Vaulted => "not in the vault",
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
