using System.Buffers.Binary;
using MSOnlineBackup.Platform.Items;

namespace MSOnlineBackup.Disks.Xfs;

/// <summary>How the data of an inode are kept.</summary>
internal enum XfsFormat : byte
{
    Device,
    Local,
    Extents,
    Tree,
}

/// <summary>An inode: a file, folder, link or special item.</summary>
internal sealed record XfsInode
{
    private const int ChecksumAt = 100;
    private const int ForkAt = 100;
    private const int ForkAt3 = 176;
    private const ulong BigTime = 8;
    private const ulong ManyExtents = 16;
    private const int RealtimeFlag = 1;
    private const ulong PerSecond = 1_000_000_000;

    public required ulong Number { get; init; }

    /// <summary>What it is.</summary>
    public required EntryKind Kind { get; init; }

    /// <summary>The lower 12 bits of its mode.</summary>
    public required uint Permissions { get; init; }

    public required uint UserId { get; init; }

    public required uint GroupId { get; init; }

    public required uint LinkCount { get; init; }

    public required ItemTime Modified { get; init; }

    /// <summary>Its size in bytes.</summary>
    public required long Length { get; init; }

    /// <summary>Whether its data are on the realtime device.</summary>
    public required bool IsRealtime { get; init; }

    public required XfsFormat Format { get; init; }

    /// <summary>How many extents it has.</summary>
    public required ulong Extents { get; init; }

    /// <summary>Its data, or what tells where they are.</summary>
    public required ReadOnlyMemory<byte> Fork { get; init; }

    /// <summary>Reads one.</summary>
    /// <param name="bytes">As many as inodes have.</param>
    /// <exception cref="Vaults.Errors.BackupException">VolumeCorrupt; also where it is free.</exception>
    public static XfsInode Decode(ReadOnlyMemory<byte> bytes, ulong number, bool hasChecksums)
    {
        ReadOnlySpan<byte> span = bytes.Span;
        int version = span[4];
        if (!span[..2].SequenceEqual("IN"u8) || (hasChecksums ? version != 3 : version is not (1 or 2)))
        {
            throw XfsFault.Corrupt($"inode {number} is none");
        }

        if (hasChecksums && (!XfsChecksum.IsRight(span, ChecksumAt) || BinaryPrimitives.ReadUInt64BigEndian(span[152..]) != number))
        {
            throw XfsFault.Corrupt($"inode {number} has another checksum or number");
        }

        int mode = BinaryPrimitives.ReadUInt16BigEndian(span[2..]);
        ulong flags = hasChecksums ? BinaryPrimitives.ReadUInt64BigEndian(span[120..]) : 0;
        int fork = hasChecksums ? ForkAt3 : ForkAt;
        int forkLength = span[82] == 0 ? span.Length - fork : span[82] * 8;
        long length = BinaryPrimitives.ReadInt64BigEndian(span[56..]);
        if (forkLength > span.Length - fork || length < 0 || span[5] > (int)XfsFormat.Tree)
        {
            throw XfsFault.Corrupt($"the sizes of inode {number} contradict each other");
        }

        return new XfsInode
        {
            Number = number,
            Kind = KindOf(mode) ?? throw XfsFault.Corrupt(mode == 0 ? $"inode {number} is free" : $"inode {number} has the mode 0x{mode:x}"),
            Permissions = (uint)mode & 0xFFF,
            UserId = BinaryPrimitives.ReadUInt32BigEndian(span[8..]),
            GroupId = BinaryPrimitives.ReadUInt32BigEndian(span[12..]),
            LinkCount = version == 1 ? BinaryPrimitives.ReadUInt16BigEndian(span[6..]) : BinaryPrimitives.ReadUInt32BigEndian(span[16..]),
            Modified = Time(span[40..], (flags & BigTime) != 0),
            Length = length,
            IsRealtime = (BinaryPrimitives.ReadUInt16BigEndian(span[90..]) & RealtimeFlag) != 0,
            Format = (XfsFormat)span[5],
            Extents = (flags & ManyExtents) != 0 ? BinaryPrimitives.ReadUInt64BigEndian(span[24..]) : BinaryPrimitives.ReadUInt32BigEndian(span[76..]),
            Fork = bytes.Slice(fork, forkLength),
        };
    }

    private static EntryKind? KindOf(int mode) => (mode >> 12) switch
    {
        1 => EntryKind.Fifo,
        2 => EntryKind.CharacterDevice,
        4 => EntryKind.Directory,
        6 => EntryKind.BlockDevice,
        8 => EntryKind.File,
        10 => EntryKind.SymbolicLink,
        12 => EntryKind.Socket,
        _ => null,
    };

    // Seconds and nanoseconds, or nanoseconds since 1901.
    private static ItemTime Time(ReadOnlySpan<byte> bytes, bool isBig)
    {
        if (!isBig)
        {
            return new ItemTime(BinaryPrimitives.ReadInt32BigEndian(bytes), BinaryPrimitives.ReadInt32BigEndian(bytes[4..]));
        }

        (ulong seconds, ulong rest) = Math.DivRem(BinaryPrimitives.ReadUInt64BigEndian(bytes), PerSecond);
        return new ItemTime((long)seconds + int.MinValue, (long)rest);
    }
}
