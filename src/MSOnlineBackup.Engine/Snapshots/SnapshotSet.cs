using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Snapshots;

/// <summary>
/// The snapshots of one backup: of each volume that its sources lie on, where that can be, taken right after one another, before anything is read. Disposing removes them.
/// </summary>
internal sealed partial class SnapshotSet : IAsyncDisposable
{
    private const string IsConstant = "Nothing can change it: the volume is mounted read-only.";

    private readonly SnapshotKit _kit;
    private readonly SnapshotOptions _options;
    private readonly Action<string> _note;
    private readonly List<WantedSnapshot> _snapshots = [];
    private readonly Dictionary<string, string> _obstacles = [];
    private readonly HashSet<WantedSnapshot> _still = [];
    private SourceVolumes?[] _sources = [];
    private SnapshotRecord? _record;

    private SnapshotSet(SnapshotKit kit, SnapshotOptions options, Action<string> note)
    {
        _kit = kit;
        _options = options;
        _note = note;
    }

    /// <summary>Takes the snapshots for some sources, after removing what killed backups have left.</summary>
    /// <param name="kit">What can be made here.</param>
    /// <param name="options">Whether, and where they are written down.</param>
    /// <param name="sources">Paths and what is selected of each.</param>
    /// <param name="note">Told of what somebody may want to know.</param>
    /// <param name="cancellationToken">Stops it; then nothing is left behind.</param>
    /// <returns>The set, and how each source is to be read, in the order of the sources.</returns>
    /// <exception cref="BackupException">SnapshotUnavailable: every volume was to be kept, and one cannot be.</exception>
    public static async Task<(SnapshotSet Set, IReadOnlyList<SnapshotSource> Sources)> TakeAsync(
        SnapshotKit kit, SnapshotOptions options, IReadOnlyList<(string Path, SourceSelection Selection)> sources, Action<string> note, CancellationToken cancellationToken)
    {
        var set = new SnapshotSet(kit, options, note);
        try
        {
            await set.RemoveAbandonedAsync().ConfigureAwait(false);
            if (options.Mode == SnapshotMode.Never)
            {
                return (set, [.. sources.Select(_ => new SnapshotSource(null, new SourceConsistency(ConsistencyLevel.None, Reason: "Snapshots are switched off.")))]);
            }

            SourceVolumes?[] found = [.. sources.Select(source => kit.FindVolumes(source.Path, source.Selection))];
            set._sources = found;
            await set.MakeAsync(found, cancellationToken).ConfigureAwait(false);
            SnapshotSource[] views = [.. found.Select(volumes => volumes is null ? new SnapshotSource(null, null) : set.ViewOf(volumes))];
            set.Require(sources, found, views);
            return (set, views);
        }
        catch
        {
            await set.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_record is { } record)
        {
            _record = null;
            foreach (WantedSnapshot snapshot in _snapshots.Where(snapshot => snapshot.Place is not null))
            {
                if (await _kit.FindMaker(snapshot.Mark.Kind)!.FindLossAsync(snapshot.Mark).ConfigureAwait(false) is { } loss)
                {
                    _note(loss);
                }
            }

            await RemoveAsync(record, [.. _snapshots.Select(snapshot => snapshot.Mark)]).ConfigureAwait(false);
        }
    }

    private async Task RemoveAbandonedAsync()
    {
        foreach (SnapshotRecord record in SnapshotRecord.FindAbandoned(_options.Records))
        {
            IReadOnlyList<SnapshotMark> marks = record.Read();
            if (await RemoveAsync(record, marks).ConfigureAwait(false) && marks.Count > 0)
            {
                _note("Snapshots that an interrupted backup had left were removed.");
            }
        }
    }

    private async Task<bool> RemoveAsync(SnapshotRecord record, IReadOnlyList<SnapshotMark> marks)
    {
        IReadOnlyList<(SnapshotMark Mark, string Why)> left = await _kit.RemoveAsync(marks).ConfigureAwait(false);
        if (left.Count == 0)
        {
            record.Remove();
            return true;
        }

        record.Dispose();
        _note($"A snapshot of a backup is still there; the next backup tries again to remove it. {string.Join(' ', left.Select(each => each.Why))}");
        return false;
    }

