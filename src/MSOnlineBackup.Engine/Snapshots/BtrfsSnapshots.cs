using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Platform.Unix;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Snapshots;

/// <summary>
/// Snapshots of Btrfs: each a subvolume that can only be read, in the top folder of the one that it keeps. Making one writes out first what the machine had not written yet, file after
/// file, while programs may go on: what was not synced (fsync) may be missing in one file and there in another, as after a loss of power.
/// </summary>
internal sealed class BtrfsSnapshots : ISnapshotMaker
{
    private readonly UnixSystem _system = UnixSystem.Current;

    // Making a snapshot changes the time of the folder that holds it: to this. Where nobody else has changed it since, the folder gets back what it had.
    private readonly Dictionary<string, ItemTime> _made = [];

    /// <inheritdoc/>
    public string Kind => "Btrfs";

    /// <inheritdoc/>
    public ConsistencyLevel Level => ConsistencyLevel.Crash;

    /// <inheritdoc/>
    public string? WhyNotStaying => null;

    /// <inheritdoc/>
    public bool IsOf(SnapshotVolume volume) => volume.FileSystem == BtrfsSubvolumes.FileSystem;

    /// <inheritdoc/>
    public Task<string?> FindObstacleAsync(SnapshotVolume volume, CancellationToken cancellationToken)
    {
        int top = _system.OpenDirectory(-1, volume.Path);
        string? obstacle = top < 0 ? $"Its subvolume cannot be opened: {UnixSystem.Describe(-top)}."
            : !BtrfsSubvolumes.MayRemove(top) ? "This account may not remove snapshots of Btrfs; root may."
            : null;
        if (top >= 0)
        {
            UnixSystem.Close(top);
        }

        return Task.FromResult(obstacle);
    }

    /// <inheritdoc/>
    public SnapshotMark Mark(SnapshotVolume volume, string id, string folder) =>
        new(Kind, EntryName.Escape(volume.Path), volume.Identity, OwnFolders.SnapshotPrefix + id);

