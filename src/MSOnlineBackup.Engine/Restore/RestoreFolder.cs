using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Restore;

/// <summary>
/// A folder while something below it is still to be written. It counts what it waits for; when nothing is left its metadata
/// are set, and the folder above waits for one thing less: so the deepest come first, and no list of folders is kept.
/// </summary>
internal sealed class RestoreFolder
{
    // rwxr-xr-x: who may read what is restored must be able to reach it.
    private const uint ModeOnTheWay = 0x1ed;

    private readonly RestoreJob _job;
    private readonly RestoreFolder? _parent;
    private readonly RestoreItem? _item;
    private int _pending = 1;

    /// <summary>Takes a folder that is there now.</summary>
    /// <param name="job">The restore.</param>
    /// <param name="parent">The folder above, where it is waiting too.</param>
    /// <param name="place">Its path in the selection, before renaming.</param>
    /// <param name="target">Its path below the target.</param>
    /// <param name="item">Whose metadata it gets; null for one that is only on the way, or keeps its own.</param>
    public RestoreFolder(RestoreJob job, RestoreFolder? parent, EntryPath place, EntryPath target, RestoreItem? item)
    {
        _job = job;
        _parent = parent;
        _item = item;
        Place = place;
        Target = target;
        parent?.Expect();
    }

    public EntryPath Place { get; }

    public EntryPath Target { get; }

    /// <summary>The names that the items in it get.</summary>
    public required FolderNames Names { get; init; }

    /// <summary>Whether this restore made it: then nothing can be in it that the restore did not write.</summary>
    public bool IsNew { get; set; }

    /// <summary>Whether it has no metadata of its own yet: this restore made it, or one that did not come to its end.</summary>
    public bool IsUnfinished { get; set; }

    /// <summary>Why it could not be made; nothing below it can be restored then.</summary>
    public BackupException? Failure { get; set; }

    /// <summary>Makes it, or opens it up.</summary>
    /// <param name="unlock">Whether flags that forbid changes are taken away.</param>
    public void Open(bool unlock)
    {
        if (_job.Target.OpenDirectory(Target, unlock) is { } giveBack)
        {
            _job.OpenedFolders[this] = giveBack;
        }
    }

    /// <summary>Gives it back what opening it up took, where it keeps what it had.</summary>
    public void GiveBack()
    {
        try
        {
            if (_job.OpenedFolders.TryRemove(this, out Action? giveBack))
            {
                giveBack();
            }
        }
        catch (BackupException fault) when (RestoreFault.IsOfOneItem(fault))
        {
            Report(fault);
        }
    }

    /// <summary>One thing more to wait for.</summary>
    public void Expect() => Interlocked.Increment(ref _pending);

    /// <summary>One thing less.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref _pending) != 0)
        {
            return;
        }

        if (Failure is null)
        {
            Finish();
        }

        _parent?.Release();
    }

    private void Finish()
    {
        try
        {
            if (_item is not null)
            {
                _job.OpenedFolders.TryRemove(this, out _);
                _job.Target.SetMetadata(_item.Entry, freeze: true, Report);
            }
            else if (IsUnfinished && _job.Target.Find(Target) is { } made)
            {
                _job.Target.SetMetadata(made with { Metadata = made.Metadata with { Mode = ModeOnTheWay } }, freeze: true, Report);
            }
            else
            {
                GiveBack();
            }
        }
        catch (BackupException fault) when (RestoreFault.IsOfOneItem(fault))
        {
            Report(fault);
        }
    }

    private void Report(BackupException fault)
    {
        if (_item is not null)
        {
            _job.Tally.Report(_item, fault);
        }
        else
        {
            _job.Tally.Skip(new SkippedItem(PathText.Show(Target), fault.Id, fault.Message));
        }
    }
}
