using System.Buffers.Binary;
using MSOnlineBackup.Disks.Reading;
using MSOnlineBackup.Disks.Volumes;

namespace MSOnlineBackup.Disks.Ext4;

/// <summary>The journal's superblock (jbd2): where its log lies, where it begins, how it is written. Its numbers have the greatest byte first.</summary>
internal sealed class JournalHeader
{
    private const uint Bits64 = 0x2;
    private const uint AsyncCommit = 0x4;
    private const uint ChecksumV2 = 0x8;
    private const uint ChecksumV3 = 0x10;
    private const uint FastCommits = 0x20;
    private const uint Known = 0x1 | Bits64 | AsyncCommit | ChecksumV2 | ChecksumV3 | FastCommits;
    private const int DefaultFastBlocks = 256;

    private JournalHeader(VolumeSource source, Superblock superblock, long blocks, ReadOnlySpan<byte> bytes)
    {
        uint type = Number(bytes, 4);
        if (Number(bytes, 0) != Journal.Magic || type is not (3 or 4) || Number(bytes, 0xC) != superblock.BlockSize)
        {
            throw source.Corrupt("its journal has no header");
        }

        uint incompatible = type == 4 ? Number(bytes, 0x28) : 0;
        if ((incompatible & ~Known) != 0)
        {
            throw source.Unsupported($"its journal has the features 0x{incompatible & ~Known:x}");
        }

        // Both at once is an error to Linux, too.
        HasChecksumV3 = (incompatible & ChecksumV3) != 0;
        HasChecksums = HasChecksumV3 || (incompatible & ChecksumV2) != 0;
        HasSums = type == 4 && (Number(bytes, 0x24) & 1) != 0 && !HasChecksums;
        Is64Bit = (incompatible & Bits64) != 0;
        Seed = Crc32C.Add(Crc32C.Start, bytes.Slice(0x30, 16));
        if (HasChecksums)
        {
            byte[] summed = bytes[..1024].ToArray();
            summed.AsSpan(0xFC, 4).Clear();
            if (Crc32C.Add(Crc32C.Start, summed) != Number(bytes, 0xFC))
            {
                throw source.Corrupt("the checksum of the journal's header is wrong");
            }
        }

        long length = Number(bytes, 0x10);
        First = Number(bytes, 0x14);
        Sequence = Number(bytes, 0x18);
        Start = Number(bytes, 0x1C);
        long fast = (incompatible & FastCommits) == 0 ? 0 : Number(bytes, 0x54) is 0 ? DefaultFastBlocks : Number(bytes, 0x54);
        End = length - fast;
        HasFastCommits = fast > 0;

        // A log that is longer than the disk would have blocks twice, and be read as often.
        if (length > Math.Min(blocks, source.Length / superblock.BlockSize) || First < 1 || First >= End || (Start != 0 && (Start < First || Start >= End)))
        {
            throw source.Corrupt("sizes in the journal's header contradict each other");
        }
    }

    /// <summary>The log's first block in the journal.</summary>
    public long First { get; }

    /// <summary>Where the log goes on at its first block; fast commits follow, where there are any.</summary>
    public long End { get; }

    /// <summary>Where the oldest transaction begins that may not be in its place; 0 where all are.</summary>
    public long Start { get; }

    /// <summary>That transaction's number.</summary>
    public uint Sequence { get; }

    /// <summary>Whether blocks of the journal's own and each block of content have sums (CRC-32C).</summary>
    public bool HasChecksums { get; }

    /// <summary>Whether sums of blocks are whole.</summary>
    public bool HasChecksumV3 { get; }

    /// <summary>Whether a commit has one sum of all (the oldest kind).</summary>
    public bool HasSums { get; }

    public bool Is64Bit { get; }

    public bool HasFastCommits { get; }

    public uint Seed { get; }

    /// <summary>How long the entry of a block in a descriptor is.</summary>
    public int TagLength => HasChecksumV3 ? 16 : (Is64Bit ? 12 : 8) + (HasChecksums ? 2 : 0);

    /// <summary>Reads it from the journal's first block.</summary>
    /// <exception cref="Vaults.Errors.BackupException">VolumeCorrupt; VolumeUnsupported.</exception>
    public static JournalHeader Parse(VolumeSource source, Superblock superblock, long blocks, ReadOnlySpan<byte> bytes) => new(source, superblock, blocks, bytes);

    internal static uint Number(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32BigEndian(bytes[at..]);
}
