namespace MSOnlineBackup.Platform.Folders;

/// <summary>What a file system says of a file or a folder.</summary>
internal readonly record struct FolderStatus
{
    /// <summary>Which one it is.</summary>
    public FolderIdentity Identity { get; init; }

    /// <summary>Whether it is a folder.</summary>
    public bool IsFolder { get; init; }

    /// <summary>Whether it is a regular file: no link, pipe, socket or device.</summary>
    public bool IsFile { get; init; }

    /// <summary>Its permissions.</summary>
    public UnixFileMode Mode { get; init; }

    /// <summary>Whose it is.</summary>
    public uint User { get; init; }

    /// <summary>Its group.</summary>
    public uint Group { get; init; }

    /// <summary>Its length in bytes.</summary>
    public long Length { get; init; }

    /// <summary>When it was last written, by the file system's clock.</summary>
    public DateTimeOffset Modified { get; init; }

    /// <summary>Which flags forbid changes to it; none where the file system has no such flags, or does not tell.</summary>
    public FolderFlags Flags { get; init; }
}

/// <summary>The flags by which Linux forbids changes to a file or a folder, to root too. They are the same numbers for every file system that has them.</summary>
[Flags]
internal enum FolderFlags : uint
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>Of a file (FS_IMMUTABLE_FL): it is not written, renamed or removed.</summary>
    Immutable = 0x10,

    /// <summary>Of a folder (FS_APPEND_FL): names come, and none goes or changes.</summary>
    AppendOnly = 0x20,
}

/// <summary>Which folder is at a path: tells a mounted disk from the mount point beneath it.</summary>
/// <param name="Device">The device it is on.</param>
/// <param name="FileId">Its inode.</param>
internal readonly record struct FolderIdentity(ulong Device, ulong FileId);
