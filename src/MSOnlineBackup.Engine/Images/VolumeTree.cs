using MSOnlineBackup.Disks.Volumes;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Images;

/// <summary>Walks a file system on a disk from one item down, in the order of manifests. Memory: the names of the folders that it is in.</summary>
/// <param name="volume">The file system.</param>
/// <param name="shown">Its path for people.</param>
internal sealed class VolumeTree(IFileVolume volume, string shown)
{
    /// <summary>The item, and all that is below it. A folder that holds one of those that it is in ends there: only a damaged file system has that.</summary>
    /// <param name="top">The item.</param>
    /// <param name="path">Its path on the volume.</param>
    /// <param name="recursive">Whether it goes on into the folders in a folder.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public IAsyncEnumerable<SourceItem> RunAsync(VolumeItem top, EntryPath path, bool recursive, CancellationToken cancellationToken) =>
        RunAsync(top, EntryPath.Root, path, recursive ? [] : null, cancellationToken);

    private async IAsyncEnumerable<SourceItem> RunAsync(
        VolumeItem item, EntryPath below, EntryPath path, HashSet<ulong>? above, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string full = SourcePath.Join(PathForm.Posix, shown, path);
        if (item.Kind != EntryKind.Directory || (above is null && !below.IsRoot))
        {
            yield return new VolumeSourceItem(volume, item, below, full);
            yield break;
        }

        var items = new List<VolumeItem>();
        BackupException? failure = above?.Add(item.Id) != false ? null : new BackupException(
            BackupErrorId.VolumeCorrupt, $"The folder '{full}' is within itself.", "Restore the whole disk, and let the file system's own program repair it.", full);
        try
        {
            await foreach (VolumeItem found in failure is null ? volume.ListAsync(item, cancellationToken).ConfigureAwait(false) : Nothing().ConfigureAwait(false))
            {
                items.Add(found);
            }
        }
        catch (BackupException e) when (e.IsOfDisk)
        {
            failure = new BackupException(BackupErrorId.SourceItemUnreadable, $"Not all of '{full}' can be listed: {e.Message}", e.RecommendedAction, full, innerException: e);
        }

        yield return new VolumeSourceItem(volume, item, below, full, failure);
        foreach (VolumeItem found in items.OrderBy(found => new EntryPath(found.Name.ToArray())))
        {
            await foreach (SourceItem next in RunAsync(found, below.Append(found.Name.Span), path.Append(found.Name.Span), above, cancellationToken).ConfigureAwait(false))
            {
                yield return next;
            }
        }

        if (failure?.Id != BackupErrorId.VolumeCorrupt)
        {
            above?.Remove(item.Id);
        }
    }

    private static async IAsyncEnumerable<VolumeItem> Nothing()
    {
        await Task.CompletedTask.ConfigureAwait(false);
        yield break;
    }
}
