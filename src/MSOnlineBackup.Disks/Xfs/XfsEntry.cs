using System.Buffers.Binary;
using MSOnlineBackup.Platform.Items;

namespace MSOnlineBackup.Disks.Xfs;

/// <summary>An entry of a folder.</summary>
/// <param name="Inode">The inode's number.</param>
/// <param name="Name">Its raw name.</param>
/// <param name="Kind">What the folder says that it is; null where it says nothing.</param>
internal readonly record struct XfsEntry(ulong Inode, ReadOnlyMemory<byte> Name, EntryKind? Kind)
{
    private const int ShortHeader = 16;
    private const int LongHeader = 64;
    private const int TailLength = 8;
    private const ushort FreeTag = 0xFFFF;

    /// <summary>Whether it is the folder itself, or that above it.</summary>
    public bool IsDots => Name.Span is [(byte)'.'] or [(byte)'.', (byte)'.'];

    /// <summary>Whether no file can have its name.</summary>
    public bool IsBad => Name.IsEmpty || Name.Span.ContainsAny((byte)'/', (byte)0);

    /// <summary>Reads a folder that is in its inode; the first entry is "..".</summary>
    public static List<XfsEntry> DecodeLocal(XfsInode folder, bool hasKinds)
    {
        ReadOnlyMemory<byte> bytes = folder.Length <= folder.Fork.Length ? folder.Fork[..(int)folder.Length] : default;
        int wide = bytes.Length < 6 || bytes.Span[1] == 0 ? 4 : 8;
        int count = bytes.Length < 2 + wide ? throw XfsFault.Corrupt($"the folder {folder.Number} is cut off") : bytes.Span[0];
        var entries = new List<XfsEntry> { new(NumberIn(bytes.Span[2..], wide), ".."u8.ToArray(), EntryKind.Directory) };
        bytes = bytes[(2 + wide)..];
        for (; count > 0; count--)
        {
            int nameLength = bytes.IsEmpty ? 0 : bytes.Span[0];
            int kindAt = 3 + nameLength;
            int length = kindAt + (hasKinds ? 1 : 0) + wide;
            if (length > bytes.Length)
            {
                throw XfsFault.Corrupt($"the folder {folder.Number} is cut off");
            }

            entries.Add(new XfsEntry(NumberIn(bytes.Span[(length - wide)..], wide), bytes.Slice(3, nameLength), hasKinds ? KindOf(bytes.Span[kindAt]) : null));
            bytes = bytes[length..];
        }

        return entries;
    }

    /// <summary>Reads a block of a folder, whose checksum was looked at.</summary>
    public static List<XfsEntry> DecodeBlock(ReadOnlyMemory<byte> block, ulong folder, bool hasChecksums, bool hasKinds)
    {
        ReadOnlySpan<byte> span = block.Span;
        int end = span.Length;
        if (span[..4].SequenceEqual(hasChecksums ? "XDB3"u8 : "XD2B"u8))
        {
            // The one block of a small folder has the names' hashes at its end.
            uint hashes = BinaryPrimitives.ReadUInt32BigEndian(span[^TailLength..]);
            end = hashes <= span.Length / 8 ? span.Length - TailLength - ((int)hashes * 8) : 0;
        }
        else if (!span[..4].SequenceEqual(hasChecksums ? "XDD3"u8 : "XD2D"u8))
        {
            throw XfsFault.Corrupt($"a block of the folder {folder} is none");
        }

        var entries = new List<XfsEntry>();
        int at = hasChecksums ? LongHeader : ShortHeader;
        if (end < at)
        {
            throw XfsFault.Corrupt($"a block of the folder {folder} is cut off");
        }

        while (at < end)
        {
            ReadOnlySpan<byte> rest = span[at..end];
            bool isFree = rest.Length >= 4 && BinaryPrimitives.ReadUInt16BigEndian(rest) == FreeTag;
            int nameLength = rest.Length < 16 || isFree ? 0 : rest[8];
            int length = rest.Length < 8 ? 0
                : isFree ? BinaryPrimitives.ReadUInt16BigEndian(rest[2..])
                : (9 + nameLength + (hasKinds ? 1 : 0) + 2 + 7) & ~7;
            if (length < 8 || length % 8 != 0 || length > rest.Length || BinaryPrimitives.ReadUInt16BigEndian(rest[(length - 2)..]) != at)
            {
                throw XfsFault.Corrupt($"an entry of the folder {folder} is cut off");
            }

            if (!isFree)
            {
                entries.Add(new XfsEntry(
                    BinaryPrimitives.ReadUInt64BigEndian(rest), block.Slice(at + 9, nameLength), hasKinds ? KindOf(rest[9 + nameLength]) : null));
            }

            at += length;
        }

        return entries;
    }

    private static ulong NumberIn(ReadOnlySpan<byte> bytes, int wide) =>
        wide == 8 ? BinaryPrimitives.ReadUInt64BigEndian(bytes) : BinaryPrimitives.ReadUInt32BigEndian(bytes);

    private static EntryKind? KindOf(byte kind) => kind switch
    {
        1 => EntryKind.File,
        2 => EntryKind.Directory,
        3 => EntryKind.CharacterDevice,
        4 => EntryKind.BlockDevice,
        5 => EntryKind.Fifo,
        6 => EntryKind.Socket,
        7 => EntryKind.SymbolicLink,
        _ => null,
    };
}
