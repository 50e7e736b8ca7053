using System.Buffers.Binary;

namespace MSOnlineBackup.Disks.Xfs.Log;

/// <summary>The header of a record of the log. Its numbers have the greatest byte first.</summary>
/// <param name="Version">1, or 2, which has records of more than 32 KiB.</param>
/// <param name="Length">Bytes of what follows the header.</param>
/// <param name="Lsn">Its number: the cycle, and the sector.</param>
/// <param name="TailLsn">The number of the oldest record that had something that was not in its place.</param>
/// <param name="Operations">How many pieces of transactions it has.</param>
/// <param name="HeaderSectors">Sectors of the header.</param>
internal readonly record struct LogHeader(int Version, int Length, ulong Lsn, ulong TailLsn, long Operations, int HeaderSectors)
{
    /// <summary>How many bytes one sector of a header stands for.</summary>
    public const int Span = 32 << 10;

    private const int LongestRecord = 256 << 10;
    private const uint LittleEndianLinux = 1;

    /// <summary>Sectors of all of it.</summary>
    public int Sectors => HeaderSectors + ((Length + LogPlace.Sector - 1) / LogPlace.Sector);

    /// <summary>Whether a sector has the header of a record that belongs there.</summary>
    public static bool IsOne(ReadOnlySpan<byte> bytes, uint cycle, long sector) =>
        BinaryPrimitives.ReadUInt32BigEndian(bytes) == LogPlace.Magic && BinaryPrimitives.ReadUInt64BigEndian(bytes[16..]) == Number(cycle, sector);

    /// <summary>Reads its first sector.</summary>
    /// <exception cref="Vaults.Errors.BackupException">VolumeCorrupt; VolumeUnsupported: a machine wrote it whose numbers have the greatest byte first.</exception>
    public static LogHeader Decode(ReadOnlySpan<byte> bytes, uint cycle, long sector, Guid id)
    {
        uint version = BinaryPrimitives.ReadUInt32BigEndian(bytes[8..]);
        uint length = BinaryPrimitives.ReadUInt32BigEndian(bytes[12..]);
        uint size = version == 2 ? BinaryPrimitives.ReadUInt32BigEndian(bytes[320..]) : Span;
        if (!IsOne(bytes, cycle, sector) || version is not (1 or 2) || size > LongestRecord || length > LongestRecord || (version == 1 && length > Span))
        {
            throw XfsFault.Corrupt($"sector {sector} of its log has no sound record");
        }

        if (BinaryPrimitives.ReadUInt32BigEndian(bytes[300..]) != LittleEndianLinux)
        {
            throw XfsFault.Unsupported("its log was written by a machine of another kind");
        }

        int headers = Math.Max(1, ((int)size + Span - 1) / Span);
        if (length > (long)headers * Span || new Guid(bytes.Slice(304, 16), bigEndian: true) != id)
        {
            throw XfsFault.Corrupt($"the record at sector {sector} of its log is that of another file system, or contradicts itself");
        }

        return new LogHeader(
            (int)version,
            (int)length,
            BinaryPrimitives.ReadUInt64BigEndian(bytes[16..]),
            BinaryPrimitives.ReadUInt64BigEndian(bytes[24..]),
            BinaryPrimitives.ReadUInt32BigEndian(bytes[40..]),
            headers);
    }

    /// <summary>A record's number.</summary>
    public static ulong Number(uint cycle, long sector) => ((ulong)cycle << 32) | (uint)sector;
}
