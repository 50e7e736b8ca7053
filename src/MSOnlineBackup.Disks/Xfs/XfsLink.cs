using System.Buffers.Binary;

namespace MSOnlineBackup.Disks.Xfs;

/// <summary>The target of a symbolic link.</summary>
internal static class XfsLink
{
    private const int LongestTarget = 1024;
    private const int Header = 56;
    private const int ChecksumAt = 12;

    /// <summary>Reads it: in the inode, or in blocks, which in version 5 have a header for each extent.</summary>
    public static async ValueTask<byte[]> ReadAsync(XfsDisk disk, XfsInode inode, CancellationToken cancellationToken)
    {
        if (inode.Length is < 1 or > LongestTarget)
        {
            throw XfsFault.Corrupt($"the link {inode.Number} has a target of {inode.Length} bytes");
        }

        if (inode.Format == XfsFormat.Local)
        {
            return inode.Length <= inode.Fork.Length
                ? inode.Fork[..(int)inode.Length].ToArray()
                : throw XfsFault.Corrupt($"the target of the link {inode.Number} lies beyond it");
        }

        byte[] target = new byte[inode.Length];
        var map = new XfsMap(disk, inode);
        int size = disk.Superblock.BlockSize;
        long block = 0;
        for (int done = 0; done < target.Length;)
        {
            (ulong? place, long blocks) = await map.FindAsync(block, cancellationToken).ConfigureAwait(false);
            if (place is not ulong at)
            {
                throw XfsFault.Corrupt($"the target of the link {inode.Number} has holes");
            }

            int header = disk.HasChecksums ? Header : 0;
            blocks = Math.Min(blocks, (target.Length - done + header + size - 1) / size);
            byte[] bytes = new byte[blocks * size];
            await disk.ReadBlocksAsync(at, 0, bytes, cancellationToken).ConfigureAwait(false);
            int count = Math.Min(target.Length - done, bytes.Length - header);
            if (disk.HasChecksums)
            {
                Check(bytes, inode.Number, done, count);
            }

            bytes.AsSpan(header, count).CopyTo(target.AsSpan(done));
            done += count;
            block += blocks;
        }

        return target;
    }

    private static void Check(ReadOnlySpan<byte> bytes, ulong inode, int offset, int count)
    {
        if (!bytes[..4].SequenceEqual("XSLM"u8) || !XfsChecksum.IsRight(bytes, ChecksumAt) || BinaryPrimitives.ReadUInt64BigEndian(bytes[32..]) != inode
            || BinaryPrimitives.ReadUInt32BigEndian(bytes[4..]) != offset || BinaryPrimitives.ReadUInt32BigEndian(bytes[8..]) != count)
        {
            throw XfsFault.Corrupt($"the target of the link {inode} has another checksum or owner");
        }
    }
}
