using System.Runtime.CompilerServices;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>Reads a manifest: as a stream, by path, or folder by folder.</summary>
/// <remarks>What does not decode, or is not where the tree says, is VaultDataCorrupt; a block that is not there is VaultDataMissing.</remarks>
internal sealed class ManifestReader(IChunkReader chunks, ManifestRoot root)
{
    /// <summary>A cursor before the first entry.</summary>
    public ManifestCursor OpenCursor() => new(chunks, root);

    /// <summary>All entries at or below a path, in order.</summary>
    /// <param name="subtree">The path.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="damaged">Gets what cannot be read, and what follows it is read all the same; where it is null, that is thrown.</param>
    public async IAsyncEnumerable<ManifestEntry> ReadAsync(
        EntryPath subtree, [EnumeratorCancellation] CancellationToken cancellationToken, Action<BackupException>? damaged = null)
    {
        ManifestCursor cursor = OpenCursor();
        for (bool more = await StepAsync(cursor, subtree, damaged, cancellationToken).ConfigureAwait(false);
            more && EntryPath.IsAtOrBelow(cursor.Path, subtree.Bytes);
            more = await StepAsync(cursor, null, damaged, cancellationToken).ConfigureAwait(false))
        {
            yield return cursor.Current;
        }
    }

    /// <summary>The entry at a path, or null. Reads one block per level.</summary>
    public ValueTask<ManifestEntry?> FindAsync(EntryPath path, CancellationToken cancellationToken) =>
        OpenCursor().AdvanceToAsync(path, cancellationToken);

    /// <summary>The entries directly in a folder, in order; what lies deeper is passed over without being read.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="damaged">As for <see cref="ReadAsync"/>.</param>
    public async IAsyncEnumerable<ManifestEntry> ListChildrenAsync(
        EntryPath folder, [EnumeratorCancellation] CancellationToken cancellationToken, Action<BackupException>? damaged = null)
    {
        ManifestCursor cursor = OpenCursor();
        bool more = await StepAsync(cursor, folder, damaged, cancellationToken).ConfigureAwait(false);
        while (more && EntryPath.IsAtOrBelow(cursor.Path, folder.Bytes))
        {
            int nameAt = folder.IsRoot ? 0 : folder.Bytes.Length + 1;
            if (cursor.Path.Length < nameAt || cursor.Path.IsEmpty)
            {
                more = await StepAsync(cursor, null, damaged, cancellationToken).ConfigureAwait(false);
                continue;
            }

            int nameLength = cursor.Path[nameAt..].IndexOf((byte)'/');
            if (nameLength < 0)
            {
                yield return cursor.Current;
            }

            bool hasMore = nameLength >= 0 || cursor.IsDirectory;
            EntryPath child = new((nameLength < 0 ? cursor.Path : cursor.Path[..(nameAt + nameLength)]).ToArray());
            more = await StepAsync(cursor, hasMore ? EndOf(child) : null, damaged, cancellationToken).ConfigureAwait(false);
        }
    }

    // To a path, or to the next entry. The cursor goes on behind what is damaged.
    private static async ValueTask<bool> StepAsync(ManifestCursor cursor, EntryPath? to, Action<BackupException>? damaged, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return to is { } path
                    ? await cursor.SeekAsync(path, cancellationToken).ConfigureAwait(false)
                    : await cursor.MoveNextAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (BackupException e) when (damaged is not null && e.IsDamage)
            {
                damaged(e);
                to = null;
            }
        }
    }

    /// <summary>How much is at or below a path. Reads nodes, and the leaves at the subtree's edges.</summary>
    public async ValueTask<ManifestTotals> MeasureAsync(EntryPath subtree, CancellationToken cancellationToken)
    {
        var all = new ManifestTotals(root.Entries, root.Files, root.Directories, root.Bytes);
        return subtree.IsRoot
            ? all
            : await MeasureAsync(new ManifestBlock(EntryPath.Root, root.Id, all), root.Depth, end: null, subtree, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<ManifestTotals> MeasureAsync(
        ManifestBlock block, int level, EntryPath? end, EntryPath subtree, CancellationToken cancellationToken)
    {
        ManifestTotals totals = default;
        if (level == 0)
        {
            var leaf = new LeafReader(block.Id, await chunks.ReadAsync(ChunkKind.ManifestLeaf, block.Id, cancellationToken).ConfigureAwait(false));
            while (leaf.MoveNext())
            {
                if (EntryPath.IsAtOrBelow(leaf.Path, subtree.Bytes))
                {
                    ManifestEntry entry = leaf.ToEntry();
                    totals += new ManifestTotals(1, entry.Kind == EntryKind.File ? 1 : 0, entry.Kind == EntryKind.Directory ? 1 : 0, entry.Size);
                }
            }

            return totals;
        }

        ManifestBlock[] children = NodeBlock.Read(
            await chunks.ReadAsync(ChunkKind.ManifestNode, block.Id, cancellationToken).ConfigureAwait(false), block.Id, level, block.Totals);
        for (int i = 0; i < children.Length; i++)
        {
            // A block ends where the next one begins.
            EntryPath? next = i + 1 < children.Length ? children[i + 1].FirstPath : end;
            if (children[i].FirstPath.IsAtOrBelow(subtree) && next is { } after && after.IsAtOrBelow(subtree))
            {
                totals += children[i].Totals;
            }
            else if (children[i].FirstPath.CompareTo(EndOf(subtree)) < 0 && (next is not { } following || following > subtree))
            {
                totals += await MeasureAsync(children[i], level - 1, next, subtree, cancellationToken).ConfigureAwait(false);
            }
        }

        return totals;
    }

    // After everything below a path and before all else: no name has a NUL, and only '/' is below it.
    private static EntryPath EndOf(EntryPath path) => new([.. path.Bytes, 0]);
}
