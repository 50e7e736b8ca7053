using System.Runtime.CompilerServices;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Disks.Volumes;

/// <summary>Everything below a folder of a file system, whatever the file system says: a folder that is met twice is damage, not a way without end.</summary>
public static class VolumeWalk
{
    /// <summary>How many folders may be within each other. Linux opens paths of 4,096 bytes, which is half as many.</summary>
    public const int DeepestFolder = 4096;

    /// <summary>Goes through all folders, each item before what is in it.</summary>
    /// <param name="volume">The file system.</param>
    /// <param name="folder">Where to begin.</param>
    /// <param name="onDamage">
    /// Is told of each folder that could not be read to its end, or that was met before: VolumeCorrupt or VolumeUnsupported. The walk goes on with the next.
    /// </param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>Items with the names of the folders that lead to them, from the first below <paramref name="folder"/> to their own.</returns>
    /// <exception cref="BackupException">What reading the disk gives.</exception>
    public static async IAsyncEnumerable<(IReadOnlyList<ReadOnlyMemory<byte>> Path, VolumeItem Item)> GoAsync(
        IFileVolume volume,
        VolumeItem folder,
        Action<IReadOnlyList<ReadOnlyMemory<byte>>, BackupException> onDamage,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(volume);
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(onDamage);
        var seen = new HashSet<ulong> { volume.Root.Id, folder.Id };
        var waiting = new Stack<(IReadOnlyList<ReadOnlyMemory<byte>> Path, VolumeItem Folder)>();
        waiting.Push(([], folder));
        while (waiting.TryPop(out (IReadOnlyList<ReadOnlyMemory<byte>> Path, VolumeItem Folder) next))
        {
            await using IAsyncEnumerator<VolumeItem> items = volume.ListAsync(next.Folder, cancellationToken).GetAsyncEnumerator(cancellationToken);
            while (await NextAsync(items, next.Path, onDamage).ConfigureAwait(false))
            {
                IReadOnlyList<ReadOnlyMemory<byte>> path = [.. next.Path, items.Current.Name];
                if (items.Current.Kind == EntryKind.Directory)
                {
                    if (path.Count > DeepestFolder || !seen.Add(items.Current.Id))
                    {
                        onDamage(path, new BackupException(
                            BackupErrorId.VolumeCorrupt,
                            path.Count > DeepestFolder ? "The file system is damaged: folders are within each other without end." : "The file system is damaged: a folder is in two folders, or within itself.",
                            "Restore the whole disk and let the file system's own program repair it, or take another recovery point."));
                        continue;
                    }

                    waiting.Push((path, items.Current));
                }

                yield return (path, items.Current);
            }
        }
    }

    private static async ValueTask<bool> NextAsync(
        IAsyncEnumerator<VolumeItem> items, IReadOnlyList<ReadOnlyMemory<byte>> path, Action<IReadOnlyList<ReadOnlyMemory<byte>>, BackupException> onDamage)
    {
        try
        {
            return await items.MoveNextAsync().ConfigureAwait(false);
        }
        catch (BackupException e) when (e.Id is BackupErrorId.VolumeCorrupt or BackupErrorId.VolumeUnsupported)
        {
            onDamage(path, e);
            return false;
        }
    }
}
