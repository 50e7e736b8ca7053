namespace MSOnlineBackup.Platform.Volumes;

/// <summary>What the system tells of the volume that a path lies on: facts only. What they mean for a backup is decided elsewhere.</summary>
internal sealed record VolumeDescription
{
    /// <summary>Where the volume is seen, as "/mnt/data" or "D:\".</summary>
    public required string Place { get; init; }

    /// <summary>The kind of its file system, as "ext4"; null where nothing tells.</summary>
    public string? FileSystem { get; init; }

    /// <summary>What it is mounted from, as "/dev/sda1" or "nas:/export"; the place itself where nothing tells. The same for all paths on one volume.</summary>
    public string Device { get; init; } = "";

    /// <summary>Whether nothing can be written to it, or to this view of it.</summary>
    public bool IsReadOnly { get; init; }

    /// <summary>Whether a disk that it lies on can be taken out.</summary>
    public bool IsRemovable { get; init; }

    /// <summary>Whether it is in a drive for optical media.</summary>
    public bool IsOptical { get; init; }

    /// <summary>Whether the system itself says that it is on another machine.</summary>
    public bool IsRemote { get; init; }

    /// <summary>Whether the system itself says that it is held in memory.</summary>
    public bool IsMemory { get; init; }

    /// <summary>Whether the cloud has marked it as a disk whose content it does not keep.</summary>
    public bool IsMarkedTemporary { get; init; }

    /// <summary>The block devices that it lies on, its own first: "dm-0", "drbd0", "sda2", "sda".</summary>
    public IReadOnlyList<string> Devices { get; init; } = [];

    /// <summary>What their disks call themselves.</summary>
    public IReadOnlyList<string> DiskModels { get; init; } = [];

    /// <summary>What keeps it locked, as "BitLocker"; null where it is open.</summary>
    public string? LockedBy { get; init; }

    /// <summary>What should be mounted at or above the path, and is not, while nothing is there in its place; null mostly.</summary>
    public ConfiguredMount? NotMounted { get; init; }
}
