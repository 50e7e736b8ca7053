using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Platform.Unix;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Snapshots;

/// <summary>What a set does so that its snapshots stay after the backup, as a point of this machine.</summary>
internal sealed partial class SnapshotSet
{
    private LocalPointState? _point;

    /// <summary>Says which point the snapshots are. Until it is decided that they stay, they are seen as a point on its way, and removed by the next backup where this one is killed.</summary>
    /// <param name="point">The point, without its sources.</param>
    /// <param name="sources">The sources that the set was taken for, in that order, each with its path as recovery points have it, and with what can be relied on.</param>
    /// <param name="ownFolders">Paths of folders of the backup itself.</param>
    public void Announce(LocalPointState point, IReadOnlyList<(string Path, SourceSelection Selection, SnapshotSource Read)> sources, IReadOnlyList<string> ownFolders)
    {
        if (_record is null)
        {
            return;
        }

        byte[][] own = [.. ownFolders.Where(Directory.Exists).Select(folder => UnixSystem.RealPath(UnixPathOf(folder))).OfType<byte[]>()];
        var described = new List<LocalSourceState>();
        var missing = new List<string>();
        for (int i = 0; i < sources.Count; i++)
        {
            if (_sources[i] is not { } volumes)
            {
                continue;
            }

            (string path, SourceSelection selection, SnapshotSource read) = sources[i];
            if (read.View is null || FindStaying(volumes.Root) is null)
            {
                missing.Add(SourcePath.FromStored(PathText.Local, path));
                continue;
            }

            missing.AddRange(volumes.Below.Where(part => part.IsTaken && FindStaying(part) is null).Select(part => PathText.Show(PathText.Local, volumes.LivePathOf(part))));
            described.Add(new LocalSourceState(
                path,
                LocalSelectionState.Of(selection),
                [
                    .. volumes.Below.Prepend(volumes.Root).Select(part => new LocalPartState(
                        EntryName.Escape(part.Path.Bytes), EntryName.Escape(volumes.LivePathOf(part)), FindStaying(part)?.Mark.Name, part.IsMountPoint)),
                    .. own.Select(folder => BelowRoot(volumes, folder)).OfType<EntryPath>().Select(below => new LocalPartState(
                        EntryName.Escape(below.Bytes), EntryName.Escape(volumes.LivePathOf(new VolumePart(below, null, null))))),
                ],
                volumes.Root.Volume!.FileSystem,
                read.Consistency));
        }

        foreach (string why in _snapshots.Where(snapshot => snapshot.Place is not null).Select(snapshot => _kit.FindMaker(snapshot.Mark.Kind)!.WhyNotStaying).OfType<string>().Distinct())
        {
            _note(why);
        }

        if (described.Count == 0)
        {
            _note("No snapshot of this backup stays: none of its sources was read from one that can.");
            return;
        }

        try
        {
            LocalPointFile.Write(_record.Path, point with { Stays = false, Sources = described, Missing = missing });
            _point = point with { Sources = described, Missing = missing };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _note($"The snapshots of this backup do not stay: '{_options.Records}' cannot be written: {e.Message.TrimEnd('.')}.");
        }
    }

    /// <summary>The snapshots stay, as far as they can; the others are removed.</summary>
    /// <param name="settle">What became of the point.</param>
    /// <returns>Whether any stays.</returns>
    public async Task<bool> StayAsync(Func<LocalPointState, LocalPointState> settle)
    {
        if (_record is not { } record || _point is not { } point)
        {
            return false;
        }

        HashSet<string?> used = [.. point.Sources.SelectMany(source => source.Parts).Select(part => part.Snapshot)];
        var staying = new List<SnapshotMark>();
        var others = new List<SnapshotMark>();
        foreach (WantedSnapshot snapshot in _snapshots)
        {
            if (snapshot.Place is null || !used.Contains(snapshot.Mark.Name))
            {
                others.Add(snapshot.Mark);
                continue;
            }

            FoundSnapshot found = await _kit.FindMaker(snapshot.Mark.Kind)!.FindAsync(snapshot.Mark, CancellationToken.None).ConfigureAwait(false);
            if (found.Place is null || found.Uuid is null)
            {
                _note($"The snapshots of this backup do not stay. {found.Obstacle}");
                return false;
            }

            staying.Add(snapshot.Mark with { Uuid = found.Uuid });
        }

        IReadOnlyList<(SnapshotMark Mark, string Why)> left = await _kit.RemoveAsync(others).ConfigureAwait(false);
        try
        {
            // In this order: by the record alone they are removed, whenever it ends here; by the second file they stay.
            record.Write([.. staying, .. left.Select(each => each.Mark)]);
            LocalPointFile.Write(record.Path, settle(point) with { Stays = true });
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _note($"The snapshots of this backup do not stay: '{_options.Records}' cannot be written: {e.Message.TrimEnd('.')}.");
            return false;
        }

        staying.ForEach(mark => _kit.FindMaker(mark.Kind)!.Settle(mark));
        _record = null;
        record.Dispose();
        return true;
    }

    /// <summary>Removes what is too much of the set's series.</summary>
    public Task TidyAsync(string machine) => _options.Keep is { } most
        ? LocalPoints.TidyAsync(_kit, _options.Records, machine, _options.Series, most, _note)
        : Task.CompletedTask;

    // A snapshot that may stay; null where the part is in none.
    private WantedSnapshot? FindStaying(VolumePart part) =>
        part.IsTaken && Find(part) is { } snapshot && _kit.FindMaker(snapshot.Mark.Kind) is { WhyNotStaying: null } ? snapshot : null;

    private static byte[] UnixPathOf(string folder) => System.Text.Encoding.UTF8.GetBytes(Path.GetFullPath(folder));

    private static EntryPath? BelowRoot(SourceVolumes volumes, byte[] folder)
    {
        ReadOnlySpan<byte> root = volumes.RealPath.AsSpan().TrimEnd((byte)'/');
        return folder.Length > root.Length + 1 && folder.AsSpan().StartsWith(root) && folder[root.Length] == (byte)'/' ? new EntryPath(folder[(root.Length + 1)..]) : null;
    }
}