    private async Task MakeAsync(IReadOnlyList<SourceVolumes?> sources, CancellationToken cancellationToken)
    {
        var wanted = new List<(ISnapshotMaker Maker, SnapshotVolume Volume)>();
        foreach (SnapshotVolume volume in sources.OfType<SourceVolumes>().SelectMany(source => source.Taken).Select(part => part.Volume).OfType<SnapshotVolume>().DistinctBy(KeyOf))
        {
            if (volume.IsReadOnly)
            {
                continue;
            }

            ISnapshotMaker? maker = _kit.Makers.FirstOrDefault(each => each.IsOf(volume));
            string? obstacle = maker is null ? $"There are no snapshots of {volume.FileSystem} on {volume.Device}." : await maker.FindObstacleAsync(volume, cancellationToken).ConfigureAwait(false);
            if (obstacle is null)
            {
                wanted.Add((maker!, volume));
            }
            else
            {
                _obstacles[KeyOf(volume)] = obstacle;
            }
        }

        if (wanted.Count == 0)
        {
            return;
        }

        try
        {
            _record = SnapshotRecord.Create(_options.Records);
            _snapshots.AddRange(wanted.Select(each => new WantedSnapshot(each.Volume, each.Maker.Mark(each.Volume, SnapshotRecord.NewId(), _record.Folder)) { WriteDown = WriteDown }));
            WriteDown();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What cannot be written down is not made: nobody would remove it.
            _record?.Remove();
            _record = null;
            _snapshots.Clear();
            foreach ((_, SnapshotVolume volume) in wanted)
            {
                _obstacles[KeyOf(volume)] = $"Snapshots cannot be written down in '{_options.Records}': {e.Message.TrimEnd('.')}.";
            }

            return;
        }

        foreach (IGrouping<ISnapshotMaker, WantedSnapshot> group in _snapshots.GroupBy(snapshot => _kit.FindMaker(snapshot.Mark.Kind)!).ToArray())
        {
            await TakeAsync(group.Key, [.. group], cancellationToken).ConfigureAwait(false);
        }

        foreach (WantedSnapshot snapshot in _snapshots.Where(snapshot => snapshot.Place is { } place && !_kit.IsSame(place, snapshot.Volume.Path)))
        {
            snapshot.Fail("What was made does not show the volume.");
        }
    }

    private void WriteDown() => _record!.Write([.. _snapshots.Select(snapshot => snapshot.Mark)]);

    private async Task TakeAsync(ISnapshotMaker maker, IReadOnlyList<WantedSnapshot> snapshots, CancellationToken cancellationToken)
    {
        if (!_options.HoldsFileSystemsStill || !maker.NeedsStillness)
        {
            await maker.TakeAsync(snapshots, cancellationToken).ConfigureAwait(false);
            return;
        }

        await using StillVolumes still = await StillVolumes.HoldAsync([.. snapshots.Select(snapshot => snapshot.Volume)], _note, cancellationToken).ConfigureAwait(false);
        await maker.TakeAsync(snapshots, cancellationToken).ConfigureAwait(false);
        IReadOnlyList<SnapshotVolume> held = await still.EndAsync().ConfigureAwait(false);
        _still.UnionWith(snapshots.Where(snapshot => held.Contains(snapshot.Volume)));
    }

    private ConsistencyLevel LevelOf(WantedSnapshot snapshot)
    {
        ConsistencyLevel own = snapshot.Level ?? _kit.FindMaker(snapshot.Mark.Kind)!.Level;
        return own < ConsistencyLevel.FileSystem && _still.Contains(snapshot) ? ConsistencyLevel.FileSystem : own;
    }

    private SnapshotSource ViewOf(SourceVolumes source)
    {
        SourceConsistency consistency = Judge(source);
        if (Find(source.Root) is not null && !_kit.IsSame(PlaceOf(source, source.Root), source.RealPath))
        {
            return new SnapshotSource(null, new SourceConsistency(ConsistencyLevel.None, Reason: "It was moved or replaced while its snapshot was taken."));
        }

        if (!source.Taken.Any(part => Find(part) is not null))
        {
            return new SnapshotSource(null, consistency);
        }

        var below = new Dictionary<EntryPath, SourcePlace>(_kit.PathComparer);
        foreach (VolumePart part in source.Below)
        {
            below[part.Path] = new SourcePlace(PlaceOf(source, part), part.IsMountPoint);
        }

        return new SnapshotSource(new SourceView(PlaceOf(source, source.Root), below, _kit.FindDevices(_snapshots)), consistency);
    }

