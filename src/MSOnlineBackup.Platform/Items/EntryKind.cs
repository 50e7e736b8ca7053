namespace MSOnlineBackup.Platform.Items;

/// <summary>What an item of a file system is.</summary>
public enum EntryKind : byte
{
    /// <summary>In no manifest: how listings show a kind that only a later version knows.</summary>
    Unknown = 0,

    /// <summary>A regular file.</summary>
    File = 1,

    /// <summary>A folder.</summary>
    Directory = 2,

    /// <summary>A symbolic link (on Windows also a junction).</summary>
    SymbolicLink = 3,

    /// <summary>A named pipe.</summary>
    Fifo = 4,

    /// <summary>A socket.</summary>
    Socket = 5,

    /// <summary>A character device.</summary>
    CharacterDevice = 6,

    /// <summary>A block device.</summary>
    BlockDevice = 7,
}
