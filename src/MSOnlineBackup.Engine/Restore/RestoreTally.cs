using MSOnlineBackup.Engine.Errors;
using MSOnlineBackup.Engine.Jobs;
using MSOnlineBackup.Engine.RecoveryPoints;

namespace MSOnlineBackup.Engine.Restore;

/// <summary>Counts what a restore did, and tells the monitor. Thread-safe.</summary>
internal sealed class RestoreTally(JobMonitor monitor)
{
    private long _files;
    private long _directories;
    private long _others;
    private long _bytes;
    private long _fetchedBytes;
    private long _alreadyThere;
    private long _skipped;
    private long _verified;

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
        monitor.Skip(item);
    }

    /// <summary>Reports what is wrong with an item; only its first trouble makes it a skipped one.</summary>
    public void Report(RestoreItem item, BackupException fault)
    {
        var skipped = new SkippedItem(item.FullPath, fault.Id, fault.Message);
        if (item.TryMarkReported())
        {
            Skip(skipped);
        }
        else if (fault.Id == BackupErrorId.RestoreMetadataFailed)
        {
            // It may stand for all further items, which will not be reported: it must not be lost behind another trouble.
            monitor.Mention(skipped);
        }
    }

    public void WorkOn(RestoreItem item) => monitor.WorkOn(() => item.FullPath);

    public RestoreResult ToResult() => new(
        Interlocked.Read(ref _files),
        Interlocked.Read(ref _directories),
        Interlocked.Read(ref _others),
        Interlocked.Read(ref _bytes),
        Interlocked.Read(ref _fetchedBytes),
        Interlocked.Read(ref _alreadyThere),
        Interlocked.Read(ref _skipped),
        Interlocked.Read(ref _verified));
}
