using System.Buffers.Binary;
using MSOnlineBackup.Disks.Reading;

namespace MSOnlineBackup.Disks.Xfs;

/// <summary>The checksums of version 5: CRC-32C of a structure in which the checksum itself is zero, in little-endian.</summary>
internal static class XfsChecksum
{
    /// <summary>Whether a structure has the checksum that it says.</summary>
    /// <param name="bytes">All of it.</param>
    /// <param name="at">Where the checksum is.</param>
    public static bool IsRight(ReadOnlySpan<byte> bytes, int at) => Of(bytes, at) == BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);

    /// <summary>The checksum that a structure must have.</summary>
    public static uint Of(ReadOnlySpan<byte> bytes, int at) => ~Crc32C.Add(Crc32C.Add(Crc32C.Add(Crc32C.Start, bytes[..at]), 0), bytes[(at + 4)..]);
}
