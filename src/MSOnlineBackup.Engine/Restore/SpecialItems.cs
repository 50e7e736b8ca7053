using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Restore;

/// <summary>Links, pipes, sockets and device nodes: made as the walk meets them. One that has several names is made once, and linked.</summary>
internal sealed class SpecialItems(RestoreJob job)
{
    private readonly HardLinks<ManifestEntry> _specials = new();

    /// <summary>Makes one, or reports why not.</summary>
    public void Create(RestoreItem item)
    {
        try
        {
            bool isThere = item.Existing is not null;
            bool isLinked = _specials.TryGetFirst(item.Entry, out ManifestEntry? first);
            if (isLinked && isThere && job.Target.Find(first!.Path) is { } found && found.Metadata.FileId == item.Existing!.Metadata.FileId)
            {
                job.Tally.CountDone(item.Entry.Kind);
                return;
            }

            if (isLinked && isThere && !job.Overwrites)
            {
                if (job.Conflict == RestoreConflict.Skip)
                {
                    job.Tally.Report(item, item.Exists());
                    return;
                }

                item.GoBeside(job.Names.FindBeside(item.Entry.Path, job.Target));
                isThere = false;
            }

            if (isLinked && job.Target.TryCreateHardLink(item.Entry.Path, first!.Path, isThere))
            {
                job.Tally.CountDone(item.Entry.Kind);
                return;
            }

            if (item.Placement != Placement.Compare)
            {
                job.Target.CreateSpecial(item.Entry, isThere, fault => job.Tally.Report(item, fault));
            }
            else if (job.Overwrites)
            {
                job.Target.SetMetadata(item.Entry, freeze: true, fault => job.Tally.Report(item, fault));
            }

            if (!isLinked)
            {
                _specials.Add(item.Entry, item.Entry);
            }

            job.Tally.CountDone(item.Entry.Kind);
        }
        catch (BackupException fault) when (RestoreFault.IsOfOneItem(fault))
        {
            job.Tally.Report(item, fault);
        }
    }
}
