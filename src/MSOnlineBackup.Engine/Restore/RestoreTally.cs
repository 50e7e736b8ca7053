using System.Collections.Concurrent;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Packs;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Restore;

/// <summary>Counts what a restore did, and tells the monitor. Thread-safe.</summary>
internal sealed class RestoreTally(JobMonitor monitor)
{
    // Each is told as a note while they are few; the mapping tells the others, and the result counts them.
    private const int MostNoted = 50;

    private long _renamed;
    private long _files;
    private long _directories;
    private long _others;
    private long _bytes;
    private long _fetchedBytes;
    private long _alreadyThere;
    private long _skipped;
    private long _verified;
    private long _unrestorable;
    private long _conflicts;
    private long _keptFromEarlier;
    private volatile bool _lacksData;
    private readonly ConcurrentDictionary<PackInfo, byte> _packs = new(ReferenceEqualityComparer.Instance);

    public void CountDone(EntryKind kind)
    {
        switch (kind)
        {
            case EntryKind.File:
                Interlocked.Increment(ref _files);
                break;
            case EntryKind.Directory:
                Interlocked.Increment(ref _directories);
                break;
            default:
                Interlocked.Increment(ref _others);
                break;
        }

        monitor.AddItem(kind == EntryKind.File);
    }

    public void CountAlreadyThere()
    {
        Interlocked.Increment(ref _alreadyThere);
        monitor.AddItem(isFile: true);
    }

    /// <summary>Something is at an item's place and is not the same.</summary>
    public void CountConflict() => Interlocked.Increment(ref _conflicts);

    /// <summary>Counts a file that is a version of an earlier point.</summary>
    public void CountKept(ManifestEntry entry)
    {
        if ((entry.Flags & EntryFlags.KeptFromEarlier) != 0)
        {
            Interlocked.Increment(ref _keptFromEarlier);
        }
    }

    public void CountPack(PackInfo pack) => _packs.TryAdd(pack, 0);

    /// <summary>Bytes that are done without being written: holes, and what is there already.</summary>
    public void Pass(long count) => monitor.AddBytes(count);

    public void CountBytes(long count)
    {
        Interlocked.Add(ref _bytes, count);
        monitor.AddBytes(count);
    }

    public void CountFetched(long count)
    {
        Interlocked.Add(ref _fetchedBytes, count);
        monitor.AddReadBytes(count);
    }

    public void CountVerified() => Interlocked.Increment(ref _verified);

    public void Skip(SkippedItem item)
    {
        Interlocked.Increment(ref _skipped);
        if (item.Id != BackupErrorId.RestoreItemExists)
        {
            Interlocked.Increment(ref _unrestorable);
        }

        if (item.Id is BackupErrorId.VaultDataCorrupt or BackupErrorId.VaultDataMissing or BackupErrorId.VaultDataUnreadable)
        {
            _lacksData = true;
        }

        monitor.Skip(item);
    }

    /// <summary>Reports what is wrong with an item; only its first trouble makes it a skipped one.</summary>
    public void Report(RestoreItem item, BackupException fault)
    {
        var skipped = new SkippedItem(item.FullPath, fault.Id, fault.Message);
        if (item.TryMarkReported())
        {
            if (fault.Id == BackupErrorId.RestoreItemExists && item.Placement == Placement.Compare)
            {
                CountConflict();
            }

            Skip(skipped);
        }
        else if (fault.Id == BackupErrorId.RestoreMetadataFailed)
        {
            // It may stand for all further items, which will not be reported: it must not be lost behind another trouble.
            monitor.Mention(skipped);
        }
    }

    /// <summary>Tells that an item gets another name than the point has.</summary>
    /// <param name="fullPath">Its full path in the point.</param>
    /// <param name="place">Its path below the target.</param>
    /// <param name="wasAskedFor">Whether names were to be changed; else it is a reason for a warning.</param>
    public void Rename(string fullPath, EntryPath place, bool wasAskedFor)
    {
        long count = Interlocked.Increment(ref _renamed);
        if (!wasAskedFor)
        {
            Skip(new SkippedItem(
                fullPath,
                BackupErrorId.RestoreItemRenamed,
                $"It is restored as '{PathText.Show(place)}': the target treats its name and that of another item in the folder as the same."));
        }
        else if (count <= MostNoted)
        {
            monitor.Note($"'{fullPath}' is restored as '{PathText.Show(place)}'.");
        }
        else if (count == MostNoted + 1)
        {
            monitor.Note("More items are restored under other names; the result counts them.");
        }
    }

    public void WorkOn(RestoreItem item) => monitor.WorkOn(() => item.FullPath);

    public RestorePlan ToPlan(RestoreRequest request)
    {
        return new RestorePlan(
            request,
            Interlocked.Read(ref _files),
            Interlocked.Read(ref _directories),
            Interlocked.Read(ref _others),
            Interlocked.Read(ref _bytes),
            Interlocked.Read(ref _fetchedBytes),
            _packs.Count,
            Interlocked.Read(ref _conflicts),
            Interlocked.Read(ref _unrestorable));
    }

    public RestoreResult ToResult(RestoreLayout layout) => new(
        Interlocked.Read(ref _files),
        Interlocked.Read(ref _directories),
        Interlocked.Read(ref _others),
        Interlocked.Read(ref _bytes),
        Interlocked.Read(ref _fetchedBytes),
        Interlocked.Read(ref _alreadyThere),
        Interlocked.Read(ref _skipped),
        Interlocked.Read(ref _verified),
        Interlocked.Read(ref _keptFromEarlier),
        layout,
        Interlocked.Read(ref _renamed))
    {
        LacksData = _lacksData,
    };
}
