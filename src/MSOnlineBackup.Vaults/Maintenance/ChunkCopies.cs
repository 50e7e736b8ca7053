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
        IReadOnlyList<PackInfo?> packs = index.PacksByNumber;
        var copies = new List<ChunkLocation>();
        IndexRecords.Pass pass = marks.Records.InOrder();
        for (bool isMore = pass.MoveNext(); isMore;)
        {
            copies.Clear();
            ChunkId id = pass.Id;
            int first = pass.Number;
            for (; isMore && pass.Id == id; isMore = pass.MoveNext())
            {
                PackedChunk chunk = IndexSegment.ReadRecord(pass.Record, out int number);

                // Two segments may name one pack.
                if (packs[number] is { } pack && !copies.Exists(other => ReferenceEquals(other.Pack, pack) && other.Chunk.Offset == chunk.Offset))
                {
                    copies.Add(new ChunkLocation(pack, chunk));
                }
            }

            if (copies.Count > 0)
            {
                visit(marks.IsMarked(first), copies);
            }
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
