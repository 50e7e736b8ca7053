using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Disks.Partitions;

/// <summary>A part that a table has, and what is wrong with it.</summary>
/// <param name="Partition">The part.</param>
/// <param name="Error">VolumeCorrupt where it lies outside the disk or over another one; null where it can be read.</param>
internal sealed record PartitionEntry(Partition Partition, BackupException? Error);
