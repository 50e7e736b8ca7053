using System.Buffers.Binary;
using System.Text;

namespace MSOnlineBackup.Disks.Xfs;

/// <summary>The first sector of an XFS file system: its shape.</summary>
internal sealed record XfsSuperblock
{
    /// <summary>How many bytes of the disk it is read from: the largest sector.</summary>
    public const int MaxLength = 32 << 10;

    private const int Length = 264;
    private const int ChecksumAt = 224;
    private const int HasFolders2 = 0x2000;
    private const int HasMoreBits = 0x8000;
    private const int IgnoresCaseFlag = 0x4000;
    private const uint KindInFolders4 = 0x200;
    private const uint KindInFolders5 = 0x1;
    private const uint NeedsRepairFlag = 0x10;
    private const uint MetaIdFlag = 0x4;
    private const uint LogFeatures = 0x1;

    // In the order of their bits. Those without a name are no hindrance to a reader.
    private static readonly string?[] _features = [null, null, null, null, null, null, null, null, "metadir", "zoned", "zone gaps"];

    /// <summary>4, or 5, which has checksums.</summary>
    public required int Version { get; init; }

    /// <summary>Bytes of a block: 512 to 64 KiB.</summary>
    public required int BlockSize { get; init; }

    /// <summary>How many blocks there are.</summary>
    public required long Blocks { get; init; }

    /// <summary>How many blocks an allocation group has; the last may have fewer.</summary>
    public required uint GroupBlocks { get; init; }

    /// <summary>How many groups there are.</summary>
    public required uint Groups { get; init; }

    /// <summary>How many bits of a block's number are its place in its group.</summary>
    public required int GroupBits { get; init; }

    /// <summary>Bytes of an inode: 256 to 2048.</summary>
    public required int InodeSize { get; init; }

    /// <summary>How many bits of an inode's number are its place in its block.</summary>
    public required int InodeBits { get; init; }

    /// <summary>Bytes of a block of a folder: to 64 KiB.</summary>
    public required int FolderBlockSize { get; init; }

    /// <summary>Whether folders tell the kinds of what they hold.</summary>
    public required bool HasKinds { get; init; }

    /// <summary>Whether names are compared without the case of ASCII letters.</summary>
    public required bool IgnoresCase { get; init; }

    /// <summary>Whether a repair was begun and not ended.</summary>
    public required bool NeedsRepair { get; init; }

    /// <summary>The root folder's inode.</summary>
    public required ulong Root { get; init; }

    /// <summary>The block at which the log begins; 0: it is on another disk.</summary>
    public required ulong Log { get; init; }

    /// <summary>How many blocks the log has.</summary>
    public required uint LogBlocks { get; init; }

    /// <summary>The label; empty for none.</summary>
    public required string Label { get; init; }

    public required Guid Id { get; init; }

    /// <summary>The id that its structures have; another one where its own was changed.</summary>
    public required Guid MetaId { get; init; }

    /// <summary>Features of what is in the log, as bits, that are not known.</summary>
    public required uint UnknownLogFeatures { get; init; }

    /// <summary>Whether it is one.</summary>
    public static bool IsOne(ReadOnlySpan<byte> bytes) => bytes.Length >= Length && bytes[..4].SequenceEqual("XFSB"u8);

