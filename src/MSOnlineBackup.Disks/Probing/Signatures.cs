namespace MSOnlineBackup.Disks.Probing;

/// <summary>What is recognised by a few bytes and is not read, so that a listing says what it is. By <c>blkid</c>'s names and places.</summary>
internal static class Signatures
{
    /// <summary>How much of the beginning they need, in bytes.</summary>
    public const int Needed = 0x10048;

    private static readonly (string Kind, string What, int At, byte[] Magic)[] _all =
    [
        ("btrfs", "Btrfs", 0x10040, [.. "_BHRfS_M"u8]),
        ("f2fs", "F2FS", 0x400, [0x10, 0x20, 0xF5, 0xF2]),
        ("ReFS", "ReFS", 3, [.. "ReFS\0\0\0\0"u8]),
        ("apfs", "APFS", 32, [.. "NXSB"u8]),
        ("hfsplus", "HFS+", 0x400, [.. "H+\0\u0004"u8]),
        ("hfsplus", "HFS+", 0x400, [.. "HX\0\u0005"u8]),
        ("bcachefs", "bcachefs", 4096 + 24, [0xC6, 0x85, 0x73, 0xF6, 0x4E, 0x1A, 0x45, 0xCA, 0x82, 0x65, 0xF5, 0x7F, 0x48, 0xBA, 0x6D, 0x81]),
        ("linux_raid_member", "Linux RAID member", 4096, [0xFC, 0x4E, 0x2B, 0xA9]),
        ("linux_raid_member", "Linux RAID member", 0, [0xFC, 0x4E, 0x2B, 0xA9]),
        ("jfs", "JFS", 0x8000, [.. "JFS1"u8]),
        ("iso9660", "ISO 9660", 0x8001, [.. "CD001"u8]),
        ("squashfs", "SquashFS", 0, [.. "hsqs"u8]),
    ];

    /// <summary>What begins like this; null where nobody knows.</summary>
    /// <param name="head">The first <see cref="Needed"/> bytes, or all that there are.</param>
    public static (string Kind, string What)? Find(ReadOnlySpan<byte> head)
    {
        foreach ((string kind, string what, int at, byte[] magic) in _all)
        {
            if (head.Length >= at + magic.Length && head[at..].StartsWith(magic))
            {
                return (kind, what);
            }
        }

        return null;
    }
}
