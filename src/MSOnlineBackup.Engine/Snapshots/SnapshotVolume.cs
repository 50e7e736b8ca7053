namespace MSOnlineBackup.Engine.Snapshots;

/// <summary>A volume, or that part of one that a snapshot keeps as a whole, such as a subvolume.</summary>
internal sealed record SnapshotVolume
{
    /// <summary>The absolute path that its tree is seen at, raw (on Windows as WTF-8).</summary>
    public required byte[] Path { get; init; }

    /// <summary>The kind of its file system, as "btrfs".</summary>
    public required string FileSystem { get; init; }

    /// <summary>What it is mounted from, as "/dev/mapper/data-home".</summary>
    public required string Device { get; init; }

    /// <summary>The numbers of that device, as "253:1"; empty where there are none.</summary>
    public string DeviceNumber { get; init; } = "";

    /// <summary>Which folder of the file system is seen at <see cref="Path"/>, raw.</summary>
    public byte[] Root { get; init; } = "/"u8.ToArray();

    /// <summary>What tells it from another one that may be seen at the same path later.</summary>
    public required string Identity { get; init; }

    /// <summary>Whether nothing can change it, so that it needs no snapshot.</summary>
    public bool IsReadOnly { get; init; }
}
