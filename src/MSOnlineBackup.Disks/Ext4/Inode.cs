using System.Buffers.Binary;
using MSOnlineBackup.Disks.Reading;
using MSOnlineBackup.Disks.Volumes;
using MSOnlineBackup.Platform.Items;

namespace MSOnlineBackup.Disks.Ext4;

/// <summary>An item as the file system keeps it: all but its name.</summary>
internal sealed class Inode
{
    private const uint EncryptedBit = 0x800;
    private const uint IndexedBit = 0x1000;
    private const uint ExtentsBit = 0x80000;
    private const uint InlineBit = 0x1000_0000;
    private const int MapAt = 0x28;
    private const int MapLength = 60;

    private readonly byte[] _bytes;
    private readonly uint _flags;

    private Inode(VolumeSource source, Superblock superblock, uint number, byte[] bytes)
    {
        _bytes = bytes;
        Number = number;
        uint mode = BinaryPrimitives.ReadUInt16LittleEndian(bytes);
        Seed = Crc32C.Add(Crc32C.Add(superblock.ChecksumSeed, number), Superblock.Number(bytes, 0x64));
        int extra = bytes.Length > 128 ? BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(0x80)) : 0;
        if (extra > bytes.Length - 128)
        {
            throw source.Corrupt($"inode {number} is longer than it can be");
        }

        ExtraEnd = 128 + extra;
        if (superblock.Features.HasChecksums && !IsSound(bytes, Seed, hasHigh: extra >= 4))
        {
            throw source.Corrupt($"the checksum of inode {number} is wrong");
        }

        Kind = (mode & 0xF000) switch
        {
            0x8000 => EntryKind.File,
            0x4000 => EntryKind.Directory,
            0xA000 => EntryKind.SymbolicLink,
            0x1000 => EntryKind.Fifo,
            0xC000 => EntryKind.Socket,
            0x2000 => EntryKind.CharacterDevice,
            0x6000 => EntryKind.BlockDevice,
            _ => throw source.Corrupt($"inode {number} is of no kind"),
        };
        Permissions = mode & 0xFFF;
        UserId = BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(0x2)) | ((uint)BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(0x78)) << 16);
        GroupId = BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(0x18)) | ((uint)BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(0x7A)) << 16);
        LinkCount = BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(0x1A));
        _flags = Superblock.Number(bytes, 0x20);

        // The seconds have 32 bits with a sign; the lowest two bits of what was added count the times that this is over, the others are nanoseconds.
        uint more = ExtraEnd >= 0x8C ? Superblock.Number(bytes, 0x88) : 0;
        Modified = new ItemTime(BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(0x10)) + ((long)(more & 3) << 32), more >> 2);

        ulong size = Superblock.Number(bytes, 0x4);
        if (Kind == EntryKind.File || (Kind == EntryKind.Directory && superblock.Features.HasLargeFolders))
        {
            size |= (ulong)Superblock.Number(bytes, 0x6C) << 32;
        }

        if (size > (ulong)LargestSize(superblock.BlockSize) || (Kind == EntryKind.SymbolicLink && size > 65_536))
        {
            throw source.Corrupt($"inode {number} has {size} bytes, which is more than there can be");
        }

        Size = (long)size;
    }

    public uint Number { get; }

    public EntryKind Kind { get; }

    /// <summary>The lower 12 bits of the mode.</summary>
    public uint Permissions { get; }

    public uint UserId { get; }

    public uint GroupId { get; }

    public uint LinkCount { get; }

    /// <summary>In bytes.</summary>
    public long Size { get; }

    public ItemTime Modified { get; }

    /// <summary>What the checksums of its blocks begin with.</summary>
    public uint Seed { get; }

    /// <summary>Where in its bytes the fields end, and attributes begin.</summary>
    public int ExtraEnd { get; }

    public bool IsEncrypted => (_flags & EncryptedBit) != 0;

    /// <summary>Whether a folder has an index of its names.</summary>
    public bool IsIndexed => (_flags & IndexedBit) != 0;

    public bool HasExtents => (_flags & ExtentsBit) != 0;

    /// <summary>Whether its content is in the inode.</summary>
    public bool IsInline => (_flags & InlineBit) != 0;

    /// <summary>Whether a link's target is where other inodes say which blocks they have.</summary>
    public bool IsFastLink => Kind == EntryKind.SymbolicLink && Size < MapLength && !HasExtents && !IsInline;

    /// <summary>The 60 bytes that say which blocks it has, or are its content.</summary>
    public ReadOnlyMemory<byte> Map => _bytes.AsMemory(MapAt, MapLength);

    /// <summary>All its bytes.</summary>
    public ReadOnlyMemory<byte> Bytes => _bytes;

    /// <summary>Reads one from its bytes.</summary>
    /// <exception cref="Vaults.Errors.BackupException">VolumeCorrupt.</exception>
    public static Inode Parse(VolumeSource source, Superblock superblock, uint number, byte[] bytes) => new(source, superblock, number, bytes);

    /// <summary>It as an item with a name.</summary>
    public VolumeItem ToItem(ReadOnlyMemory<byte> name) =>
        new(Number, name, Kind, Kind is EntryKind.File or EntryKind.SymbolicLink ? Size : 0, Modified)
        {
            Permissions = Permissions,
            UserId = UserId,
            GroupId = GroupId,
            LinkCount = LinkCount,
        };

    // Extents count blocks in 32 bits; the older lists end before that.
    private static long LargestSize(int blockSize) => (1L << 32) * blockSize;

    private static bool IsSound(ReadOnlySpan<byte> bytes, uint seed, bool hasHigh)
    {
        Span<byte> copy = stackalloc byte[bytes.Length <= 1024 ? bytes.Length : 0];
        copy = copy.IsEmpty ? new byte[bytes.Length] : copy;
        bytes.CopyTo(copy);
        copy.Slice(0x7C, 2).Clear();
        uint told = BinaryPrimitives.ReadUInt16LittleEndian(bytes[0x7C..]);
        if (hasHigh)
        {
            copy.Slice(0x82, 2).Clear();
            told |= (uint)BinaryPrimitives.ReadUInt16LittleEndian(bytes[0x82..]) << 16;
        }

        uint sum = Crc32C.Add(seed, copy);
        return told == (hasHigh ? sum : sum & 0xFFFF);
    }
}