    /// <inheritdoc/>
    public Task TakeAsync(IReadOnlyList<WantedSnapshot> snapshots, CancellationToken cancellationToken)
    {
        int[] tops = [.. snapshots.Select(snapshot => _system.OpenDirectory(-1, snapshot.Volume.Path))];
        try
        {
            for (int i = 0; i < tops.Length; i++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                byte[] name = EntryName.Unescape(snapshots[i].Mark.Name);
                int result = tops[i] < 0 ? tops[i] : BtrfsSubvolumes.MakeSnapshot(tops[i], tops[i], name);
                if (result < 0)
                {
                    snapshots[i].Fail($"The snapshot failed: {UnixSystem.Describe(-result)}.");
                }
                else
                {
                    if (_system.Stat(tops[i], out UnixStat stat) >= 0)
                    {
                        _made[snapshots[i].Mark.Name] = stat.Modified;
                    }

                    snapshots[i].Succeed(Join(snapshots[i].Volume.Path, name));
                }
            }
        }
        finally
        {
            foreach (int top in tops.Where(top => top >= 0))
            {
                UnixSystem.Close(top);
            }
        }

        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task<string?> RemoveAsync(SnapshotMark mark)
    {
        int top = _system.OpenDirectory(-1, EntryName.Unescape(mark.Volume));
        if (top < 0)
        {
            return Task.FromResult<string?>($"'{mark.Volume}' cannot be opened: {UnixSystem.Describe(-top)}.");
        }

        try
        {
            return Task.FromResult(RemoveFrom(top, mark));
        }
        finally
        {
            UnixSystem.Close(top);
        }
    }

    /// <inheritdoc/>
    public Task<FoundSnapshot> FindAsync(SnapshotMark mark, CancellationToken cancellationToken)
    {
        byte[] volume = EntryName.Unescape(mark.Volume);
        byte[] name = EntryName.Unescape(mark.Name);
        int top = _system.OpenDirectory(-1, volume);
        int snapshot = top < 0 ? top : _system.OpenDirectory(top, name);
        try
        {
            if (top < 0 || BtrfsSubvolumes.Read(top, out Subvolume live) < 0 || IdentityOf(live) != mark.Identity)
            {
                return Task.FromResult(new FoundSnapshot(null, null, $"Another volume is seen at '{mark.Volume}' now, or none."));
            }

            if (snapshot is < 0 and not -Errno.NotFound)
            {
                return Task.FromResult(new FoundSnapshot(null, null, $"'{mark.Name}' in '{mark.Volume}' cannot be opened: {UnixSystem.Describe(-snapshot)}."));
            }

            // Somebody may have put another one there, or let it be written to.
            bool isIt = snapshot >= 0 && BtrfsSubvolumes.Read(snapshot, out Subvolume found) >= 0 && IsOurs(found, mark);
            return Task.FromResult(isIt
                ? new FoundSnapshot(Join(volume, name), UuidOf(snapshot), null)
                : new FoundSnapshot(null, null, $"'{mark.Name}' in '{mark.Volume}' is {(snapshot < 0 ? "gone" : "not the snapshot that the backup made, or can be written to")}.") { IsGone = true });
        }
        finally
        {
            foreach (int handle in new[] { snapshot, top }.Where(handle => handle >= 0).Distinct())
            {
                UnixSystem.Close(handle);
            }
        }
    }

    /// <inheritdoc/>
    public void Settle(SnapshotMark mark)
    {
        int top = _system.OpenDirectory(-1, EntryName.Unescape(mark.Volume));
        if (top < 0)
        {
            return;
        }

        int snapshot = _system.OpenDirectory(top, EntryName.Unescape(mark.Name));
        if (snapshot >= 0 && _system.Stat(top, out UnixStat now) >= 0 && _system.Stat(snapshot, out UnixStat kept) >= 0)
        {
            GiveBackTime(top, mark, now, kept);
        }

        foreach (int handle in new[] { snapshot, top }.Where(handle => handle >= 0))
        {
            UnixSystem.Close(handle);
        }
    }

    private static string IdentityOf(Subvolume subvolume) => $"{subvolume.FileSystem}:{subvolume.Id}";

    private static bool IsOurs(Subvolume found, SnapshotMark mark) =>
        found is { IsSnapshot: true, IsReadOnly: true } && (mark.Uuid is null || found.Uuid.ToString() == mark.Uuid);

    private static string? UuidOf(int snapshot) => BtrfsSubvolumes.Read(snapshot, out Subvolume found) >= 0 ? found.Uuid.ToString() : null;

    private void GiveBackTime(int top, SnapshotMark mark, in UnixStat now, in UnixStat kept)
    {
        if (_made.TryGetValue(mark.Name, out ItemTime made) && made == now.Modified)
        {
            _system.SetModified(new UnixNode(top, top, "."u8), kept.Modified);
        }
    }

    private string? RemoveFrom(int top, SnapshotMark mark)
    {
        if (_system.Stat(top, out UnixStat before) < 0
            || BtrfsSubvolumes.Read(top, out Subvolume volume) < 0
            || IdentityOf(volume) != mark.Identity)
        {
            return $"Another volume is seen at '{mark.Volume}' now, or none.";
        }

        byte[] name = EntryName.Unescape(mark.Name);
        int snapshot = _system.OpenDirectory(top, name);
        if (snapshot == -Errno.NotFound)
        {
            return null;
        }

        // Only what is, beyond its name, a snapshot that cannot be written to.
        bool isOurs = snapshot >= 0 && BtrfsSubvolumes.Read(snapshot, out Subvolume found) >= 0 && IsOurs(found, mark);
        bool wasTold = _system.Stat(snapshot, out UnixStat kept) >= 0;
        if (snapshot >= 0)
        {
            UnixSystem.Close(snapshot);
        }

        if (!isOurs)
        {
            return $"'{mark.Name}' in '{mark.Volume}' is no snapshot of a backup.";
        }

        int result = BtrfsSubvolumes.Remove(top, name);
        if (result < 0)
        {
            return $"'{mark.Name}' in '{mark.Volume}' cannot be removed: {UnixSystem.Describe(-result)}.";
        }

        if (_made.ContainsKey(mark.Name))
        {
            if (wasTold)
            {
                GiveBackTime(top, mark, before, kept);
            }
        }
        else
        {
            // Made by an earlier process: what is seen of the folder stays as it was a moment ago.
            _system.SetModified(new UnixNode(top, top, "."u8), before.Modified);
        }

        return null;
    }

    private static byte[] Join(byte[] folder, byte[] name) => folder.Length == 1 ? [.. folder, .. name] : [.. folder, (byte)'/', .. name];
}
