using MSOnlineBackup.Disks.Partitions;
using MSOnlineBackup.Disks.Reading;
using MSOnlineBackup.Disks.Volumes;

namespace MSOnlineBackup.Disks;

/// <summary>A part of a disk and what it holds.</summary>
/// <param name="Partition">Where it is.</param>
/// <param name="Content">What it holds: a file system that is open, or why there is none.</param>
public sealed record DiskVolume(Partition Partition, PartContent Content)
{
    /// <summary>Its bytes; null where it is none of the disk's.</summary>
    internal IDiskContent? Bytes { get; init; }
}
