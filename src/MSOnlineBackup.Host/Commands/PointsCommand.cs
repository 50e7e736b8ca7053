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
    private readonly Option<string[]> _copies;

    public PointsCommand()
        : base(
            "points",
            "List the recovery points, newest first.",
            """
            obengine points --vault /mnt/backup
            obengine points --vault /mnt/backup --copy /mnt/second
            """)
    {
        _vault = new VaultSelection(this);
        _machine = Value("--machine", "NAME", "Only points of this machine.");
        _copies = Values("--copy", "TWIN", "A twin of the vault that is asked as well: each point is listed with where it is, also those that only a twin has.");
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
            PointPlaces places = await FindPlacesAsync(context, vault, machine).ConfigureAwait(false);
            LocalPoint[] own = [.. local.Where(point => point.VaultId == vault.VaultId)];
            bool hasCopies = context.Get(_copies).Count > 0;
            List<Document> lines =
            [
                .. places.Points.Select(placed => PointLine.Of(placed.Point) with
                {
                    HasLocalSnapshot = own.Any(each => each.Id == placed.Point.SessionId && each.Obstacle is null),
                    Place = hasCopies ? placed.Place : null,
                    Copies = placed.Twins,
                }),
                .. places.Damaged.Select(DamagedPointLine.Of),

                // What the vault does not have is local, also where it had it once.
                .. own.Where(each => places.Points.All(placed => placed.Point.SessionId != each.Id) && places.Damaged.All(point => point.SessionId != each.Id))
                    .Select(point => LineOf(point, point.State == PointState.Vaulted ? PointState.Local : point.State)),
            ];
            lines.Sort((x, y) => string.CompareOrdinal(IdOf(y), IdOf(x)));
            context.Renderer.Table(lines, Layout(context, hasCopies));
            string none = machine is null ? "There are no recovery points yet." : $"There are no recovery points of a machine named '{machine}'.";
            bool isWhole = places.Damaged.Count == 0 && places.Failures.Count == 0;
            var summary = new ListSummary("points", lines.Count - places.Damaged.Count) { ExitCode = (int)(isWhole ? ExitCode.Success : ExitCode.CompletedWithSkips) };
            string damaged = places.Damaged.Count == 0 ? "" : $"{Quantity.Count(places.Damaged.Count, "point")} cannot be read: 'obengine verify' tells more.";
            return new Outcome(summary, lines.Count == 0 ? none : damaged);
        }
    }

    // A twin that cannot be asked is told, and what it holds is unknown.
    private async Task<PointPlaces> FindPlacesAsync(CommandContext context, UnlockedVault vault, string? machine)
    {
        PointPlaces places = await PointPlaces.FindAsync(
            vault, [.. context.Get(_copies).Distinct().Select(place => _vault.Twin(context, vault, place))], machine, context.Stop).ConfigureAwait(false);
        foreach ((_, BackupException failure) in places.Failures)
        {
            context.Renderer.Warn(failure);
        }

        return places;
    }

    private static PointLine LineOf(LocalPoint point, PointState state) => PointLine.Of(point.Point) with { State = state, HasLocalSnapshot = point.Obstacle is null };

    private static string IdOf(Document line) => line is PointLine point ? point.Id : ((DamagedPointLine)line).Id;

    private static TextTable<Document> Layout(CommandContext context, bool hasCopies = false) => new(
    [
        new Column<Document>("POINT", line => ShortId.Of(IdOf(line))),
        Column("TIME", point => context.LocalTime(point.Ended), damaged => damaged.Started is { } started ? context.LocalTime(started) : "?"),
        Column("MACHINE", point => point.Machine, damaged => damaged.Machine ?? damaged.MachineId),
        Column("STATE", point => LocalPointSelection.Word(point.State, point.HasLocalSnapshot), _ => "vaulted"),
        .. hasCopies ? [Column("PLACE", Place, _ => "?"), Column("COPIES", point => string.Join(", ", point.Copies), _ => "?")] : Array.Empty<Column<Document>>(),
        Column("STATUS", Status, damaged => $"damaged ({damaged.ErrorId})"),
        Column("FILES", point => Quantity.Count(point.Files), _ => "?", alignRight: true),
        Column("SIZE", point => Quantity.Size(point.Bytes), _ => "?", alignRight: true),
        Column("NEW", point => Quantity.Size(point.NewBytes), _ => "?", alignRight: true),
        Column("STORED", point => Quantity.Size(point.StoredBytes), _ => "?", alignRight: true),
        Column("CONSISTENCY", point => SnapshotText.Word(point.Consistency), _ => "?"),
        Column("SOURCES", Sources, _ => "?"),
    ]);

    private static Column<Document> Column(string header, Func<PointLine, string> whole, Func<DamagedPointLine, string> damaged, bool alignRight = false) =>
        new(header, line => line is PointLine point ? whole(point) : damaged((DamagedPointLine)line), alignRight);

    private static string Place(PointLine point) => point.Place switch
    {
        PointPlace.Local => "local",
        PointPlace.Copying => "copying",
        PointPlace.Vaulted => "vaulted",
        PointPlace.CloudOnly => "copy only",
        _ => "unknown",
    };

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
