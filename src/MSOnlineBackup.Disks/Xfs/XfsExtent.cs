using System.Buffers.Binary;

namespace MSOnlineBackup.Disks.Xfs;

/// <summary>Blocks of a file that lie side by side.</summary>
/// <param name="Start">The first, counted from the file's first.</param>
/// <param name="Block">Where it is.</param>
/// <param name="Count">How many: 1 to 2,097,151.</param>
/// <param name="IsUnwritten">Whether they were never written: all are zeroes.</param>
internal readonly record struct XfsExtent(long Start, ulong Block, long Count, bool IsUnwritten)
{
    /// <summary>Bytes of a record.</summary>
    public const int Length = 16;

    private const int CountBits = 21;
    private const int StartShift = 9;

    /// <summary>The block after the last, counted from the file's first.</summary>
    public long End => Start + Count;

    /// <summary>Reads so many records: in order, and no block is in two of them.</summary>
    /// <param name="superblock">The file system's shape.</param>
    /// <param name="low">What none may begin before.</param>
    /// <param name="high">What none may end after.</param>
    public static XfsExtent[] DecodeAll(ReadOnlySpan<byte> bytes, int count, XfsSuperblock superblock, long low = 0, long high = long.MaxValue)
    {
        var extents = new XfsExtent[count];
        for (int i = 0; i < count; i++, bytes = bytes[Length..])
        {
            XfsExtent extent = Decode(bytes);
            if (extent.Start < low || extent.Count < 1 || extent.End > high)
            {
                throw XfsFault.Corrupt("the extents of a file are not in order");
            }

            superblock.OffsetOf(extent.Block, extent.Count);
            extents[i] = extent;
            low = extent.End;
        }

        XfsExtent[] byBlock = [.. extents.OrderBy(extent => extent.Block)];
        for (int i = 1; i < count; i++)
        {
            if (byBlock[i - 1].Block + (ulong)byBlock[i - 1].Count > byBlock[i].Block)
            {
                throw XfsFault.Corrupt("the extents of a file overlap");
            }
        }

        return extents;
    }

    private static XfsExtent Decode(ReadOnlySpan<byte> bytes)
    {
        ulong first = BinaryPrimitives.ReadUInt64BigEndian(bytes);
        ulong second = BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]);
        return new XfsExtent(
            (long)((first & (ulong)long.MaxValue) >> StartShift),
            ((first & ((1UL << StartShift) - 1)) << (64 - CountBits)) | (second >> CountBits),
            (long)(second & ((1UL << CountBits) - 1)),
            first >> 63 != 0);
    }
}
