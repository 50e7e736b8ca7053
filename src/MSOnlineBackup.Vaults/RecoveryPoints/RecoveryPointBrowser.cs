using System.Runtime.CompilerServices;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>Finds one's way in a recovery point by full paths: the source's path and the entry's, as listings show them.</summary>
/// <param name="chunks">Where its blocks are.</param>
/// <param name="point">The point.</param>
/// <param name="damaged">Gets what cannot be read, and listings go on behind it; where it is null, that is thrown.</param>
internal sealed class RecoveryPointBrowser(IChunkReader chunks, RecoveryPoint point, Action<BackupException>? damaged = null)
{
    /// <summary>The items at or below a path; without one the roots.</summary>
    /// <exception cref="BackupException">RecoverableItemNotFound.</exception>
    public async IAsyncEnumerable<RecoverableItem> ListAsync(string? path, bool recursive, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (path is null)
        {
            foreach (RecoveryPointSource source in point.Sources)
            {
                ManifestReader manifest = new(chunks, source.Manifest);
                await foreach (ManifestEntry entry in ReadAsync(manifest, EntryPath.Root, recursive, cancellationToken).ConfigureAwait(false))
                {
                    yield return new RecoverableItem(source, entry);
                }
            }

            yield break;
        }

        (RecoveryPointSource root, EntryPath below) = await ResolveAsync(path, cancellationToken).ConfigureAwait(false);
        ManifestReader reader = new(chunks, root.Manifest);
        ManifestEntry item = (await reader.FindAsync(below, cancellationToken).ConfigureAwait(false))!;
        IAsyncEnumerable<ManifestEntry> items = item.Kind == EntryKind.Directory && !recursive
            ? reader.ListChildrenAsync(below, cancellationToken, damaged)
            : reader.ReadAsync(below, cancellationToken, damaged);
        await foreach (ManifestEntry entry in items.ConfigureAwait(false))
        {
            yield return new RecoverableItem(root, entry);
        }
    }

    /// <summary>The source and the entry that a full path names.</summary>
    /// <exception cref="BackupException">RecoverableItemNotFound.</exception>
    public async Task<(RecoveryPointSource Source, EntryPath Path)> ResolveAsync(string path, CancellationToken cancellationToken)
    {
        List<(RecoveryPointSource Source, EntryPath Path)> found =
            await new PathLookup(chunks, point).FindAsync(path, withSourcesBelow: false, cancellationToken).ConfigureAwait(false);
        return found.Count > 0
            ? found[0]
            : throw new BackupException(
                BackupErrorId.RecoverableItemNotFound,
                $"The recovery point {point.SessionId.ToShortString()} has no item '{path}'.",
                "List what it holds: paths are written in full, as listings show them.",
                path);
    }

    private async IAsyncEnumerable<ManifestEntry> ReadAsync(
        ManifestReader manifest,
        EntryPath folder,
        bool recursive,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (recursive)
        {
            await foreach (ManifestEntry entry in manifest.ReadAsync(folder, cancellationToken, damaged).ConfigureAwait(false))
            {
                yield return entry;
            }
        }
        else if (await manifest.FindAsync(folder, cancellationToken).ConfigureAwait(false) is { } root)
        {
            yield return root;
        }
    }
}
