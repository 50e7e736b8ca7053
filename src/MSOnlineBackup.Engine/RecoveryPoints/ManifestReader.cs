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

    // After everything below a path and before all else: no name has a NUL, and only '/' is below it.
    private static EntryPath EndOf(EntryPath path) => new([.. path.Bytes, 0]);
}
