using System.Buffers.Binary;
using MSOnlineBackup.Disks.Reading;
using MSOnlineBackup.Disks.Volumes;

namespace MSOnlineBackup.Disks.Ext4;

/// <summary>The tree of extents of an inode: nodes of a header and sorted entries of 12 bytes each; the first node is in the inode.</summary>
internal sealed class ExtentTree(VolumeSource source, Superblock superblock)
{
    private const int EntryLength = 12;
    private const int Deepest = 5;
    private const int LongestWritten = 32_768;

    /// <inheritdoc cref="BlockMap.FindAsync"/>
    public async ValueTask<BlockRun> FindAsync(Inode inode, long block, CancellationToken cancellationToken)
    {
        ReadOnlyMemory<byte> node = inode.Map;

        // What lies between is this node's; what an entry says beyond it belongs to the neighbours.
        long low = 0;
        long high = 1L << 32;
        for (int depth = -1; ;)
        {
            int found = Depth(inode, node.Span, low);
            if (depth >= 0 ? found != depth - 1 : found > Deepest)
            {
                throw Damaged(inode, "has a node at the wrong depth");
            }

            depth = found;
            (int index, int count) = Search(node.Span, block);
            if (index + 1 < count)
            {
                high = Math.Min(high, First(node.Span, index + 1));
            }

            if (index < 0)
            {
                return BlockRun.Hole(high - block);
            }

            if (depth == 0)
            {
                return Leaf(inode, node.Span, index, block, high);
            }

            low = First(node.Span, index);
            ReadOnlyMemory<byte> entry = node.Slice(EntryLength * (index + 1), EntryLength);
            node = await NodeAsync(inode, Superblock.Number(entry.Span, 4) | ((long)BinaryPrimitives.ReadUInt16LittleEndian(entry.Span[8..]) << 32), cancellationToken).ConfigureAwait(false);
        }
    }

    // The node's depth, once its entries are known to be in order and within it.
    private int Depth(Inode inode, ReadOnlySpan<byte> node, long low)
    {
        int count = BinaryPrimitives.ReadUInt16LittleEndian(node[2..]);
        int room = BinaryPrimitives.ReadUInt16LittleEndian(node[4..]);
        int depth = BinaryPrimitives.ReadUInt16LittleEndian(node[6..]);
        if (BinaryPrimitives.ReadUInt16LittleEndian(node) != 0xF30A || count > room || (room + 1) * EntryLength > node.Length)
        {
            throw Damaged(inode, "has a node that is none");
        }

        long last = low;
        for (int i = 0; i < count; i++)
        {
            long first = First(node, i);
            if (first < last)
            {
                throw Damaged(inode, "has extents that overlap");
            }

            last = first + (depth == 0 ? Length(node, i).Count : 1);
        }

        return depth;
    }

    private BlockRun Leaf(Inode inode, ReadOnlySpan<byte> node, int index, long block, long high)
    {
        long first = First(node, index);
        (int length, bool isWritten) = Length(node, index);
        if (length == 0)
        {
            throw Damaged(inode, "has an extent without blocks");
        }

        if (block >= first + length)
        {
            return BlockRun.Hole(high - block);
        }

        ReadOnlySpan<byte> entry = node.Slice(EntryLength * (index + 1), EntryLength);
        long start = Superblock.Number(entry, 8) | ((long)BinaryPrimitives.ReadUInt16LittleEndian(entry[6..]) << 32);
        if (start == 0 || start < superblock.FirstDataBlock || start + length > superblock.BlockCount)
        {
            throw Damaged(inode, FormattableString.Invariant($"has block {start}, which is outside"));
        }

        long count = Math.Min(first + length, high) - block;
        return isWritten ? new BlockRun(start + block - first, count) : BlockRun.Hole(count);
    }

    private async ValueTask<ReadOnlyMemory<byte>> NodeAsync(Inode inode, long block, CancellationToken cancellationToken)
    {
        if (block <= 0 || block >= superblock.BlockCount)
        {
            throw Damaged(inode, "has a node outside");
        }

        byte[] node = await source.ReadAsync(block * superblock.BlockSize, superblock.BlockSize, cancellationToken).ConfigureAwait(false);
        if (superblock.Features.HasChecksums)
        {
            int end = EntryLength * (1 + BinaryPrimitives.ReadUInt16LittleEndian(node.AsSpan(4)));
            if (end + sizeof(uint) > node.Length || Crc32C.Add(inode.Seed, node.AsSpan(0, end)) != Superblock.Number(node, end))
            {
                throw Damaged(inode, "has a node with a wrong checksum");
            }
        }

        return node;
    }

    // The last entry that does not begin after the block; -1 where all do.
    private static (int Index, int Count) Search(ReadOnlySpan<byte> node, long block)
    {
        int count = BinaryPrimitives.ReadUInt16LittleEndian(node[2..]);
        int low = 0;
        int high = count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = First(node, middle) <= block ? (middle + 1, high) : (low, middle);
        }

        return (low - 1, count);
    }

    private static long First(ReadOnlySpan<byte> node, int index) => Superblock.Number(node, EntryLength * (index + 1));

    private static (int Count, bool IsWritten) Length(ReadOnlySpan<byte> node, int index)
    {
        int length = BinaryPrimitives.ReadUInt16LittleEndian(node[((EntryLength * (index + 1)) + 4)..]);
        return length <= LongestWritten ? (length, true) : (length - LongestWritten, false);
    }

    private Vaults.Errors.BackupException Damaged(Inode inode, string how) => source.Corrupt($"inode {inode.Number} {how}");
}
