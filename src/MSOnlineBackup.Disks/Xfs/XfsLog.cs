using System.Buffers.Binary;

namespace MSOnlineBackup.Disks.Xfs;

/// <summary>The end of the log, which says whether the file system was let go.</summary>
/// <param name="disk">The file system; its log is on it.</param>
internal sealed class XfsLog(XfsDisk disk)
{
    private const int Sector = 512;
    private const int HeaderSpan = 32 << 10;
    private const int UnmountFlag = 0x20;

    // The header of the record before the end lies so near.
    private const int LookBack = 1024;

    private readonly long _start = disk.Superblock.OffsetOf(disk.Superblock.Log, disk.Superblock.LogBlocks);
    private readonly long _sectors = (long)disk.Superblock.LogBlocks * disk.Superblock.BlockSize / Sector;

    /// <summary>Whether its last record is that of an unmount: all that it tells of is in its place.</summary>
    public async ValueTask<bool> IsCleanAsync(CancellationToken cancellationToken)
    {
        long end = await FindEndAsync(cancellationToken).ConfigureAwait(false);

        // One that was never written; mkfs writes the record of an unmount.
        if (end == 0 && await CycleAsync(0, cancellationToken).ConfigureAwait(false) == 0)
        {
            return true;
        }

        end = end == 0 ? _sectors : end;
        int count = (int)Math.Min(LookBack, end);
        byte[] bytes = new byte[count * Sector];
        await disk.ReadAsync(_start + ((end - count) * Sector), bytes, cancellationToken).ConfigureAwait(false);
        for (int i = count - 1; i >= 0; i--)
        {
            ReadOnlySpan<byte> header = bytes.AsSpan(i * Sector, Sector);
            if (BinaryPrimitives.ReadUInt32BigEndian(header) == 0xFEED_BABE)
            {
                uint size = BinaryPrimitives.ReadUInt32BigEndian(header[320..]);
                long headers = BinaryPrimitives.ReadUInt32BigEndian(header[8..]) == 2 && size > HeaderSpan ? (size + HeaderSpan - 1L) / HeaderSpan : 1;
                return BinaryPrimitives.ReadUInt32BigEndian(header[40..]) == 1 && i + headers < count
                    && (bytes[((i + (int)headers) * Sector) + 9] & UnmountFlag) != 0;
            }
        }

        return false;
    }

    // The log goes round: sectors before the end have been written once more often than those behind it.
    private async ValueTask<long> FindEndAsync(CancellationToken cancellationToken)
    {
        uint first = await CycleAsync(0, cancellationToken).ConfigureAwait(false);
        (long from, long to) = (0, _sectors);
        while (from < to)
        {
            long middle = (from + to) / 2;
            (from, to) = await CycleAsync(middle, cancellationToken).ConfigureAwait(false) == first ? (middle + 1, to) : (from, middle);
        }

        return from == _sectors ? 0 : from;
    }

    private async ValueTask<uint> CycleAsync(long sector, CancellationToken cancellationToken)
    {
        byte[] bytes = new byte[8];
        await disk.ReadAsync(_start + (sector * Sector), bytes, cancellationToken).ConfigureAwait(false);
        uint word = BinaryPrimitives.ReadUInt32BigEndian(bytes);
        return word == 0xFEED_BABE ? BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(4)) : word;
    }
}
