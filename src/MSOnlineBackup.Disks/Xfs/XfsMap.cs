using System.Buffers.Binary;

namespace MSOnlineBackup.Disks.Xfs;

/// <summary>Where the blocks of a file are: a list in its inode, or a tree of which only one leaf is held. Thread-safe.</summary>
internal sealed class XfsMap
{
    private const int DeepestTree = 16;
    private const int ShortHeader = 24;
    private const int LongHeader = 72;
    private const int ChecksumAt = 64;
    private const int RootHeader = 4;

    private readonly XfsDisk _disk;
    private readonly XfsInode _inode;
    private Leaf? _last;

    /// <summary>That of an inode whose data are in blocks.</summary>
    /// <exception cref="Vaults.Errors.BackupException">VolumeCorrupt.</exception>
    public XfsMap(XfsDisk disk, XfsInode inode)
    {
        _disk = disk;
        _inode = inode;
        if (inode.Format == XfsFormat.Extents)
        {
            _last = inode.Extents <= (ulong)inode.Fork.Length / XfsExtent.Length
                ? new Leaf(0, long.MaxValue, XfsExtent.DecodeAll(inode.Fork.Span, (int)inode.Extents, disk.Superblock))
                : throw XfsFault.Corrupt($"inode {inode.Number} has {inode.Extents} extents");
        }
        else if (inode.Format != XfsFormat.Tree)
        {
            throw XfsFault.Corrupt($"inode {inode.Number} has no extents");
        }
    }

    /// <summary>The extent that a block is in, from that block on; a hole to the next one: without a place.</summary>
    /// <param name="block">Counted from the file's first.</param>
    /// <returns>Where it is, null for zeroes; and for how many blocks that is so.</returns>
    public async ValueTask<(ulong? Block, long Count)> FindAsync(long block, CancellationToken cancellationToken)
    {
        (XfsExtent extent, bool isHole) = await LookUpAsync(block, cancellationToken).ConfigureAwait(false);
        return isHole ? (null, extent.Count) : (extent.IsUnwritten ? null : extent.Block, extent.Count);
    }

    /// <summary>The extent or hole that a block is in, from that block on.</summary>
    public async ValueTask<(XfsExtent Extent, bool IsHole)> LookUpAsync(long block, CancellationToken cancellationToken)
    {
        Leaf? leaf = _last;
        if (leaf is null || block < leaf.Low || block >= leaf.High)
        {
            leaf = await DescendAsync(block, cancellationToken).ConfigureAwait(false);
            _last = leaf;
        }

        (int from, int to) = (0, leaf.Extents.Length);
        while (from < to)
        {
            int middle = (from + to) / 2;
            (from, to) = leaf.Extents[middle].End <= block ? (middle + 1, to) : (from, middle);
        }

        if (from == leaf.Extents.Length || leaf.Extents[from].Start > block)
        {
            long end = from == leaf.Extents.Length ? leaf.High : leaf.Extents[from].Start;
            return (new XfsExtent(block, 0, end - block, IsUnwritten: true), true);
        }

        XfsExtent extent = leaf.Extents[from];
        long skip = block - extent.Start;
        return (extent with { Start = block, Block = extent.Block + (ulong)skip, Count = extent.Count - skip }, false);
    }

    // Each level is one less than that above it: there are no circles.
    private async ValueTask<Leaf> DescendAsync(long block, CancellationToken cancellationToken)
    {
        ReadOnlyMemory<byte> root = _inode.Fork;
        int level = root.Length < RootHeader ? 0 : BinaryPrimitives.ReadUInt16BigEndian(root.Span);
        if (level is < 1 or > DeepestTree)
        {
            throw XfsFault.Corrupt($"the tree of inode {_inode.Number} has {level} levels");
        }

        (long low, long high) = (0, long.MaxValue);
        ulong next = Choose(root.Span[RootHeader..], BinaryPrimitives.ReadUInt16BigEndian(root.Span[2..]), block, ref low, ref high);
        int header = _disk.HasChecksums ? LongHeader : ShortHeader;
        while (true)
        {
            byte[] bytes = new byte[_disk.Superblock.BlockSize];
            await _disk.ReadBlocksAsync(next, 0, bytes, cancellationToken).ConfigureAwait(false);
            Check(bytes, --level, next);
            int count = BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(6));
            if (level > 0)
            {
                next = Choose(bytes.AsSpan(header), count, block, ref low, ref high);
                continue;
            }

            return count <= (bytes.Length - header) / XfsExtent.Length
                ? new Leaf(low, high, XfsExtent.DecodeAll(bytes.AsSpan(header), count, _disk.Superblock, low, high))
                : throw XfsFault.Corrupt($"a block of the tree of inode {_inode.Number} has {count} extents");
        }
    }

    // Keys, and behind the room for all of them as many places. What is before the first key is a hole.
    private ulong Choose(ReadOnlySpan<byte> bytes, int count, long block, ref long low, ref long high)
    {
        int room = bytes.Length / 16;
        if (count < 1 || count > room)
        {
            throw XfsFault.Corrupt($"a block of the tree of inode {_inode.Number} has {count} entries");
        }

        int chosen = 0;
        long end = high;
        long before = -1;
        for (int i = 0; i < count; i++)
        {
            long key = BinaryPrimitives.ReadInt64BigEndian(bytes[(i * 8)..]);
            if (key <= before || key >= end || (i > 0 && key < low))
            {
                throw XfsFault.Corrupt($"the keys of the tree of inode {_inode.Number} are not in order");
            }

            before = key;
            if (i > 0 && key <= block)
            {
                (chosen, low) = (i, key);
            }
            else if (i > 0)
            {
                high = key;
                break;
            }
        }

        return BinaryPrimitives.ReadUInt64BigEndian(bytes[((room * 8) + (chosen * 8))..]);
    }

    private void Check(ReadOnlySpan<byte> bytes, int level, ulong block)
    {
        bool isSound = bytes[..4].SequenceEqual(_disk.HasChecksums ? "BMA3"u8 : "BMAP"u8) && BinaryPrimitives.ReadUInt16BigEndian(bytes[4..]) == level;
        if (isSound && _disk.HasChecksums)
        {
            isSound = XfsChecksum.IsRight(bytes, ChecksumAt) && BinaryPrimitives.ReadUInt64BigEndian(bytes[56..]) == _inode.Number;
        }

        if (!isSound)
        {
            throw XfsFault.Corrupt($"block {block} is not of the tree of inode {_inode.Number}");
        }
    }

    private sealed record Leaf(long Low, long High, XfsExtent[] Extents);
}
