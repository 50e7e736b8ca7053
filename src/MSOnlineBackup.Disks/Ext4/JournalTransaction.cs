using System.Buffers.Binary;
using MSOnlineBackup.Disks.Reading;
using MSOnlineBackup.Disks.Volumes;

namespace MSOnlineBackup.Disks.Ext4;

/// <summary>A transaction of the journal while it is read.</summary>
internal sealed class JournalTransaction(JournalHeader header, int blockSize)
{
    private const int FirstTag = 12;
    private const int IdLength = 16;
    private const int SumAt = 0x10;

    private const uint Escaped = 1;
    private const uint SameId = 2;
    private const uint Last = 8;

    private uint _sum = uint.MaxValue;

    /// <summary>The blocks that it writes, in order.</summary>
    public List<(long Block, JournalBlock Kept)> Blocks { get; } = [];

    /// <summary>The blocks of which it says that what was written before is not to be written again.</summary>
    public List<long> Revoked { get; } = [];

    /// <summary>Whether a block of the journal's own had a wrong checksum.</summary>
    public bool IsDamaged { get; private set; }

    /// <summary>The entries of a descriptor.</summary>
    public List<JournalTag> Describe(ReadOnlySpan<byte> block)
    {
        CheckTail(block);
        Sum(block);
        var tags = new List<JournalTag>();
        int end = block.Length - (header.HasChecksums ? sizeof(uint) : 0);
        for (int at = FirstTag; at + header.TagLength <= end;)
        {
            ReadOnlySpan<byte> tag = block.Slice(at, header.TagLength);
            uint flags = header.HasChecksumV3 ? JournalHeader.Number(tag, 4) : BinaryPrimitives.ReadUInt16BigEndian(tag[6..]);
            long number = JournalHeader.Number(tag, 0) | (header.Is64Bit ? (long)JournalHeader.Number(tag, 8) << 32 : 0);
            uint? checksum = !header.HasChecksums ? null : header.HasChecksumV3 ? JournalHeader.Number(tag, 12) : BinaryPrimitives.ReadUInt16BigEndian(tag[4..]);
            tags.Add(new JournalTag(number & long.MaxValue, (flags & Escaped) != 0, checksum));
            if ((flags & Last) != 0)
            {
                break;
            }

            at += header.TagLength + ((flags & SameId) != 0 ? 0 : IdLength);
        }

        return tags;
    }

    /// <summary>Takes a block with revoked ones.</summary>
    /// <exception cref="Vaults.Errors.BackupException">VolumeUnsupported: there are more than are kept.</exception>
    public void Revoke(ReadOnlySpan<byte> block, int most, VolumeSource source)
    {
        CheckTail(block);
        int room = block.Length - (header.HasChecksums ? sizeof(uint) : 0);
        int length = header.Is64Bit ? sizeof(ulong) : sizeof(uint);
        uint used = JournalHeader.Number(block, 12);
        if (used > room)
        {
            IsDamaged = true;
            return;
        }

        for (int at = 16; at + length <= used; at += length)
        {
            Revoked.Add(header.Is64Bit ? BinaryPrimitives.ReadInt64BigEndian(block[at..]) : JournalHeader.Number(block, at));
        }

        if (Revoked.Count > most)
        {
            throw source.Unsupported("its journal has more than is kept in memory");
        }
    }

    /// <summary>Adds a block to the sum of all, which the oldest kind of checksums has.</summary>
    public void Sum(ReadOnlySpan<byte> block)
    {
        if (header.HasSums)
        {
            _sum = Crc32Big.Add(_sum, block);
        }
    }

    /// <summary>Whether a commit is whole, and is this one's.</summary>
    public bool IsCommittedBy(ReadOnlySpan<byte> block)
    {
        uint told = JournalHeader.Number(block, SumAt);
        if (header.HasChecksums)
        {
            byte[] summed = block[..blockSize].ToArray();
            summed.AsSpan(SumAt, sizeof(uint)).Clear();
            return Crc32C.Add(header.Seed, summed) == told;
        }

        // The kind 1 is CRC-32 with four bytes. A commit without one is whole, too: the mount had none then.
        return !header.HasSums
            || (block[0xC] == 1 && block[0xD] == sizeof(uint) && told == _sum)
            || (block[0xC] == 0 && block[0xD] == 0 && told == 0);
    }

    // The last four bytes of a descriptor, and of a block with revoked ones, are its sum.
    private void CheckTail(ReadOnlySpan<byte> block)
    {
        if (header.HasChecksums)
        {
            byte[] summed = block.ToArray();
            summed.AsSpan(block.Length - sizeof(uint)).Clear();
            IsDamaged |= Crc32C.Add(header.Seed, summed) != JournalHeader.Number(block, block.Length - sizeof(uint));
        }
    }
}
