using System.Buffers.Binary;
using System.Security.Cryptography;

namespace MSOnlineBackup.VirtualMachines.Azure.Pages;

/// <summary>The last 512 bytes of a fixed VHD, which is what Azure makes of a disk that is read or written from outside: they follow the disk's own bytes.</summary>
internal static class VhdFooter
{
    /// <summary>How many bytes it has.</summary>
    public const int Length = 512;

    private const int SizeAt = 48;
    private const int ChecksumAt = 64;

    // Seconds are counted from here.
    private static readonly DateTimeOffset _epoch = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Whether bytes are the footer of a fixed disk of a size.</summary>
    public static bool IsOf(ReadOnlySpan<byte> footer, long size) =>
        footer.Length == Length && footer.StartsWith("conectix"u8) && BinaryPrimitives.ReadInt64BigEndian(footer[SizeAt..]) == size;

    /// <summary>Makes one.</summary>
    /// <param name="size">How many bytes the disk has.</param>
    /// <param name="now">The time.</param>
    public static byte[] Create(long size, DateTimeOffset now)
    {
        byte[] footer = new byte[Length];
        Span<byte> bytes = footer;
        "conectix"u8.CopyTo(bytes);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[8..], 2);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[12..], 0x00010000);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[16..], ulong.MaxValue);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[24..], (uint)Math.Clamp((now - _epoch).TotalSeconds, 0, uint.MaxValue));
        "obe "u8.CopyTo(bytes[28..]);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[32..], 0x00010000);
        "Wi2k"u8.CopyTo(bytes[36..]);
        BinaryPrimitives.WriteInt64BigEndian(bytes[40..], size);
        BinaryPrimitives.WriteInt64BigEndian(bytes[SizeAt..], size);
        (ushort cylinders, byte heads, byte sectors) = GeometryOf(size / 512);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[56..], cylinders);
        (bytes[58], bytes[59]) = (heads, sectors);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[60..], 2);
        RandomNumberGenerator.Fill(bytes[68..84]);
        uint sum = 0;
        foreach (byte each in bytes)
        {
            sum += each;
        }

        BinaryPrimitives.WriteUInt32BigEndian(bytes[ChecksumAt..], ~sum);
        return footer;
    }

    // As the specification of the format has it.
    private static (ushort Cylinders, byte Heads, byte Sectors) GeometryOf(long total)
    {
        total = Math.Min(total, 65535L * 16 * 255);
        long sectors = total >= 65535L * 16 * 63 ? 255 : 17;
        long tracks = total / sectors;
        long heads = sectors == 255 ? 16 : Math.Max(4, (tracks + 1023) / 1024);
        if (sectors == 17 && (tracks >= heads * 1024 || heads > 16))
        {
            (sectors, heads) = (31, 16);
            tracks = total / sectors;
        }

        if (sectors == 31 && tracks >= heads * 1024)
        {
            (sectors, heads) = (63, 16);
            tracks = total / sectors;
        }

        return ((ushort)(tracks / heads), (byte)heads, (byte)sectors);
    }
}
