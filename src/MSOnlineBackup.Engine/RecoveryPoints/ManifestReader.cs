using System.Runtime.CompilerServices;
using MSOnlineBackup.Engine.Chunks;

namespace MSOnlineBackup.Engine.RecoveryPoints;

/// <summary>Reads a manifest: as a stream, by path, or folder by folder.</summary>
/// <remarks>What does not decode, or is not where the tree says, is VaultDataCorrupt; a block that is not there is VaultDataMissing.</remarks>
internal sealed class ManifestReader(IChunkReader chunks, ManifestRoot root)
{
    /// <summary>A cursor before the first entry.</summary>
    public ManifestCursor OpenCursor() => new(chunks, root);

    /// <summary>All entries at or below a path, in order.</summary>
    public async IAsyncEnumerable<ManifestEntry> ReadAsync(EntryPath subtree, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ManifestCursor cursor = OpenCursor();
        for (bool more = await cursor.SeekAsync(subtree, cancellationToken).ConfigureAwait(false);
            more && EntryPath.IsAtOrBelow(cursor.Path, subtree.Bytes);
            more = await cursor.MoveNextAsync(cancellationToken).ConfigureAwait(false))
        {
            yield return cursor.Current;
        }
    }

    /// <summary>The entry at a path, or null. Reads one block per level.</summary>
    public ValueTask<ManifestEntry?> FindAsync(EntryPath path, CancellationToken cancellationToken) =>
        OpenCursor().AdvanceToAsync(path, cancellationToken);

    /// <summary>The entries directly in a folder, in order; what lies deeper is passed over without being read.</summary>
    public async IAsyncEnumerable<ManifestEntry> ListChildrenAsync(EntryPath folder, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ManifestCursor cursor = OpenCursor();
        bool more = await cursor.SeekAsync(folder, cancellationToken).ConfigureAwait(false);
        while (more && EntryPath.IsAtOrBelow(cursor.Path, folder.Bytes))
        {
            int nameAt = folder.IsRoot ? 0 : folder.Bytes.Length + 1;
            if (cursor.Path.Length < nameAt || cursor.Path.IsEmpty)
            {
                more = await cursor.MoveNextAsync(cancellationToken).ConfigureAwait(false);
                continue;
            }

            int nameLength = cursor.Path[nameAt..].IndexOf((byte)'/');
            if (nameLength < 0)
            {
                yield return cursor.Current;
            }

            bool hasMore = nameLength >= 0 || cursor.IsDirectory;
            EntryPath child = new((nameLength < 0 ? cursor.Path : cursor.Path[..(nameAt + nameLength)]).ToArray());
            more = hasMore
                ? await cursor.SeekAsync(EndOf(child), cancellationToken).ConfigureAwait(false)
                : await cursor.MoveNextAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>How much is at or below a path. Reads nodes, and the leaves at the subtree's edges.</summary>
    public async ValueTask<ManifestTotals> MeasureAsync(EntryPath subtree, CancellationToken cancellationToken)
    {
        var all = new ManifestTotals(root.Entries, root.Files, root.Directories, root.Bytes);
        return subtree.IsRoot ? all : await MeasureAsync(new ManifestBlock(EntryPath.Root, root.Id, all), root.Depth, end: null, subtree, cancellationToken).ConfigureAwait(false);
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
