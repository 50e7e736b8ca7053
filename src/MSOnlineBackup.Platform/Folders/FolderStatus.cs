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
}

/// <summary>Which folder is at a path: tells a mounted disk from the mount point beneath it.</summary>
/// <param name="Device">The device it is on.</param>
/// <param name="FileId">Its inode.</param>
internal readonly record struct FolderIdentity(ulong Device, ulong FileId);
