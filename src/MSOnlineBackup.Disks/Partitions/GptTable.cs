using System.IO.Hashing;
using MSOnlineBackup.Disks.Volumes;
using MSOnlineBackup.Platform.Windows;

namespace MSOnlineBackup.Disks.Partitions;

/// <summary>The table of UEFI: a header in the disk's second sector and one in its last, each with a list of parts, all under checksums.</summary>
internal static class GptTable
{
    private const int HeaderLength = 92;
    private const int LongestList = 4 << 20;

    private static ReadOnlySpan<byte> Signature => "EFI PART"u8;

    /// <summary>Reads the first of its copies that is whole.</summary>
    /// <param name="source">The disk.</param>
    /// <param name="required">Whether the first sector says that there is one.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>Its parts; null where there is none.</returns>
    /// <exception cref="Vaults.Errors.BackupException">VolumeCorrupt: no copy is whole, and one is required or was begun.</exception>
    public static async Task<IReadOnlyList<PartitionEntry>?> ReadAsync(VolumeSource source, bool required, CancellationToken cancellationToken)
    {
        bool seen = required;
        foreach (int sector in (int[])[512, 4096])
        {
            // A disk that was made larger has its second copy where it once ended; the first one knows where.
            var places = new List<long> { sector, source.Length - (source.Length % sector) - sector };
            for (int i = 0; i < places.Count; i++)
            {
                if (places[i] < sector || places[i] > source.Length - sector)
                {
                    continue;
                }

                byte[] header = await source.ReadAsync(places[i], sector, cancellationToken).ConfigureAwait(false);
                if (!header.AsSpan().StartsWith(Signature))
                {
                    continue;
                }

                seen = true;
                if (await ListAsync(source, header, places[i], sector, cancellationToken).ConfigureAwait(false) is byte[] list)
                {
                    return Parse(source, list, (int)PartitionTable.Number32(header, 84), sector);
                }

                ulong other = PartitionTable.Number64(header, 32);
                if (i == 0 && other <= (ulong)(source.Length / sector))
                {
                    places.Add((long)other * sector);
                }
            }
        }

        return seen ? throw source.Corrupt("neither of the two copies of the GPT is whole") : null;
    }

    // The list of a header; null where one of the checksums, or what they protect, is not as it must be.
    private static async Task<byte[]?> ListAsync(VolumeSource source, byte[] header, long place, int sector, CancellationToken cancellationToken)
    {
        uint length = PartitionTable.Number32(header, 12);
        if (length < HeaderLength || length > sector)
        {
            return null;
        }

        uint checksum = PartitionTable.Number32(header, 16);
        byte[] summed = header[..(int)length];
        summed.AsSpan(16, 4).Clear();
        ulong first = PartitionTable.Number64(header, 72);
        uint count = PartitionTable.Number32(header, 80);
        uint size = PartitionTable.Number32(header, 84);
        if (Crc32.HashToUInt32(summed) != checksum
            || PartitionTable.Number64(header, 24) != (ulong)(place / sector)
            || size < 128 || size > 4096 || size % 8 != 0
            || (ulong)count * size > LongestList
            || first > (ulong)(source.Length / sector)
            || (long)first * sector > source.Length - (count * size))
        {
            return null;
        }

        byte[] list = await source.ReadAsync((long)first * sector, (int)(count * size), cancellationToken).ConfigureAwait(false);
        return Crc32.HashToUInt32(list) == PartitionTable.Number32(header, 88) ? list : null;
    }

    private static IReadOnlyList<PartitionEntry> Parse(VolumeSource source, byte[] list, int size, int sector)
    {
        var found = new List<Partition>();
        for (int i = 0; i < list.Length / size; i++)
        {
            ReadOnlySpan<byte> entry = list.AsSpan(i * size, size);
            var type = new Guid(entry[..16]);
            if (type == Guid.Empty)
            {
                continue;
            }

            if (found.Count == PartitionTable.MostPartitions)
            {
                throw source.Corrupt($"it has more than {PartitionTable.MostPartitions} partitions");
            }

            (long start, long length) = Range(PartitionTable.Number64(entry, 32), PartitionTable.Number64(entry, 40), sector);
            found.Add(new Partition(i + 1, start, length, type.ToString(), Name(entry.Slice(56, 72))));
        }

        return PartitionTable.Ordered(source, found);
    }

    // From the first to the last sector. What no disk can have is a range of no length, which lies outside any.
    private static (long Start, long Length) Range(ulong first, ulong last, int sector)
    {
        ulong most = (ulong)(long.MaxValue / sector) - 1;
        return first > last || last > most ? (0, 0) : ((long)first * sector, (long)(last - first + 1) * sector);
    }

    private static string? Name(ReadOnlySpan<byte> units)
    {
        Span<char> name = stackalloc char[units.Length / 2];
        int length = 0;
        while (length < name.Length && (units[2 * length] | (units[(2 * length) + 1] << 8)) is not 0 and int unit)
        {
            name[length++] = (char)unit;
        }

        // As text, which has no half characters.
        return length == 0 ? null : System.Text.Encoding.UTF8.GetString(WtfName.ToBytes(name[..length]));
    }
}
