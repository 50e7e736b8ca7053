using System.Buffers.Binary;
using System.Runtime.InteropServices;
using MSOnlineBackup.Platform.Items;

namespace MSOnlineBackup.Disks.Ntfs;

/// <summary>A name of a file, with what folders show of the file.</summary>
/// <param name="Parent">The record of the folder that it is in.</param>
/// <param name="Name">The name.</param>
/// <param name="IsShort">Whether it is but the short name that DOS sees.</param>
/// <param name="IsFolder">Whether it is a folder's.</param>
/// <param name="Length">Bytes of the file, when its name was last written.</param>
/// <param name="Modified">When it was changed, at that time.</param>
internal sealed record NtfsFileName(ulong Parent, string Name, bool IsShort, bool IsFolder, long Length, ItemTime Modified)
{
    private const int NameAt = 66;
    private const uint FolderFlag = 0x1000_0000;

    // 1 January 1601 to 1 January 1970 in seconds.
    private const long UnixEpoch = 11_644_473_600;
    private const long StepsPerSecond = 10_000_000;

    /// <summary>Reads one.</summary>
    public static NtfsFileName Decode(ReadOnlySpan<byte> bytes)
    {
        int length = bytes.Length < NameAt ? int.MaxValue : bytes[64] * 2;
        return length <= bytes.Length - NameAt
            ? new NtfsFileName(
                BinaryPrimitives.ReadUInt64LittleEndian(bytes),
                new string(MemoryMarshal.Cast<byte, char>(bytes.Slice(NameAt, length))),
                bytes[65] == 2,
                (BinaryPrimitives.ReadUInt32LittleEndian(bytes[56..]) & FolderFlag) != 0,
                Math.Max(0, BinaryPrimitives.ReadInt64LittleEndian(bytes[48..])),
                Time(bytes[16..]))
            : throw NtfsFault.Corrupt("a name is cut off");
    }

    /// <summary>A time: steps of 100 ns since 1601.</summary>
    public static ItemTime Time(ReadOnlySpan<byte> bytes)
    {
        (long seconds, long steps) = Math.DivRem(BinaryPrimitives.ReadInt64LittleEndian(bytes), StepsPerSecond);
        return new ItemTime(seconds - UnixEpoch, steps * 100);
    }
}
