using System.Buffers.Binary;

namespace MSOnlineBackup.Disks.Xfs.Log;

/// <summary>What blocks of version 5 say of themselves: when they were written, and their checksum, each kind at its own place.</summary>
internal static class BlockStamp
{
    private const int InodeChecksumAt = 100;
    private const int SuperblockChecksumAt = 224;

    /// <summary>The number of the record whose changes a block has; null where it is of no known kind, or of another file system.</summary>
    /// <param name="bytes">Its first sector.</param>
    public static ulong? Lsn(ReadOnlySpan<byte> bytes, Guid id)
    {
        (int lsn, int owner) = BinaryPrimitives.ReadUInt32BigEndian(bytes) switch
        {
            0x41423342 or 0x41423343 or 0x49414233 or 0x46494233 or 0x524D4233 or 0x52334643 => (24, 32),
            0x424D4133 => (32, 40),
            0x58414746 => (208, 64),
            0x5841464C => (24, 8),
            0x58414749 => (320, 296),
            0x58534C4D => (48, 16),
            0x58444233 or 0x58444433 or 0x58444633 => (16, 24),
            0x58465342 => (240, -1),
            _ => BinaryPrimitives.ReadUInt16BigEndian(bytes[8..]) is 0x3DF1 or 0x3DFF or 0x3EBE or 0x3BEE ? (24, 32) : (0, 0),
        };
        return lsn == 0 || (owner >= 0 && new Guid(bytes.Slice(owner, 16), bigEndian: true) != id) ? null : BinaryPrimitives.ReadUInt64BigEndian(bytes[lsn..]);
    }

    /// <summary>Makes the checksum of a block right, where it is of a kind that readers of files look at.</summary>
    public static void Seal(Span<byte> bytes, XfsSuperblock superblock)
    {
        if (bytes[..2].SequenceEqual("IN"u8))
        {
            for (int at = 0; at + superblock.InodeSize <= bytes.Length; at += superblock.InodeSize)
            {
                Set(bytes.Slice(at, superblock.InodeSize), InodeChecksumAt);
            }

            return;
        }

        int checksumAt = BinaryPrimitives.ReadUInt32BigEndian(bytes) switch
        {
            0x58444233 or 0x58444433 => 4,
            0x58534C4D => 12,
            0x424D4133 => 64,
            0x58465342 => SuperblockChecksumAt,
            _ => -1,
        };
        if (checksumAt >= 0)
        {
            Set(bytes, checksumAt);
        }
    }

    private static void Set(Span<byte> bytes, int at) => BinaryPrimitives.WriteUInt32LittleEndian(bytes[at..], XfsChecksum.Of(bytes, at));
}
