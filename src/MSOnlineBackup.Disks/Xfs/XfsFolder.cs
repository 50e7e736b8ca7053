using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using MSOnlineBackup.Disks.Volumes;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Disks.Xfs;

/// <summary>The entries of a folder, in the order in which they lie: the tree of hashes is not needed to read them all.</summary>
internal sealed class XfsFolder(XfsDisk disk, XfsInode inode)
{
    // Behind it are hashes.
    private const long DataEnd = 1L << 35;
    private const int ChecksumAt = 4;

    /// <summary>All entries, with "." and "..". What is in a damaged block is left out, and the damage told once all else was given.</summary>
    public async IAsyncEnumerable<XfsEntry> ListAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (inode.Format == XfsFormat.Local)
        {
            foreach (XfsEntry entry in XfsEntry.DecodeLocal(inode, disk.Superblock.HasKinds))
            {
                yield return entry;
            }

            yield break;
        }

        var map = new XfsMap(disk, inode);
        int size = disk.Superblock.FolderBlockSize;
        long perBlock = size / disk.Superblock.BlockSize;
        long end = DataEnd / disk.Superblock.BlockSize;
        long read = 0;
        var damage = new FolderDamage();
        for (long block = 0; block < end && !damage.IsTooMuch;)
        {
            (ulong? place, long count) = await map.FindAsync(block, cancellationToken).ConfigureAwait(false);
            if (place is null)
            {
                // To the block in which the hole ends.
                long next = count > end - block ? end : block + count;
                block = Math.Max(next - (next % perBlock), block - (block % perBlock) + perBlock);
                continue;
            }

            block -= block % perBlock;
            read += perBlock;
            if (read > disk.Superblock.Blocks)
            {
                throw XfsFault.Corrupt($"the folder {inode.Number} is larger than the file system");
            }

            List<XfsEntry> entries = [];
            try
            {
                entries = XfsEntry.DecodeBlock(await ReadBlockAsync(map, block, cancellationToken).ConfigureAwait(false), inode.Number, disk.HasChecksums, disk.Superblock.HasKinds);
            }
            catch (BackupException e) when (e.Id == BackupErrorId.VolumeCorrupt)
            {
                damage.Add(e);
            }

            foreach (XfsEntry entry in entries)
            {
                yield return entry;
            }

            block += perBlock;
        }

        damage.Throw();
    }

    /// <summary>The folder that it is in; null where that cannot be read.</summary>
    public async ValueTask<ulong?> ParentAsync(CancellationToken cancellationToken)
    {
        try
        {
            await foreach (XfsEntry entry in ListAsync(cancellationToken).ConfigureAwait(false))
            {
                if (!entry.IsDots || entry.Name.Length == 2)
                {
                    return entry.IsDots ? entry.Inode : null;
                }
            }
        }
        catch (BackupException e) when (e.Id == BackupErrorId.VolumeCorrupt)
        {
            // Whoever lists the folder is told.
        }

        return null;
    }

    private async ValueTask<byte[]> ReadBlockAsync(XfsMap map, long block, CancellationToken cancellationToken)
    {
        byte[] bytes = new byte[disk.Superblock.FolderBlockSize];
        int size = disk.Superblock.BlockSize;
        ulong first = 0;
        for (int done = 0; done < bytes.Length;)
        {
            (ulong? place, long count) = await map.FindAsync(block + (done / size), cancellationToken).ConfigureAwait(false);
            ulong at = place ?? throw XfsFault.Corrupt($"a block of the folder {inode.Number} has holes");
            int part = (int)Math.Min(count * size, bytes.Length - done);
            await disk.ReadBlocksAsync(at, 0, bytes.AsMemory(done, part), cancellationToken).ConfigureAwait(false);
            first = done == 0 ? at : first;
            done += part;
        }

        // It says whose it is, and where it belongs in units of 512 bytes.
        if (disk.HasChecksums && (!XfsChecksum.IsRight(bytes, ChecksumAt) || BinaryPrimitives.ReadUInt64BigEndian(bytes.AsSpan(40)) != inode.Number
            || BinaryPrimitives.ReadUInt64BigEndian(bytes.AsSpan(8)) != (ulong)disk.Superblock.OffsetOf(first, 1) / 512))
        {
            throw XfsFault.Corrupt($"a block of the folder {inode.Number} has another checksum or owner");
        }

        return bytes;
    }
}
