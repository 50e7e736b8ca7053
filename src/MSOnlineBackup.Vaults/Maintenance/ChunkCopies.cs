using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Index;
using MSOnlineBackup.Vaults.Packs;

namespace MSOnlineBackup.Vaults.Maintenance;

/// <summary>Passes over an index chunk by chunk, with all copies of each.</summary>
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
}
