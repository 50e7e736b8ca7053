using MSOnlineBackup.Disks.Volumes;

namespace MSOnlineBackup.Disks.Partitions;

/// <summary>The table in a disk's first sector, with four parts, one of which may hold a chain of logical ones.</summary>
internal static class MbrTable
{
    private const int FirstEntry = 446;
    private const int EntryLength = 16;
    private const int Sector = 512;
    private const byte Protective = 0xEE;

    /// <summary>Whether it says that the disk has a GPT, alone or (hybrid) beside some of its parts.</summary>
    public static bool Announces(ReadOnlySpan<byte> sector)
    {
        for (int i = 0; i < 4; i++)
        {
            if (Entry.Read(sector, i).Type == Protective)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// Whether a sector with the signature is a table at all: the boot sector of a FAT or NTFS file system has the same signature, and code where the
    /// table would be. mkfs.fat may even put a table there whose one part is the whole disk, from its first sector on.
    /// </summary>
    public static bool IsPlausible(ReadOnlySpan<byte> sector)
    {
        int used = 0;
        for (int i = 0; i < 4; i++)
        {
            byte flag = sector[FirstEntry + (i * EntryLength)];
            Entry entry = Entry.Read(sector, i);
            if (flag is not (0x00 or 0x80))
            {
                return false;
            }

            if (entry.Type != 0 && entry.Count != 0)
            {
                if (entry.Start == 0)
                {
                    return false;
                }

                used++;
            }
        }

        return used > 0 || !IsFileSystem(sector);
    }

    /// <summary>Reads it, with the chains of logical parts.</summary>
    public static async Task<IReadOnlyList<PartitionEntry>> ReadAsync(VolumeSource source, byte[] first, CancellationToken cancellationToken)
    {
        var found = new List<Partition>();
        var chains = new List<Entry>();
        for (int i = 0; i < 4; i++)
        {
            Entry entry = Entry.Read(first, i);
            if (entry.IsChain)
            {
                chains.Add(entry);
            }
            else if (entry.Type != 0 && entry.Count != 0)
            {
                found.Add(entry.ToPartition(i + 1, 0));
            }
        }

        // Systems follow the first one; logical parts are numbered from 5 on.
        PartitionEntry? broken = null;
        if (chains.Count > 0)
        {
            broken = await FollowAsync(source, chains[0], found, cancellationToken).ConfigureAwait(false);
        }

        IReadOnlyList<PartitionEntry> ordered = PartitionTable.Ordered(source, found);
        return broken is null ? ordered : [.. ordered, broken];
    }

    // Each link of the chain is a table of two: a logical part, relative to the link, and the next link, relative to the whole chain.
    private static async Task<PartitionEntry?> FollowAsync(VolumeSource source, Entry chain, List<Partition> found, CancellationToken cancellationToken)
    {
        var seen = new HashSet<long>();
        int number = 5;
        for (long link = chain.Start; ;)
        {
            string? wrong = !seen.Add(link) ? "the chain of logical partitions comes back to itself"
                : seen.Count > PartitionTable.MostPartitions ? "the chain of logical partitions has no end"
                : (link + 1) * Sector > source.Length ? "the chain of logical partitions leads outside the disk"
                : null;
            byte[] sector = wrong is null ? await source.ReadAsync(link * Sector, Sector, cancellationToken).ConfigureAwait(false) : [];
            if (wrong is null && (sector[510] != 0x55 || sector[511] != 0xAA))
            {
                wrong = "a link of the chain of logical partitions has no signature";
            }

            if (wrong is not null)
            {
                return new PartitionEntry(new Partition(number, 0, 0, null, null), source.Corrupt($"{wrong}, so that partition {number} and what comes after it are not found"));
            }

            long next = -1;
            for (int i = 0; i < 4; i++)
            {
                Entry entry = Entry.Read(sector, i);
                if (entry.IsChain && next < 0)
                {
                    next = chain.Start + (long)entry.Start;
                }
                else if (!entry.IsChain && entry.Type != 0 && entry.Count != 0 && found.Count < PartitionTable.MostPartitions)
                {
                    found.Add(entry.ToPartition(number++, link));
                }
            }

            if (next < 0)
            {
                return null;
            }

            link = next;
        }
    }

    private static bool IsFileSystem(ReadOnlySpan<byte> sector) =>
        sector[0] is 0xEB or 0xE9
        && (sector[3..11].SequenceEqual("NTFS    "u8) || sector[3..11].SequenceEqual("EXFAT   "u8)
            || ((sector[11] | (sector[12] << 8)) is 512 or 1024 or 2048 or 4096 && sector[16] is 1 or 2));

    /// <summary>One of a sector's four entries: where, in sectors, and of what type.</summary>
    private readonly record struct Entry(byte Type, uint Start, uint Count)
    {
        public bool IsChain => Type is 0x05 or 0x0F or 0x85 && Count != 0;

        public static Entry Read(ReadOnlySpan<byte> sector, int index)
        {
            ReadOnlySpan<byte> entry = sector.Slice(FirstEntry + (index * EntryLength), EntryLength);
            return new Entry(entry[4], PartitionTable.Number32(entry, 8), PartitionTable.Number32(entry, 12));
        }

        public Partition ToPartition(int number, long link) =>
            new(number, (link + Start) * Sector, (long)Count * Sector, FormattableString.Invariant($"0x{Type:x2}"), null);
    }
}
