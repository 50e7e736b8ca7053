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
}
