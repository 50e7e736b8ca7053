namespace MSOnlineBackup.Disks.Xfs;

/// <summary>The bytes of a file or a link. Thread-safe.</summary>
internal sealed class XfsContent
{
    private readonly ReadOnlyMemory<byte> _value;
    private readonly XfsDisk? _disk;
    private readonly XfsMap? _map;
    private readonly long _length;

    /// <summary>One whose bytes are at hand.</summary>
    public XfsContent(ReadOnlyMemory<byte> value)
    {
        _value = value;
        _length = value.Length;
    }

    /// <summary>One whose bytes are in blocks.</summary>
    public XfsContent(XfsDisk disk, XfsInode inode)
    {
        _disk = disk;
        _map = new XfsMap(disk, inode);
        _length = inode.Length;
    }

    /// <summary>Reads: as many as there are, and have room.</summary>
    public async ValueTask<int> ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        if (offset >= _length)
        {
            return 0;
        }

        int count = (int)Math.Min(destination.Length, _length - offset);
        if (_map is null)
        {
            _value.Slice((int)offset, count).CopyTo(destination);
            return count;
        }

        int size = _disk!.Superblock.BlockSize;
        for (int done = 0; done < count;)
        {
            (long block, long skip) = Math.DivRem(offset + done, size);
            (ulong? place, long blocks) = await _map.FindAsync(block, cancellationToken).ConfigureAwait(false);

            // A hole may have no end.
            long bytes = blocks > long.MaxValue / size ? long.MaxValue : blocks * size;
            int part = (int)Math.Min(count - done, bytes - skip);
            if (place is ulong at)
            {
                await _disk.ReadBlocksAsync(at, skip, destination.Slice(done, part), cancellationToken).ConfigureAwait(false);
            }
            else
            {
                destination.Span.Slice(done, part).Clear();
            }

            done += part;
        }

        return count;
    }
}