    /// <summary>Reads it.</summary>
    /// <exception cref="Vaults.Errors.BackupException">VolumeCorrupt, VolumeUnsupported.</exception>
    public static XfsSuperblock Decode(ReadOnlySpan<byte> bytes)
    {
        int flags = BinaryPrimitives.ReadUInt16BigEndian(bytes[100..]);
        int version = flags & 0xF;
        int sector = BinaryPrimitives.ReadUInt16BigEndian(bytes[102..]);
        if (version is not (4 or 5) || (version == 4 && (flags & HasFolders2) == 0))
        {
            throw XfsFault.Unsupported($"it is of version {version}{((flags & HasFolders2) == 0 ? ", with folders of version 1" : "")}");
        }

        if (version == 5)
        {
            if (sector is < 512 or > MaxLength || sector > bytes.Length || !XfsChecksum.IsRight(bytes[..sector], ChecksumAt))
            {
                throw XfsFault.Corrupt("its superblock has another checksum");
            }

            CheckFeatures(BinaryPrimitives.ReadUInt32BigEndian(bytes[216..]));
        }

        uint incompatible = version == 5 ? BinaryPrimitives.ReadUInt32BigEndian(bytes[216..]) : 0;
        uint more = (flags & HasMoreBits) == 0 ? 0 : BinaryPrimitives.ReadUInt32BigEndian(bytes[200..]);
        int blockBits = bytes[120];
        int folderBits = blockBits + bytes[192];
        int inodeBits = bytes[122];
        var superblock = new XfsSuperblock
        {
            Version = version,
            BlockSize = blockBits is >= 9 and <= 16 ? 1 << blockBits : 0,
            Blocks = BinaryPrimitives.ReadInt64BigEndian(bytes[8..]),
            GroupBlocks = BinaryPrimitives.ReadUInt32BigEndian(bytes[84..]),
            Groups = BinaryPrimitives.ReadUInt32BigEndian(bytes[88..]),
            GroupBits = bytes[124],
            InodeSize = inodeBits is >= 8 and <= 11 ? 1 << inodeBits : 0,
            InodeBits = blockBits - inodeBits,
            FolderBlockSize = folderBits is >= 9 and <= 16 ? 1 << folderBits : 0,
            HasKinds = version == 5 ? (incompatible & KindInFolders5) != 0 : (more & KindInFolders4) != 0,
            IgnoresCase = (flags & IgnoresCaseFlag) != 0,
            NeedsRepair = (incompatible & NeedsRepairFlag) != 0,
            Root = BinaryPrimitives.ReadUInt64BigEndian(bytes[56..]),
            Log = BinaryPrimitives.ReadUInt64BigEndian(bytes[48..]),
            LogBlocks = BinaryPrimitives.ReadUInt32BigEndian(bytes[96..]),
            Label = Encoding.UTF8.GetString(bytes.Slice(108, 12)).TrimEnd('\0'),
            Id = new Guid(bytes.Slice(32, 16), bigEndian: true),
            MetaId = new Guid(bytes.Slice((incompatible & MetaIdFlag) != 0 ? 248 : 32, 16), bigEndian: true),
            UnknownLogFeatures = version == 5 ? BinaryPrimitives.ReadUInt32BigEndian(bytes[220..]) & ~LogFeatures : 0,
        };
        superblock.Check(BinaryPrimitives.ReadUInt32BigEndian(bytes[4..]));
        return superblock;
    }

    /// <summary>Where a block is on the disk, in bytes.</summary>
    /// <param name="block">Its number: a group, and the place in it.</param>
    /// <param name="count">How many blocks there must be from it on.</param>
    public long OffsetOf(ulong block, long count)
    {
        ulong group = block >> GroupBits;
        ulong place = block & ((1UL << GroupBits) - 1);
        long linear = group < Groups && place < GroupBlocks ? ((long)group * GroupBlocks) + (long)place : long.MaxValue;
        return count >= 1 && count <= GroupBlocks - (long)place && linear <= Blocks - count
            ? linear * BlockSize
            : throw XfsFault.Corrupt($"{count} blocks from {block} on lie outside");
    }

    /// <summary>Where an inode is on the disk, in bytes.</summary>
    public long OffsetOfInode(ulong number) =>
        OffsetOf(number >> InodeBits, 1) + ((long)(number & ((1UL << InodeBits) - 1)) * InodeSize);

    private static void CheckFeatures(uint incompatible)
    {
        for (int bit = 0; bit < 32; bit++)
        {
            string? name = bit < _features.Length ? _features[bit] : $"0x{1u << bit:x}";
            if ((incompatible & (1u << bit)) != 0 && name is not null)
            {
                throw XfsFault.Unsupported($"it has the feature '{name}'");
            }
        }
    }

    private void Check(uint blockSize)
    {
        bool isSound = BlockSize > 0 && blockSize == BlockSize && InodeSize > 0 && InodeBits is >= 0 and <= 8 && FolderBlockSize > 0
            && GroupBits is >= 1 and <= 31 && GroupBlocks >= 1 && GroupBlocks <= 1u << GroupBits && Groups >= 1
            && Blocks >= 1 && Blocks <= long.MaxValue / BlockSize && Blocks <= (long)Groups * GroupBlocks;
        if (!isSound)
        {
            throw XfsFault.Corrupt("the sizes in its superblock contradict each other");
        }
    }
}
