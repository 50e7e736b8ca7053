using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Packs;

namespace MSOnlineBackup.Vaults.Index;

/// <summary>
/// Records sorted by chunk id, searched by interpolation: ids are HMAC output, so a guess from the first bytes is nearly right. They lie in memory
/// (<see cref="MemoryRun"/>) or in a file (<see cref="FileRun"/>).
/// </summary>
internal abstract class IndexRun(int count)
{
    /// <summary>How many there are.</summary>
    public int Count { get; } = count;

    /// <summary>The first record whose id is not below <paramref name="id"/>; <see cref="Count"/> where there is none.</summary>
    public int LowerBound(ChunkId id)
    {
        int low = 0;
        int high = Count;
        ulong lowPrefix = 0;
        ulong highPrefix = ulong.MaxValue;
        for (int guesses = 0; low < high; guesses++)
        {
            int middle = low + ((high - low) / 2);
            if (guesses < 4 && highPrefix > lowPrefix && high - low > 16)
            {
                // Between 0 and 1; a guess needs no exact arithmetic.
                double share = (double)(id.Prefix - lowPrefix) / (highPrefix - lowPrefix);
                middle = low + (int)(share * (high - low - 1));
            }

            var found = new ChunkId(At(middle)[..ChunkId.Length]);
            if (found < id)
            {
                low = middle + 1;
                lowPrefix = Math.Min(found.Prefix, id.Prefix);
            }
            else
            {
                high = middle;
                highPrefix = Math.Max(found.Prefix, id.Prefix);
            }
        }

        GC.KeepAlive(this);
        return low;
    }

    /// <summary>One record, by a look where it lies.</summary>
    /// <param name="index">Which.</param>
    /// <param name="pack">The number of its pack.</param>
    public PackedChunk Get(int index, out int pack)
    {
        PackedChunk chunk = IndexSegment.ReadRecord(At(index), out pack);
        GC.KeepAlive(this);
        return chunk;
    }

    /// <summary>Copies records, for whoever passes over all of them.</summary>
    /// <param name="first">The first of them.</param>
    /// <param name="destination">Room for so many.</param>
    public abstract void Read(int first, Span<byte> destination);

    /// <summary>One record, as long as this lives.</summary>
    protected abstract ReadOnlySpan<byte> At(int index);
}
