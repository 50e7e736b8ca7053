using System.Buffers.Binary;
using MSOnlineBackup.Vaults.Chunks;

namespace MSOnlineBackup.Vaults.Index;

/// <summary>Sorted records in memory.</summary>
internal sealed class MemoryRun(ReadOnlyMemory<byte> records) : IndexRun(records.Length / IndexSegment.RecordLength)
{
    /// <inheritdoc/>
    public override void Read(int first, Span<byte> destination) => From(first)[..destination.Length].CopyTo(destination);

    /// <summary>Both runs in one.</summary>
    public static MemoryRun Merge(MemoryRun left, MemoryRun right)
    {
        byte[] merged = GC.AllocateUninitializedArray<byte>((left.Count + right.Count) * IndexSegment.RecordLength);
        int l = 0;
        int r = 0;
        Span<byte> to = merged;
        for (; l < left.Count && r < right.Count; to = to[IndexSegment.RecordLength..])
        {
            ReadOnlySpan<byte> ofLeft = left.At(l);
            ReadOnlySpan<byte> ofRight = right.At(r);
            bool takeLeft = IsNotAfter(ofLeft, ofRight);
            (takeLeft ? ofLeft : ofRight).CopyTo(to);
            l += takeLeft ? 1 : 0;
            r += takeLeft ? 0 : 1;
        }

        left.From(l).CopyTo(to);
        right.From(r).CopyTo(to);

        return new MemoryRun(merged);
    }

    /// <inheritdoc/>
    protected override ReadOnlySpan<byte> At(int index) => From(index)[..IndexSegment.RecordLength];

    private ReadOnlySpan<byte> From(int index) => records.Span[(index * IndexSegment.RecordLength)..];

    // Nearly always the first bytes tell.
    private static bool IsNotAfter(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        ulong prefix = BinaryPrimitives.ReadUInt64BigEndian(left);
        ulong other = BinaryPrimitives.ReadUInt64BigEndian(right);
        return prefix < other || (prefix == other && left[..ChunkId.Length].SequenceCompareTo(right[..ChunkId.Length]) <= 0);
    }
}
