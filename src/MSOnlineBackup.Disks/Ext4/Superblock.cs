using System.Buffers.Binary;
using System.Text;
using MSOnlineBackup.Disks.Reading;
using MSOnlineBackup.Disks.Volumes;

namespace MSOnlineBackup.Disks.Ext4;

/// <summary>What a file system says of itself: sizes, features, where its tables are.</summary>
internal sealed class Superblock
{
    /// <summary>Where it lies, and how long it is.</summary>
    public const int Offset = 1024;

    /// <inheritdoc cref="Offset"/>
    public const int Size = 1024;

    private const int ChecksumAt = 0x3FC;
    private const uint LargestLogBlockSize = 6;

    private readonly uint[] _namedCopies;

    private Superblock(VolumeSource source, ReadOnlySpan<byte> bytes)
    {
        Features = FeaturesOf(bytes);
        Features.RequireKnown(source);
        if (Features.HasChecksums && Crc32C.Add(Crc32C.Start, bytes[..ChecksumAt]) != Number(bytes, ChecksumAt))
        {
            throw source.Corrupt("the checksum of the superblock is wrong");
        }

        uint logBlockSize = Number(bytes, 0x18);
        if (logBlockSize > LargestLogBlockSize)
        {
            throw source.Corrupt($"its block size is 2 to the power of {10L + logBlockSize}");
        }

        BlockSize = 1024 << (int)logBlockSize;
        BlockCount = Number(bytes, 0x4) | (Features.Has64Bit ? (long)Number(bytes, 0x150) << 32 : 0);
        InodeCount = Number(bytes, 0x0);
        FirstDataBlock = Number(bytes, 0x14);
        BlocksPerGroup = Number(bytes, 0x20);
        InodesPerGroup = Number(bytes, 0x28);
        bool isOld = Number(bytes, 0x4C) == 0;
        InodeSize = isOld ? 128 : BinaryPrimitives.ReadUInt16LittleEndian(bytes[0x58..]);
        FirstInode = isOld ? 11 : Number(bytes, 0x54);
        DescriptorSize = Features.Has64Bit ? BinaryPrimitives.ReadUInt16LittleEndian(bytes[0xFE..]) : 32;
        FirstMetaGroup = Number(bytes, 0x104);
        JournalInode = Number(bytes, 0xE0);
        _namedCopies = [Number(bytes, 0x24C), Number(bytes, 0x250)];

        // Within a few thousand exabytes, so that the product with a block's size is a number.
        if (BlockCount is < 1 or > 1L << 46 || FirstDataBlock > 1 || FirstDataBlock >= BlockCount
            || BlocksPerGroup == 0 || InodesPerGroup == 0 || InodesPerGroup > 8 * BlockSize
            || InodeSize < 128 || InodeSize > BlockSize || (InodeSize & (InodeSize - 1)) != 0
            || DescriptorSize < (Features.Has64Bit ? 64 : 32) || DescriptorSize > BlockSize || (DescriptorSize & (DescriptorSize - 1)) != 0)
        {
            throw source.Corrupt("sizes in the superblock contradict each other");
        }

        GroupCount = (BlockCount - FirstDataBlock + BlocksPerGroup - 1) / BlocksPerGroup;
        if (InodeCount == 0 || (InodeCount - 1) / InodesPerGroup >= GroupCount)
        {
            throw source.Corrupt("the superblock counts more inodes than its groups have");
        }

        ReadOnlySpan<byte> uuid = bytes.Slice(0x68, 16);
        Id = uuid.ContainsAnyExcept((byte)0) ? new Guid(uuid, bigEndian: true).ToString() : null;
        ChecksumSeed = Features.HasChecksumSeed ? Number(bytes, 0x270) : Crc32C.Add(Crc32C.Start, uuid);
        ReadOnlySpan<byte> label = bytes.Slice(0x78, 16);
        label = label.IndexOf((byte)0) is >= 0 and int end ? label[..end] : label;
        Label = label.IsEmpty ? null : Encoding.UTF8.GetString(label);
    }

    public Ext4Features Features { get; }

    /// <summary>In bytes, 1 KiB to 64 KiB.</summary>
    public int BlockSize { get; }

    public long BlockCount { get; }

    public uint InodeCount { get; }

    /// <summary>The block that has the superblock: 1 where blocks have 1 KiB, else 0.</summary>
    public uint FirstDataBlock { get; }

    public uint BlocksPerGroup { get; }

    public uint InodesPerGroup { get; }

    public long GroupCount { get; }

    public int InodeSize { get; }

    /// <summary>The first inode that is no special one.</summary>
    public uint FirstInode { get; }

    /// <summary>Of a group's descriptor, in bytes.</summary>
    public int DescriptorSize { get; }

    /// <summary>The first block of descriptors that lies with its groups.</summary>
    public uint FirstMetaGroup { get; }

    /// <summary>0 where there is no journal in the file system.</summary>
    public uint JournalInode { get; }

    public uint ChecksumSeed { get; }

    public string? Id { get; }

    public string? Label { get; }

    /// <summary>Whether bytes from <see cref="Offset"/> on begin one.</summary>
    public static bool Is(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[0x38..]) == 0xEF53;

    public static Ext4Features FeaturesOf(ReadOnlySpan<byte> bytes) =>
        Number(bytes, 0x4C) == 0 ? default : new Ext4Features(Number(bytes, 0x5C), Number(bytes, 0x60), Number(bytes, 0x64));

    /// <summary>Reads it.</summary>
    /// <exception cref="Vaults.Errors.BackupException">VolumeCorrupt; VolumeUnsupported: a feature that is not known.</exception>
    public static async Task<Superblock> ReadAsync(VolumeSource source, CancellationToken cancellationToken)
    {
        byte[] bytes = await source.ReadAsync(Offset, Size, cancellationToken).ConfigureAwait(false);
        return Is(bytes) ? new Superblock(source, bytes) : throw source.Corrupt("it has no superblock");
    }

    /// <summary>The block with the descriptor of a group, and where in it.</summary>
    public (long Block, int Offset) DescriptorOf(long group)
    {
        int perBlock = BlockSize / DescriptorSize;
        (long number, long index) = Math.DivRem(group, perBlock);
        int offset = (int)index * DescriptorSize;
        if (!Features.HasMetaGroups || number < FirstMetaGroup)
        {
            return (FirstDataBlock + 1 + number, offset);
        }

        // With its groups: in the first of them, after the copy of the superblock where it has one.
        long first = number * perBlock;
        long copy = HasCopy(first) ? 1 : 0;
        if (BlockSize == 1024 && number == 0 && FirstDataBlock == 0)
        {
            copy++;
        }

        return (FirstDataBlock + (first * BlocksPerGroup) + copy, offset);
    }

    internal static uint Number(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);

    private bool HasCopy(long group)
    {
        return group == 0
            || (Features.HasNamedCopies ? _namedCopies.Contains((uint)group)
                : group == 1 || !Features.HasSparseCopies || IsPower(3) || IsPower(5) || IsPower(7));

        bool IsPower(long of)
        {
            long power = of;
            while (power < group)
            {
                power *= of;
            }

            return power == group;
        }
    }
}
