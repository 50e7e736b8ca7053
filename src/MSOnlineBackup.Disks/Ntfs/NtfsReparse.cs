using System.Buffers.Binary;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Platform.Windows;

namespace MSOnlineBackup.Disks.Ntfs;

/// <summary>What a reparse point makes of a file or folder.</summary>
internal static class NtfsReparse
{
    /// <summary>No data are longer.</summary>
    public const int MaxLength = ReparseData.MaxLength + 24;

    private const uint WslLink = 0xA000_001D;
    private const uint Compressed = 0x8000_0017;
    private const uint Deduplicated = 0x8000_0013;
    private const uint CloudMask = 0xFFFF_0FFF;
    private const uint Cloud = 0x9000_001A;

    /// <summary>The kind of item that the data make; null where they leave it what it is.</summary>
    public static EntryKind? KindOf(ReadOnlySpan<byte> data) => TagOf(data) switch
    {
        WindowsRecord.SymbolicLinkTag or WindowsRecord.MountPointTag or WslLink => EntryKind.SymbolicLink,
        0x8000_0023 => EntryKind.Socket,
        0x8000_0024 => EntryKind.Fifo,
        0x8000_0025 => EntryKind.CharacterDevice,
        0x8000_0026 => EntryKind.BlockDevice,
        _ => null,
    };

    /// <summary>Where a link or junction leads, as a user would write it, as bytes.</summary>
    public static byte[] TargetOf(ReadOnlySpan<byte> data)
    {
        // That of WSL has a version before its text.
        if (TagOf(data) == WslLink)
        {
            int length = Math.Min(data.Length - 8, (int)BinaryPrimitives.ReadUInt16LittleEndian(data[4..]));
            return length > 4 && BinaryPrimitives.ReadUInt32LittleEndian(data[8..]) == 2
                ? data[12..(8 + length)].ToArray()
                : throw NtfsFault.Corrupt("a link has no target");
        }

        return ReparseData.TargetOf(data) is { Length: > 0 } target ? WtfName.ToBytes(target) : throw NtfsFault.Corrupt("a link has no target");
    }

    /// <summary>What keeps a file with the data from being read, for messages.</summary>
    public static string Describe(ReadOnlySpan<byte> data) => TagOf(data) switch
    {
        Compressed => "a file is compressed outside of NTFS (WOF, as compact.exe does it)",
        Deduplicated => "a file shares its parts with others (deduplication)",
        uint tag when (tag & CloudMask) == Cloud => "a file may be in a cloud only",
        uint tag => $"a file is there for another program only (reparse tag 0x{tag:x})",
    };

    private static uint TagOf(ReadOnlySpan<byte> data) =>
        data.Length >= 8 ? BinaryPrimitives.ReadUInt32LittleEndian(data) : throw NtfsFault.Corrupt("a reparse point has no data");
}
