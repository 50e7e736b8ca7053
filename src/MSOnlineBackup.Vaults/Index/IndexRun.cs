using System.Buffers.Binary;
using MSOnlineBackup.Vaults.Chunks;

namespace MSOnlineBackup.Vaults.Index;

/// <summary>Records sorted by chunk id, searched by interpolation: ids are HMAC output, so a guess from the first bytes is nearly right.</summary>
internal sealed class IndexRun(ReadOnlyMemory<byte> records)
{
    public int Count { get; } = records.Length / IndexSegment.RecordLength;

    public ReadOnlySpan<byte> this[int index] =>
        records.Span.Slice(index * IndexSegment.RecordLength, IndexSegment.RecordLength);

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

            ReadOnlySpan<byte> record = this[middle];
            if (new ChunkId(record[..ChunkId.Length]) < id)
            {
                low = middle + 1;
                lowPrefix = Math.Min(BinaryPrimitives.ReadUInt64BigEndian(record), id.Prefix);
            }
            else
            {
                high = middle;
                highPrefix = Math.Max(BinaryPrimitives.ReadUInt64BigEndian(record), id.Prefix);
            }
        }

        return low;
    }

    private ReadOnlySpan<byte> From(int index) => records.Span[(index * IndexSegment.RecordLength)..];

    // Nearly always the first bytes tell.
    private static bool IsNotAfter(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        ulong prefix = BinaryPrimitives.ReadUInt64BigEndian(left);
        ulong other = BinaryPrimitives.ReadUInt64BigEndian(right);
        return prefix < other || (prefix == other && left[..ChunkId.Length].SequenceCompareTo(right[..ChunkId.Length]) <= 0);
    }

    /// <summary>Both runs in one.</summary>
    public static IndexRun Merge(IndexRun left, IndexRun right)
    {
        byte[] merged = new byte[(left.Count + right.Count) * IndexSegment.RecordLength];
        int l = 0;
        int r = 0;
        Span<byte> to = merged;
        for (; l < left.Count && r < right.Count; to = to[IndexSegment.RecordLength..])
        {
            ReadOnlySpan<byte> ofLeft = left[l];
            ReadOnlySpan<byte> ofRight = right[r];
            bool takeLeft = IsNotAfter(ofLeft, ofRight);
            (takeLeft ? ofLeft : ofRight).CopyTo(to);
            l += takeLeft ? 1 : 0;
            r += takeLeft ? 0 : 1;
        }

        left.From(l).CopyTo(to);
        right.From(r).CopyTo(to);

        return new IndexRun(merged);
    }
}
