using System.Buffers.Binary;
using MSOnlineBackup.Disks.Reading;
using MSOnlineBackup.Disks.Volumes;
using MSOnlineBackup.Platform.Items;

namespace MSOnlineBackup.Disks.Ext4;

/// <summary>Finds inodes: each group of blocks has a part of them, and a descriptor that says where.</summary>
internal sealed class InodeTable(VolumeSource source, Superblock superblock)
{
    /// <summary>The folder that holds everything.</summary>
    public const uint Root = 2;

    /// <summary>Reads an inode.</summary>
    /// <exception cref="Vaults.Errors.BackupException">VolumeCorrupt: there is none with this number, or it is damaged.</exception>
    public async ValueTask<Inode> ReadAsync(ulong number, CancellationToken cancellationToken)
    {
        if (number == 0 || number > superblock.InodeCount)
        {
            throw source.Corrupt($"there is no inode {number}");
        }

        (long group, long index) = Math.DivRem((long)number - 1, superblock.InodesPerGroup);
        long table = await TableAsync(group, cancellationToken).ConfigureAwait(false);
        byte[] bytes = await source.ReadAsync((table * superblock.BlockSize) + (index * superblock.InodeSize), superblock.InodeSize, cancellationToken).ConfigureAwait(false);
        return Inode.Parse(source, superblock, (uint)number, bytes);
    }

    /// <summary>Reads the inode that a folder's entry names, which is no special one and has a name.</summary>
    /// <exception cref="Vaults.Errors.BackupException">VolumeCorrupt.</exception>
    public async ValueTask<Inode> ReadNamedAsync(uint number, CancellationToken cancellationToken)
    {
        if (number < superblock.FirstInode)
        {
            throw source.Corrupt($"a folder names the inode {number}, which belongs to the file system");
        }

        Inode inode = await ReadAsync(number, cancellationToken).ConfigureAwait(false);

        // A folder with more names below it than can be counted has 1.
        return inode.LinkCount != 0 || inode.Kind == EntryKind.Directory ? inode : throw source.Corrupt($"a folder names the inode {number}, which was removed");
    }

    private async ValueTask<long> TableAsync(long group, CancellationToken cancellationToken)
    {
        (long block, int offset) = superblock.DescriptorOf(group);
        byte[] descriptor = await source.ReadAsync((block * superblock.BlockSize) + offset, superblock.DescriptorSize, cancellationToken).ConfigureAwait(false);
        if (superblock.Features.HasChecksums)
        {
            uint told = BinaryPrimitives.ReadUInt16LittleEndian(descriptor.AsSpan(0x1E));
            byte[] summed = [.. descriptor];
            summed.AsSpan(0x1E, 2).Clear();
            if ((Crc32C.Add(Crc32C.Add(superblock.ChecksumSeed, (uint)group), summed) & 0xFFFF) != told)
            {
                throw source.Corrupt($"the checksum of the descriptor of group {group} is wrong");
            }
        }

        long table = Superblock.Number(descriptor, 0x8) | (superblock.DescriptorSize >= 64 ? (long)Superblock.Number(descriptor, 0x28) << 32 : 0);
        return table > 0 && table < superblock.BlockCount ? table : throw source.Corrupt($"the inodes of group {group} lie outside");
    }
}
