using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Index;
using MSOnlineBackup.Vaults.Packs;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Vaults.Maintenance;

/// <summary>The copies of chunks: an index is passed over chunk by chunk, and what is to be relied on is opened.</summary>
internal static class ChunkCopies
{
    /// <summary>Visits each chunk once, in the order of ids.</summary>
    /// <param name="index">The index.</param>
    /// <param name="marks">Its records, and which of them are needed.</param>
    /// <param name="visit">Gets whether the chunk is needed, and its copies, each place once. The list is used again for the next chunk.</param>
    public static void Visit(ChunkIndex index, ChunkMarks marks, Action<bool, IReadOnlyList<ChunkLocation>> visit)
    {
        IReadOnlyList<PackInfo> packs = index.Packs;
        IndexRun records = marks.Records;
        var copies = new List<ChunkLocation>();
        for (int first = 0, next; first < records.Count; first = next)
        {
            copies.Clear();
            ReadOnlySpan<byte> id = records[first][..ChunkId.Length];
            for (next = first; next < records.Count && records[next][..ChunkId.Length].SequenceEqual(id); next++)
            {
                PackedChunk chunk = IndexSegment.ReadRecord(records[next], out int pack);
                var copy = new ChunkLocation(packs[pack], chunk);

                // Two segments may name one pack.
                if (!copies.Exists(other => ReferenceEquals(other.Pack, copy.Pack) && other.Chunk.Offset == chunk.Offset))
                {
                    copies.Add(copy);
                }
            }

            visit(marks.IsMarked(first), copies);
        }
    }

    /// <summary>
    /// Whether a pack that counts has a copy of a chunk that is sound. What a session has sealed itself is; anything else is opened and named again before it is relied on.
    /// </summary>
    /// <param name="store">The store.</param>
    /// <param name="own">The session that asks.</param>
    /// <param name="chunk">The chunk, in a pack that does not count.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static async ValueTask<bool> HasSoundAsync(ChunkStore store, SessionId? own, PackedChunk chunk, CancellationToken cancellationToken)
    {
        if (!store.Index.TryFind(chunk.Id, out ChunkLocation other))
        {
            return store.Index.Contains(chunk.Id);
        }

        if (other.Pack.Session == own)
        {
            return true;
        }

        try
        {
            await store.ReadAsync(chunk.Kind, chunk.Id, identify: true, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (BackupException e) when (e.IsDamage)
        {
            return false;
        }
    }
}
