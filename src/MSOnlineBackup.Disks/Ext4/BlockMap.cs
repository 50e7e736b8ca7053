using MSOnlineBackup.Disks.Volumes;

namespace MSOnlineBackup.Disks.Ext4;

/// <summary>Which blocks hold the content of an inode: by a tree of extents, or by the older lists of blocks.</summary>
internal sealed class BlockMap(VolumeSource source, Superblock superblock)
{
    private const int Direct = 12;

    private readonly ExtentTree _extents = new(source, superblock);

    /// <summary>The run of blocks that begins with one of an inode's.</summary>
    /// <param name="inode">The inode, whose content is not in itself.</param>
    /// <param name="block">Which of its blocks, from 0.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="Vaults.Errors.BackupException">VolumeCorrupt.</exception>
    public ValueTask<BlockRun> FindAsync(Inode inode, long block, CancellationToken cancellationToken) =>
        inode.HasExtents ? _extents.FindAsync(inode, block, cancellationToken) : FindInListsAsync(inode, block, cancellationToken);

    /// <summary>Fills the destination with an inode's content, from an offset on that lies with all of it within the inode's blocks.</summary>
    /// <exception cref="Vaults.Errors.BackupException">VolumeCorrupt.</exception>
    public async ValueTask ReadAsync(Inode inode, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        while (!destination.IsEmpty)
        {
            (long block, long within) = Math.DivRem(offset, superblock.BlockSize);
            BlockRun run = await FindAsync(inode, block, cancellationToken).ConfigureAwait(false);
            int count = (int)Math.Min(destination.Length, (run.Count * superblock.BlockSize) - within);
            if (run.IsHole)
            {
                destination.Span[..count].Clear();
            }
            else
            {
                await source.ReadAsync((run.Start * superblock.BlockSize) + within, destination[..count], cancellationToken).ConfigureAwait(false);
            }

            (offset, destination) = (offset + count, destination[count..]);
        }
    }

    // Twelve blocks, and three that list blocks: directly, through lists, and through lists of lists.
    private async ValueTask<BlockRun> FindInListsAsync(Inode inode, long block, CancellationToken cancellationToken)
    {
        long perBlock = superblock.BlockSize / sizeof(uint);
        if (block < Direct)
        {
            return Run(inode, inode.Map.Span[..(Direct * sizeof(uint))], (int)block);
        }

        long index = block - Direct;
        long span = perBlock;
        int level = 0;
        while (index >= span)
        {
            index -= span;
            span *= perBlock;
            if (++level == 3)
            {
                throw source.Corrupt($"inode {inode.Number} has no block {block}");
            }
        }

        uint list = Superblock.Number(inode.Map.Span, (Direct + level) * sizeof(uint));
        while (list != 0)
        {
            Check(inode, list, 1);
            byte[] entries = await source.ReadAsync((long)list * superblock.BlockSize, superblock.BlockSize, cancellationToken).ConfigureAwait(false);
            span /= perBlock;
            (long at, index) = Math.DivRem(index, span);
            if (span == 1)
            {
                return Run(inode, entries, (int)at);
            }

            list = Superblock.Number(entries, (int)at * sizeof(uint));
        }

        return BlockRun.Hole(span - index);
    }

    // As many as follow each other, on the disk as in the file.
    private BlockRun Run(Inode inode, ReadOnlySpan<byte> list, int at)
    {
        uint first = Superblock.Number(list, at * sizeof(uint));
        int count = 1;
        while (at + count < list.Length / sizeof(uint))
        {
            uint next = Superblock.Number(list, (at + count) * sizeof(uint));
            if (first == 0 ? next != 0 : next != (long)first + count)
            {
                break;
            }

            count++;
        }

        if (first == 0)
        {
            return BlockRun.Hole(count);
        }

        Check(inode, first, count);
        return new BlockRun(first, count);
    }

    private void Check(Inode inode, long start, long count)
    {
        if (start < superblock.FirstDataBlock || start + count > superblock.BlockCount)
        {
            throw source.Corrupt($"inode {inode.Number} has block {start}, which is outside");
        }
    }
}
