using MSOnlineBackup.Disks.Partitions;
using MSOnlineBackup.Disks.Probing;
using MSOnlineBackup.Disks.Reading;
using MSOnlineBackup.Disks.Volumes;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Disks;

/// <summary>What is on a disk: its partitions, and what each of them holds. It is only read.</summary>
public sealed class Disk
{
    private Disk(IReadOnlyList<DiskVolume> volumes) => Volumes = volumes;

    /// <summary>The parts in the order in which they lie on the disk. A disk without a partition table is one part with number 0.</summary>
    public IReadOnlyList<DiskVolume> Volumes { get; }

    /// <summary>Reads the partition table, and opens what can be opened. What is damaged or not known is a part with its error.</summary>
    /// <param name="content">The disk.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">VolumeCorrupt: there is a partition table that cannot be read; what reading the disk's table gives.</exception>
    public static async Task<Disk> OpenAsync(IDiskContent content, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(content);
        var cache = new BlockCache(content);
        var volumes = new List<DiskVolume>();
        foreach (PartitionEntry entry in await PartitionTable.ReadAsync(cache, cancellationToken).ConfigureAwait(false))
        {
            Partition partition = entry.Partition;
            if (entry.Error is BackupException error)
            {
                volumes.Add(new DiskVolume(partition, PartContent.Without(null, error)));
                continue;
            }

            var bytes = new DiskPart(cache, partition.Start, partition.Length);
            volumes.Add(new DiskVolume(partition, await Probes.AskAsync(bytes, partition.Place, cancellationToken).ConfigureAwait(false)) { Bytes = bytes });
        }

        return new Disk(volumes);
    }

    /// <summary>The part with a number.</summary>
    /// <exception cref="BackupException">VolumeItemNotFound: there is none.</exception>
    public DiskVolume Find(int number) =>
        Volumes.FirstOrDefault(volume => volume.Partition.Number == number)
        ?? throw new BackupException(
            BackupErrorId.VolumeItemNotFound,
            FormattableString.Invariant($"The disk has no partition {number}."),
            "List the disk's partitions, and take one of their numbers.",
            FormattableString.Invariant($"partition {number}"));
}
