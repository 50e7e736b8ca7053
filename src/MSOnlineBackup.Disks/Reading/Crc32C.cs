using System.Buffers.Binary;
using System.Numerics;

namespace MSOnlineBackup.Disks.Reading;

/// <summary>CRC-32C as Linux computes it (<c>crc32c_le</c>): continued from any value, and neither begun nor ended with an inversion.</summary>
internal static class Crc32C
{
    /// <summary>What most sums begin with.</summary>
    public const uint Start = uint.MaxValue;

    /// <summary>Continues a sum.</summary>
    public static uint Add(uint sum, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length >= sizeof(ulong))
        {
            sum = BitOperations.Crc32C(sum, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[sizeof(ulong)..];
        }

        foreach (byte one in bytes)
        {
            sum = BitOperations.Crc32C(sum, one);
        }

        return sum;
    }

    /// <summary>Continues a sum with a number, least byte first.</summary>
    public static uint Add(uint sum, uint number) => BitOperations.Crc32C(sum, number);
}
