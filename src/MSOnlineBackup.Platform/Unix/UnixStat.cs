using MSOnlineBackup.Platform.Items;

namespace MSOnlineBackup.Platform.Unix;

/// <summary>What one stat told, in the same form for Linux and macOS.</summary>
internal struct UnixStat
{
    /// <summary>st_mode with the file type.</summary>
    public uint Mode;
    public uint UserId;
    public uint GroupId;
    public uint LinkCount;

    /// <summary>The device, as (major &lt;&lt; 32 | minor).</summary>
    public ulong Device;

    /// <summary>For a device node the device it stands for, as (major &lt;&lt; 32 | minor).</summary>
    public ulong DeviceNumber;
    public ulong Inode;
    public long Size;

    /// <summary>Allocated blocks of 512 bytes.</summary>
    public long Blocks;
    public ItemTime Modified;
    public ItemTime Changed;

    /// <summary>Creation time; null where the file system keeps none.</summary>
    public ItemTime? Created;

    /// <summary>The mount that the item is on; 0 where the system does not tell.</summary>
    public ulong MountId;

    /// <summary>Whether the file system keeps it encrypted under a key of its own (fscrypt).</summary>
    public bool IsEncrypted;

    /// <summary>BSD file flags. On Linux those that forbid changes (immutable, append only) alone: all of them cost a call of their own.</summary>
    public uint Flags;

    private const uint TypeMask = 0xF000;

    // SF_DATALESS of macOS.
    private const uint DatalessFlag = 0x4000_0000;

    /// <summary>Whether the content is in a cloud, and would be fetched from there by opening it.</summary>
    public readonly bool IsPlaceholder => (Flags & DatalessFlag) != 0;

    /// <summary>From now on it counts as an item that is here: opening it may fetch the content.</summary>
    public void TakeForPresent() => Flags &= ~DatalessFlag;

    /// <summary>What it is. A type that has no kind of its own (a whiteout, a door) is a character device without content.</summary>
    public readonly EntryKind Kind => (Mode & TypeMask) switch
    {
        0x8000 => EntryKind.File,
        0x4000 => EntryKind.Directory,
        0xA000 => EntryKind.SymbolicLink,
        0x1000 => EntryKind.Fifo,
        0xC000 => EntryKind.Socket,
        0x6000 => EntryKind.BlockDevice,
        _ => EntryKind.CharacterDevice,
    };

    /// <summary>The file type bits of st_mode for a kind.</summary>
    public static uint TypeOf(EntryKind kind) => kind switch
    {
        EntryKind.File => 0x8000,
        EntryKind.Directory => 0x4000,
        EntryKind.SymbolicLink => 0xA000,
        EntryKind.Fifo => 0x1000,
        EntryKind.Socket => 0xC000,
        EntryKind.BlockDevice => 0x6000,
        EntryKind.CharacterDevice => 0x2000,
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, null),
    };

    /// <summary>Whether it is the same inode.</summary>
    public readonly bool IsSameInode(in UnixStat other) => Inode == other.Inode && Device == other.Device;

    /// <summary>Whether something is mounted here, seen from the folder that holds it. A Btrfs subvolume has a device of
    /// its own on the same mount: it is none.</summary>
    public readonly bool IsMountedOn(in UnixStat parent) =>
        MountId != 0 && parent.MountId != 0 ? MountId != parent.MountId : Device != parent.Device;
}
