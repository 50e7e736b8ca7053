using System.Buffers.Binary;
using System.Numerics;

namespace MSOnlineBackup.Disks.Ntfs;

/// <summary>The first sector of an NTFS volume: its shape.</summary>
/// <param name="SectorSize">Bytes of a sector: 256 to 4096.</param>
/// <param name="ClusterSize">Bytes of a cluster: a sector to 2 MiB.</param>
/// <param name="Clusters">How many clusters it has.</param>
/// <param name="FileTable">The cluster at which $MFT begins.</param>
/// <param name="RecordSize">Bytes of a record of $MFT: 512 to 64 KiB.</param>
/// <param name="Serial">The volume's serial number.</param>
internal sealed record NtfsBootSector(int SectorSize, int ClusterSize, long Clusters, long FileTable, int RecordSize, ulong Serial)
{
    /// <summary>How many bytes of the volume it is read from.</summary>
    public const int Length = 512;

    private const int LargestCluster = 2 << 20;

    /// <summary>Whether it is one.</summary>
    public static bool IsOne(ReadOnlySpan<byte> bytes) => bytes.Length >= Length && bytes[3..11].SequenceEqual("NTFS    "u8);

    /// <summary>Reads it.</summary>
    /// <exception cref="Vaults.Errors.BackupException">VolumeCorrupt: a shape that no volume has.</exception>
    public static NtfsBootSector Decode(ReadOnlySpan<byte> bytes)
    {
        int sector = BinaryPrimitives.ReadUInt16LittleEndian(bytes[11..]);
        if (!BitOperations.IsPow2(sector) || sector is < 256 or > 4096)
        {
            throw NtfsFault.Corrupt($"its sectors have {sector} bytes");
        }

        // From 128 on it is the negative of a power of two.
        int perCluster = bytes[13] <= 128 ? bytes[13] : bytes[13] >= 0xF4 ? 1 << (256 - bytes[13]) : 0;
        if (!BitOperations.IsPow2(perCluster) || perCluster * sector > LargestCluster)
        {
            throw NtfsFault.Corrupt($"its clusters have {bytes[13]} sectors");
        }

        int cluster = perCluster * sector;
        long sectors = BinaryPrimitives.ReadInt64LittleEndian(bytes[40..]);
        long clusters = sectors / perCluster;
        long table = BinaryPrimitives.ReadInt64LittleEndian(bytes[48..]);
        if (clusters < 1 || clusters > long.MaxValue / cluster || table < 0 || table >= clusters)
        {
            throw NtfsFault.Corrupt($"it says that it has {sectors} sectors, and its file table at cluster {table}");
        }

        int perRecord = unchecked((sbyte)bytes[64]);
        int record = perRecord >= 0 ? perRecord * cluster : perRecord >= -16 ? 1 << -perRecord : 0;
        if (!BitOperations.IsPow2(record) || record is < 512 or > 65536)
        {
            throw NtfsFault.Corrupt($"its records have a size of {perRecord}");
        }

        return new NtfsBootSector(sector, cluster, clusters, table, record, BinaryPrimitives.ReadUInt64LittleEndian(bytes[72..]));
    }
}
