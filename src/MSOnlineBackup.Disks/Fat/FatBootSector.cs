using System.Buffers.Binary;
using MSOnlineBackup.Disks.Volumes;

namespace MSOnlineBackup.Disks.Fat;

/// <summary>The first sector of a FAT file system, which says how large its parts are.</summary>
/// <param name="Layout">Where they lie.</param>
/// <param name="RootOffset">Where the root is that has a place of its own (FAT12, FAT16), in bytes.</param>
/// <param name="RootLength">How many bytes that one has.</param>
/// <param name="RootCluster">The root's first cluster (FAT32); 0 where it has a place of its own.</param>
/// <param name="Id">The volume's number as two halves, "1A2B-3C4D"; null where it has none.</param>
/// <param name="Label">The label that it was made with; null where there is none.</param>
internal sealed record FatBootSector(FatLayout Layout, long RootOffset, long RootLength, uint RootCluster, string? Id, string? Label)
{
    /// <summary>How many bytes of it are read.</summary>
    public const int Size = 512;

    // By the number of clusters, and nothing else.
    private const uint Fewest16 = 4085;
    private const uint Most32 = 0x0FFF_FFF5;

    /// <summary>
    /// Whether it is one: there is no magic that all of them have, so that every field must be one that a system would take. NTFS and exFAT have zeroes in
    /// some of them on purpose.
    /// </summary>
    public static bool Is(ReadOnlySpan<byte> sector)
    {
        int perSector = Number16(sector, 11);
        int perCluster = sector[13];
        return sector[510] == 0x55 && sector[511] == 0xAA && sector[0] is 0xEB or 0xE9
            && perSector is 512 or 1024 or 2048 or 4096
            && perCluster != 0 && (perCluster & (perCluster - 1)) == 0
            && Number16(sector, 14) != 0 && sector[16] is 1 or 2
            && (sector[21] is 0xF0 or >= 0xF8)
            && (Number16(sector, 22) != 0 || Number32(sector, 36) != 0)
            && (Number16(sector, 19) != 0 || Number32(sector, 32) != 0);
    }

    /// <summary>Reads it.</summary>
    /// <exception cref="Vaults.Errors.BackupException">VolumeCorrupt; VolumeUnsupported: a later version of FAT32.</exception>
    public static FatBootSector Parse(VolumeSource source, ReadOnlySpan<byte> sector)
    {
        int perSector = Number16(sector, 11);
        int clusterSize = perSector * sector[13];
        int tables = sector[16];
        bool is32 = Number16(sector, 22) == 0;
        uint tableSectors = is32 ? Number32(sector, 36) : (uint)Number16(sector, 22);
        uint sectors = Number16(sector, 19) != 0 ? (uint)Number16(sector, 19) : Number32(sector, 32);
        long tableOffset = (long)Number16(sector, 14) * perSector;
        long tableLength = (long)tableSectors * perSector;
        long rootOffset = tableOffset + (tables * tableLength);
        long rootLength = Number16(sector, 17) * 32L;
        long dataOffset = rootOffset + ((rootLength + perSector - 1) / perSector * perSector);
        long count = (((long)sectors * perSector) - dataOffset) / clusterSize;
        if (count < 1 || count > Most32)
        {
            throw source.Corrupt("sizes in its boot sector contradict each other");
        }

        if (is32 && Number16(sector, 42) != 0)
        {
            throw source.Unsupported($"it is of version {sector[43]}.{sector[42]}");
        }

        // With mirroring off, one of the tables is in use.
        int flags = is32 ? Number16(sector, 40) : 0;
        if ((flags & 0x80) != 0)
        {
            if ((flags & 15) >= tables)
            {
                throw source.Corrupt("the file allocation table that is in use is not there");
            }

            tableOffset += (flags & 15) * tableLength;
        }

        (int bits, uint mask) = is32 ? (32, 0x0FFF_FFFFu) : count < Fewest16 ? (12, 0xFFFu) : (16, 0xFFFFu);

        // No more than the table has entries for, and the disk has room.
        count = Math.Min(count, Math.Min((tableLength * 8 / bits) - 2, (source.Length - dataOffset) / clusterSize));
        int extra = is32 ? 66 : 38;
        return new FatBootSector(
            new FatLayout(bits, mask, tableOffset, tableLength, dataOffset, clusterSize, (uint)Math.Max(0, count)),
            rootOffset,
            rootLength,
            is32 ? Number32(sector, 44) : 0,
            sector[extra] is 0x28 or 0x29 ? FormattableString.Invariant($"{Number16(sector, extra + 3):X4}-{Number16(sector, extra + 1):X4}") : null,
            sector[extra] == 0x29 ? TextOf(sector.Slice(extra + 5, 11)) : null);
    }

    private static string? TextOf(ReadOnlySpan<byte> label) =>
        CodePage437.ToText(label).TrimEnd(' ', '\0') is { Length: > 0 } text && text != "NO NAME" ? text : null;

    private static int Number16(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]);

    private static uint Number32(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);
}
