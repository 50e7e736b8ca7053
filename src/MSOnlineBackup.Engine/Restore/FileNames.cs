using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Restore;

/// <summary>
/// The names of one file that has several: the first is the file's own, the further ones become links to it when it is complete. Where the target can make
/// none, a name gets a copy.
/// </summary>
/// <param name="job">The restore.</param>
/// <param name="first">The place of the file.</param>
internal sealed class FileNames(RestoreJob job, EntryPath first)
{
    private readonly Lock _gate = new();
    private readonly Lock _linking = new();

    // Those that this restore has given it.
    private readonly List<EntryPath> _given = [];
    private EntryPath _linkFrom = first;
    private List<RestoreItem>? _waiting = [];
    private BackupException? _failure;

    /// <summary>Adds a name: made now, or as soon as the file is complete.</summary>
    public void Add(RestoreItem link)
    {
        link.Folder?.Expect();
        lock (_gate)
        {
            if (_waiting is not null)
            {
                _waiting.Add(link);
                return;
            }
        }

        MakeLink(link);
    }

    /// <summary>The file goes to another place than was thought.</summary>
    public void MoveTo(EntryPath place) => _linkFrom = place;

    /// <summary>Notes that the file got its own name.</summary>
    public void NoteGiven(EntryPath name) => _given.Add(name);

    /// <summary>The file has ended: makes the names that wait for it.</summary>
    /// <param name="failure">Why there is no file, where it failed.</param>
    public void Make(BackupException? failure)
    {
        List<RestoreItem> waiting;
        lock (_gate)
        {
            _failure = failure;
            waiting = _waiting!;
            _waiting = null;
        }

        waiting.ForEach(MakeLink);
    }

    private void MakeLink(RestoreItem link)
    {
        try
        {
            lock (_linking)
            {
                Place(link);
            }
        }
        catch (BackupException fault) when (RestoreFault.IsOfOneItem(fault))
        {
            job.Tally.Report(link, fault);
        }

        job.Tally.Pass(link.Entry.Size);
        link.Folder?.Release();
    }

    private void Place(RestoreItem link)
    {
        if (_failure is { } failure)
        {
            job.Tally.Report(link, failure);
            return;
        }

        if (link.Existing is { } existing && (IsOneFile(existing) || (!job.Overwrites && TryJoin(link))))
        {
            job.Tally.CountAlreadyThere();
            return;
        }

        if (link.Existing is not null && job.Conflict == RestoreConflict.Skip)
        {
            job.Tally.Report(link, link.Exists());
            return;
        }

        if (link.Existing is not null && job.Conflict == RestoreConflict.Copy)
        {
            link.GoBeside(job.Names.FindBeside(link.Entry.Path, job.Target));
        }

        if (job.Target.TryCreateHardLink(link.Entry.Path, _linkFrom, link.Replaces))
        {
            _given.Add(link.Entry.Path);
        }
        else
        {
            Copy(link);
        }

        job.Tally.CountDone(link.Entry.Kind);
    }

    // What is there is the same, and stays. Names that were missing and came before it become its names.
    private bool TryJoin(RestoreItem link)
    {
        if (_given.Count == 0 || !_given.TrueForAll(name => job.Target.TryCreateHardLink(name, link.Entry.Path, replace: true)))
        {
            return false;
        }

        _given.Clear();
        _linkFrom = link.Entry.Path;
        return true;
    }

    private bool IsOneFile(ManifestEntry existing) =>
        job.Target.Find(_linkFrom) is { } one
        && one.Metadata.FileId != 0
        && (one.Metadata.FileId, one.Metadata.DeviceId) == (existing.Metadata.FileId, existing.Metadata.DeviceId);

    // The data at least are there under each name. Further names are tried with this one first: a file has so many at most.
    private void Copy(RestoreItem link)
    {
        ManifestEntry one = job.Target.Find(_linkFrom)!;
        using (IRestoreFile file = job.Target.CreateFile(link.Entry))
        {
            file.CopyFrom(one, 0, link.Entry.Size);
            job.Streams.Copy(link, _linkFrom, file);
            file.Complete(link.Replaces, freeze: false, fault => job.Tally.Report(link, fault));
        }

        job.FreezeLater(link);
        job.Tally.Report(link, new BackupException(
            BackupErrorId.RestoreMetadataFailed,
            $"'{PathText.Show(link.Entry.Path)}' was restored as a separate file: the target cannot give '{PathText.Show(_linkFrom)}' another name.",
            "If the names must share one file, restore onto a single file system that supports enough hard links.",
            link.FullPath));
        _linkFrom = link.Entry.Path;
    }
}