    private byte[] PlaceOf(SourceVolumes source, VolumePart part)
    {
        byte[] live = source.LivePathOf(part);
        return Find(part) is { } snapshot ? SnapshotKit.Move(live, snapshot.Volume.Path, snapshot.Place!) : live;
    }

    // As its weakest part is.
    private SourceConsistency Judge(SourceVolumes source)
    {
        var parts = new List<SourceConsistency>();
        foreach (VolumePart part in source.Taken)
        {
            string where = part.Path.IsRoot ? "" : $"'{PathText.Show(PathText.Local, source.LivePathOf(part))}': ";
            parts.Add(Find(part) is { } snapshot ? new SourceConsistency(LevelOf(snapshot), snapshot.Mark.Kind, snapshot.Weakness is { } weakness ? Shorten(where + weakness) : null)
                : part.Volume is { IsReadOnly: true } ? new SourceConsistency(ConsistencyLevel.FileSystem, Reason: Shorten(where + IsConstant))
                : new SourceConsistency(ConsistencyLevel.None, Reason: Shorten(where + ObstacleOf(part))));
        }

        SourceConsistency weakest = SourceConsistency.Weakest(parts)!;
        WantedSnapshot[] read = [.. source.Taken.Select(Find).OfType<WantedSnapshot>().Distinct()];
        string? kind = read.FirstOrDefault()?.Mark.Kind;
        bool isOfOneMoment = read.Length < 2 || (read[0].Moment is { } moment && read.All(snapshot => snapshot.Moment == moment));
        return weakest.Level == ConsistencyLevel.None || isOfOneMoment || weakest.Reason is not null
            ? weakest with { Snapshot = kind }
            : weakest with { Snapshot = kind, Reason = $"It lies on {read.Length} volumes, whose snapshots were taken one right after the other." };
    }

    private WantedSnapshot? Find(VolumePart part) =>
        part.Volume is { } volume ? _snapshots.FirstOrDefault(snapshot => snapshot.Place is not null && KeyOf(snapshot.Volume) == KeyOf(volume)) : null;

    private string ObstacleOf(VolumePart part) => part.Obstacle
        ?? (part.Volume is not { } volume ? "There is no snapshot of it."
            : _obstacles.GetValueOrDefault(KeyOf(volume))
            ?? _snapshots.FirstOrDefault(snapshot => KeyOf(snapshot.Volume) == KeyOf(volume))?.Failure
            ?? "There is no snapshot of it.");

    private void Require(IReadOnlyList<(string Path, SourceSelection Selection)> sources, SourceVolumes?[] found, SnapshotSource[] views)
    {
        for (int i = 0; _options.Mode == SnapshotMode.Require && i < views.Length; i++)
        {
            if (found[i] is not null && views[i].Consistency is { Level: ConsistencyLevel.None } consistency)
            {
                throw Missing(sources[i].Path, consistency);
            }
        }
    }

    /// <summary>What a backup that is to read snapshots only fails with.</summary>
    /// <param name="path">The source.</param>
    /// <param name="consistency">Why there is none.</param>
    public static BackupException Missing(string path, SourceConsistency consistency) => new(
        BackupErrorId.SnapshotUnavailable,
        $"The backup was to read snapshots only, and there is none for all of '{path}'. {consistency.Reason}",
        "Remove what stands in the way, leave the source out, or allow files to be read in place: '--snapshot auto' or Set-OBMachineSetting -Snapshot Auto.",
        path);

    private static string KeyOf(SnapshotVolume volume) => volume.Identity + "\n" + Convert.ToHexString(volume.Path);

    // A recovery point's texts have a limit.
    private static string Shorten(string text) => text.Length <= 1000 ? text : text[..999] + "…";
}

/// <summary>How a source is read.</summary>
/// <param name="View">Where; null where it is.</param>
/// <param name="Consistency">What can be relied on; null where nothing is known of the source.</param>
internal sealed record SnapshotSource(SourceView? View, SourceConsistency? Consistency);
