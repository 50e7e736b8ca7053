using System.Buffers.Binary;
using System.Runtime.InteropServices;
using MSOnlineBackup.Platform.Items;

namespace MSOnlineBackup.Platform.Windows;

/// <summary>What a listing, or the queries of an open handle, tell of an item.</summary>
internal readonly record struct WindowsRecord
{
    public const uint DirectoryAttribute = 0x10;
    public const uint SparseAttribute = 0x200;
    public const uint ReparseAttribute = 0x400;
    public const uint SymbolicLinkTag = 0xA000_000C;
    public const uint MountPointTag = 0xA000_0003;

    private const uint OfflineAttribute = 0x1000;
    private const uint RecallOnOpenAttribute = 0x4_0000;
    private const uint RecallOnAccessAttribute = 0x40_0000;
    private const uint NameSurrogate = 0x2000_0000;

    // App execution aliases, sockets, and WSL's pipes and devices: reparse points that no reader gets through.
    private const uint AppAliasTag = 0x8000_001B;
    private const uint SocketTag = 0x8000_0023;
    private const uint PipeTag = 0x8000_0024;
    private const uint CharacterDeviceTag = 0x8000_0025;
    private const uint BlockDeviceTag = 0x8000_0026;

    // 1 January 1601 to 1 January 1970, in steps of 100 ns.
    private const long UnixEpoch = 116_444_736_000_000_000;
    private const long StepsPerSecond = 10_000_000;

    /// <summary>The name; raw as <see cref="WtfName"/> makes it.</summary>
    public required byte[] Name { get; init; }

    public long Created { get; init; }

    public long Modified { get; init; }

    public long Changed { get; init; }

    public long Size { get; init; }

    public uint Attributes { get; init; }

    public uint ReparseTag { get; init; }

    /// <summary>The file's number on its volume; of one of 128 bits both halves, combined.</summary>
    public ulong FileId { get; init; }

    /// <summary>Hard links; 0 where it is not told: listings do not.</summary>
    public uint LinkCount { get; init; }

    public ulong Volume { get; init; }

    public bool IsDirectory => (Attributes & DirectoryAttribute) != 0;

    /// <summary>Whether the item stands for something else, at another place (a link, a junction, a mount point) or of another kind (a socket): then its
    /// reparse data are what is kept of it. Other reparse points (deduplicated or compressed files) read like the file they are.</summary>
    public bool IsSurrogate => (Attributes & ReparseAttribute) != 0
        && ((ReparseTag & NameSurrogate) != 0 || ReparseTag is AppAliasTag or SocketTag or PipeTag or CharacterDeviceTag or BlockDeviceTag);

    public bool IsLink => IsSurrogate && ReparseTag is (SymbolicLinkTag or MountPointTag);

    /// <summary>Whether the content is elsewhere (a cloud, a tape) and opening the item would fetch it.</summary>
    public bool IsPlaceholder => (Attributes & (OfflineAttribute | RecallOnOpenAttribute | RecallOnAccessAttribute)) != 0;

    public EntryKind Kind => IsLink ? EntryKind.SymbolicLink : IsDirectory ? EntryKind.Directory : EntryKind.File;

    /// <summary>Reads a buffer of FILE_ID_EXTD_DIR_INFO, or of FILE_FULL_DIR_INFO where the file system has no file ids.</summary>
    public static void Parse(ReadOnlySpan<byte> buffer, bool withIds, List<WindowsRecord> records)
    {
        int nameAt = withIds ? 88 : 68;
        while (true)
        {
            int next = BinaryPrimitives.ReadInt32LittleEndian(buffer);
            int nameLength = BinaryPrimitives.ReadInt32LittleEndian(buffer[60..]);
            ReadOnlySpan<char> name = MemoryMarshal.Cast<byte, char>(buffer.Slice(nameAt, nameLength));
            uint attributes = BinaryPrimitives.ReadUInt32LittleEndian(buffer[56..]);

            // The older form tells the tag where it tells the size of extended attributes of everything else.
            uint tag = (attributes & ReparseAttribute) == 0 ? 0 : BinaryPrimitives.ReadUInt32LittleEndian(buffer[(withIds ? 68 : 64)..]);
            if (name is not ("." or ".."))
            {
                records.Add(new WindowsRecord
                {
                    Name = WtfName.ToBytes(name),
                    Created = BinaryPrimitives.ReadInt64LittleEndian(buffer[8..]),
                    Modified = BinaryPrimitives.ReadInt64LittleEndian(buffer[24..]),
                    Changed = BinaryPrimitives.ReadInt64LittleEndian(buffer[32..]),
                    Size = BinaryPrimitives.ReadInt64LittleEndian(buffer[40..]),
                    Attributes = attributes,
                    ReparseTag = tag,
                    FileId = withIds ? FoldId(buffer[72..]) : 0,
                });
            }

            if (next == 0)
            {
                return;
            }

            buffer = buffer[next..];
        }
    }

    /// <summary>A FILE_ID_128 as one number.</summary>
    public static ulong FoldId(ReadOnlySpan<byte> id) =>
        BinaryPrimitives.ReadUInt64LittleEndian(id) ^ BinaryPrimitives.ReadUInt64LittleEndian(id[8..]);

    /// <summary>The time that a FILETIME tells.</summary>
    public static ItemTime ToItemTime(long fileTime)
    {
        (long seconds, long rest) = Math.DivRem(fileTime - UnixEpoch, StepsPerSecond);
        return new ItemTime(seconds, rest * 100);
    }

    /// <summary>The FILETIME of a time, less what is finer than 100 ns; null where there is none: before 1601, and after 30828.</summary>
    public static long? ToFileTime(ItemTime time)
    {
        var steps = ((Int128)time.Seconds * StepsPerSecond) + (time.Nanoseconds / 100) + UnixEpoch;
        return steps > 0 && steps <= long.MaxValue ? (long)steps : null;
    }
}
