using MSOnlineBackup.Disks.Volumes;
using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Engine.Restore.Targets;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Images;

/// <summary>Restores files and folders from a file system on a disk of a recovery point. The disk is not restored: what is fetched is what is read of it. Everything else is as in a restore of files.</summary>
internal static class ImageRestore
{
    /// <summary>Restores an item and all below it.</summary>
    /// <param name="volume">The file system.</param>
    /// <param name="top">The item.</param>
    /// <param name="path">Its path on the volume.</param>
    /// <param name="shown">The volume, for people: <c>vda:2</c>.</param>
    /// <param name="doubt">Why what is read may not be all; null where it is.</param>
    /// <param name="request">Where to, and how; its point and its paths are not looked at.</param>
    /// <param name="monitor">Is told how far it is.</param>
    /// <param name="options">The clock.</param>
    /// <param name="cancellationToken">Stops it; what is complete stays.</param>
    public static async Task<RestoreResult> RunAsync(
        IFileVolume volume, VolumeItem top, EntryPath path, string shown, BackupException? doubt, RestoreRequest request, JobMonitor monitor, VaultOptions options, CancellationToken cancellationToken)
    {
        // By its own name; what is on the volume, where all of it is meant.
        var place = new EntryPath(path.Name.ToArray());
        RecoveryPointSource source = SourceOf(shown);
        using IRestoreTarget target = RestoreTargets.Open(request.TargetFolder, request.SkipSecurity);
        monitor.Enter(JobPhase.Transferring);
        var tally = new RestoreTally(monitor);
        if (doubt is not null)
        {
            tally.Skip(new SkippedItem(shown, doubt.Id, doubt.Message));
        }

        SnapshotContents? contents = null;
        IRestoreVerifier? verifier = request.Verify ? new SnapshotVerifier(target, tally, () => contents!.Current!) : null;
        using (var job = new RestoreJob(target, tally, verifier, request.Conflict, new CopyNaming(request.CopyNames, options.TimeProvider.GetLocalNow())))
        {
            contents = new SnapshotContents(job);
            job.Streams = new ItemStreams(job, contents, tellsImpossible: true);
            var items = new ItemSteps(job, new ItemPlacing(contents, job, verify: true), request.MapNames);
            await foreach (SourceItem item in new VolumeTree(volume, source.Path).RunAsync(top, path, recursive: true, cancellationToken).ConfigureAwait(false))
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (item.Failure is { } failure)
                {
                    tally.Skip(new SkippedItem(SourcePath.Join(source, RestoreSelection.Join(path, item.Entry.Path.Bytes)), failure.Id, failure.Message));
                }

                EntryPath below = RestoreSelection.Join(place, item.Entry.Path.Bytes);
                contents.Current = item;
                if (TryTake(source, item, tally) is { } entry && !(below.IsRoot && entry.Kind == EntryKind.Directory))
                {
                    await items.TakeAsync(new SelectedEntry(source, entry with { Path = RestoreSelection.Join(path, entry.Path.Bytes) }, below), contents.BeginFileAsync, cancellationToken).ConfigureAwait(false);
                }
            }

            items.Close();
            job.Freeze();
        }

        if (request.Synchronize)
        {
            target.Synchronize();
        }

        monitor.Enter(JobPhase.Finished);
        return tally.ToResult(RestoreLayout.ItemName);
    }

    /// <summary>A volume as what its items are of, for people: <c>vda:2:/etc/passwd</c>.</summary>
    public static RecoveryPointSource SourceOf(string shown) => new() { Path = shown + ":/", Form = PathForm.Posix, Manifest = new ManifestRoot(default, 0, 0, 0, 0, 0) };

    // Null where it cannot be read, which is reported.
    private static ManifestEntry? TryTake(RecoveryPointSource source, SourceItem item, RestoreTally tally)
    {
        try
        {
            return item.ReadDetails();
        }
        catch (BackupException fault) when (fault.IsOfSourceItem)
        {
            tally.Skip(new SkippedItem(SourcePath.Join(source, item.Entry.Path), fault.Id, fault.Message));
            return null;
        }
    }
}
