using System.Buffers.Binary;
using MSOnlineBackup.Disks.Volumes;

namespace MSOnlineBackup.Disks.Fat;

/// <summary>The first sectors of an exFAT file system, which say how large its parts are, under a checksum.</summary>
/// <param name="Layout">Where they lie.</param>
/// <param name="RootCluster">The root's first cluster.</param>
/// <param name="Id">The volume's number as two halves, "1A2B-3C4D".</param>
internal sealed record ExFatBootSector(FatLayout Layout, uint RootCluster, string Id)
{
    /// <summary>How many bytes tell whether it is one.</summary>
    public const int Size = 512;

    private const int SummedSectors = 11;

    /// <summary>Whether it is one.</summary>
    public static bool Is(ReadOnlySpan<byte> sector) => sector[3..11].SequenceEqual("EXFAT   "u8) && sector[510] == 0x55 && sector[511] == 0xAA;

    /// <summary>Reads it.</summary>
    /// <exception cref="Vaults.Errors.BackupException">VolumeCorrupt; VolumeUnsupported: a later version.</exception>
    public static async Task<ExFatBootSector> ReadAsync(VolumeSource source, CancellationToken cancellationToken)
    {
        byte[] sector = await source.ReadAsync(0, Size, cancellationToken).ConfigureAwait(false);
        int sectorBits = sector[0x6C];
        int clusterBits = sectorBits + sector[0x6D];
        if (sectorBits is < 9 or > 12 || clusterBits > 25)
        {
            throw source.Corrupt("sizes in its boot sector contradict each other");
        }

        byte[] summed = await source.ReadAsync(0, SummedSectors << sectorBits, cancellationToken).ConfigureAwait(false);
        byte[] told = await source.ReadAsync(SummedSectors << sectorBits, sizeof(uint), cancellationToken).ConfigureAwait(false);
        if (Sum(summed) != BinaryPrimitives.ReadUInt32LittleEndian(told))
        {
            throw source.Corrupt("the checksum of its boot sectors is wrong");
        }

        if (sector[0x69] != 1)
        {
            throw source.Unsupported($"it is of version {sector[0x69]}.{sector[0x68]}");
        }

        long tableLength = (long)Number(sector, 0x54) << sectorBits;
        long tableOffset = (long)Number(sector, 0x50) << sectorBits;
        long dataOffset = (long)Number(sector, 0x58) << sectorBits;
        uint count = Number(sector, 0x5C);
        int tables = sector[0x6E];
        if (tables is not (1 or 2) || tableOffset == 0 || dataOffset < tableOffset + (tableLength * tables) || count == 0)
        {
            throw source.Corrupt("sizes in its boot sector contradict each other");
        }

        // Of two tables, a flag says which one is in use.
        if (tables == 2 && (sector[0x6A] & 1) != 0)
        {
            tableOffset += tableLength;
        }

        long there = Math.Min(count, Math.Min((tableLength / sizeof(uint)) - 2, (source.Length - dataOffset) >> clusterBits));
        return new ExFatBootSector(
            new FatLayout(32, uint.MaxValue, tableOffset, tableLength, dataOffset, 1 << clusterBits, (uint)Math.Max(0, there)),
            Number(sector, 0x60),
            FormattableString.Invariant($"{sector[0x67]:X2}{sector[0x66]:X2}-{sector[0x65]:X2}{sector[0x64]:X2}"));
    }

    // Without what changes while it is mounted: flags and how full it is.
    private static uint Sum(ReadOnlySpan<byte> bytes)
    {
        uint sum = 0;
        for (int i = 0; i < bytes.Length; i++)
        {
            sum = i is 0x6A or 0x6B or 0x70 ? sum : unchecked(uint.RotateRight(sum, 1) + bytes[i]);
        }

        return sum;
    }

    private static uint Number(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);
}
