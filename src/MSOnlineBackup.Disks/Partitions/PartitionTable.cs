using System.Buffers.Binary;
using MSOnlineBackup.Disks.Reading;
using MSOnlineBackup.Disks.Volumes;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Disks.Partitions;

/// <summary>The parts of a disk: by GPT, by MBR, or as one where there is no table.</summary>
internal static class PartitionTable
{
    /// <summary>The most parts that a disk may have. GPT is made with room for 128, and Linux numbers up to 256.</summary>
    public const int MostPartitions = 512;

    /// <summary>Reads the table.</summary>
    /// <returns>The parts in the order in which they lie on the disk. One that contradicts the disk or its neighbours is there too, with its error.</returns>
    /// <exception cref="BackupException">VolumeCorrupt: there is a table, and it cannot be read; what reading the disk gives.</exception>
    public static async Task<IReadOnlyList<PartitionEntry>> ReadAsync(IDiskContent disk, CancellationToken cancellationToken)
    {
        var source = new VolumeSource(disk, "partition table", "the disk");
        if (disk.Length < 512)
        {
            return Whole(disk);
        }

        byte[] first = await source.ReadAsync(0, 512, cancellationToken).ConfigureAwait(false);
        bool signed = first[510] == 0x55 && first[511] == 0xAA;
        bool announced = signed && MbrTable.Announces(first);

        // A disk whose first sector was lost may still be known by its GPT; one with another table has only the rest of one.
        if (announced || !signed)
        {
            if (await GptTable.ReadAsync(source, required: announced, cancellationToken).ConfigureAwait(false) is IReadOnlyList<PartitionEntry> found)
            {
                return found;
            }
        }

        return signed && MbrTable.IsPlausible(first)
            ? await MbrTable.ReadAsync(source, first, cancellationToken).ConfigureAwait(false)
            : Whole(disk);
    }

    /// <summary>Puts parts into their order, and says which of them overlap or lie outside.</summary>
    internal static IReadOnlyList<PartitionEntry> Ordered(VolumeSource source, IEnumerable<Partition> partitions)
    {
        var entries = new List<PartitionEntry>();
        long end = 0;
        foreach (Partition partition in partitions.OrderBy(partition => partition.Start).ThenBy(partition => partition.Number))
        {
            // In what is left of its length, an end beyond all numbers does not overflow.
            bool outside = partition.Start < 0 || partition.Length <= 0 || partition.Length > source.Length - partition.Start;
            string? wrong = outside ? "lies outside the disk" : partition.Start < end ? "overlaps the one before it" : null;
            entries.Add(new PartitionEntry(partition, wrong is null ? null : source.Corrupt($"{partition.Place} {wrong}")));
            end = outside ? end : Math.Max(end, partition.Start + partition.Length);
        }

        return entries;
    }

    internal static uint Number32(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);

    internal static ulong Number64(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt64LittleEndian(bytes[at..]);

    private static PartitionEntry[] Whole(IDiskContent disk) => [new PartitionEntry(new Partition(0, 0, disk.Length, null, null), null)];
}
