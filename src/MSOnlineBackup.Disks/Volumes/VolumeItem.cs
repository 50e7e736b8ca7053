using MSOnlineBackup.Platform.Items;

namespace MSOnlineBackup.Disks.Volumes;

/// <summary>A file, folder, link or special item of a file system on a disk.</summary>
/// <param name="Id">Its number in the file system: an inode, a record; what has several names has one number.</param>
/// <param name="Name">Its raw name in the folder in which it was found; UTF-8 where the file system has UTF-16. Empty for the root.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Length">Of a file its size, of a symbolic link that of its target, in bytes; 0 otherwise.</param>
/// <param name="Modified">When its content was last changed.</param>
public sealed record VolumeItem(ulong Id, ReadOnlyMemory<byte> Name, EntryKind Kind, long Length, ItemTime Modified)
{
    /// <summary>The permissions, with set-user-id and the like, as <c>chmod</c> has them (12 bits); null where the file system has none.</summary>
    public uint? Permissions { get; init; }

    /// <summary>The number of the user who owns it; 0 where the file system has none.</summary>
    public uint UserId { get; init; }

    /// <summary>The number of the group; 0 where the file system has none.</summary>
    public uint GroupId { get; init; }

    /// <summary>How many names it has; 1 where the file system does not say.</summary>
    public uint LinkCount { get; init; } = 1;
}
