using System.Buffers.Binary;
using MSOnlineBackup.Disks.Reading;
using MSOnlineBackup.Disks.Volumes;

namespace MSOnlineBackup.Disks.Ext4;

/// <summary>A block of a folder: entries, each with its own length, that fill it. A block of an index of names looks like one entry that is free.</summary>
internal sealed class FolderBlock(VolumeSource source, Superblock superblock)
{
    private const int HeaderLength = 8;
    private const int TailLength = 12;
    private const int ShortestEntry = 12;

    /// <summary>Reads its entries, without "." and "..".</summary>
    /// <param name="folder">Whose block it is.</param>
    /// <param name="block">Its bytes.</param>
    /// <param name="hasChecksum">Whether it is a whole block, which ends with a checksum where the file system has them; not so within an inode.</param>
    /// <param name="damage">Takes what is wrong with it; entries before that are given.</param>
    public List<FolderEntry> Read(Inode folder, ReadOnlyMemory<byte> block, bool hasChecksum, FolderDamage damage)
    {
        var entries = new List<FolderEntry>();
        ReadOnlySpan<byte> bytes = block.Span;
        if (hasChecksum && superblock.Features.HasChecksums && !IsSound(folder, bytes))
        {
            damage.Add(source.Corrupt($"the checksum of a block of the folder with inode {folder.Number} is wrong"));
            return entries;
        }

        for (int at = 0; at < bytes.Length;)
        {
            int left = bytes.Length - at;
            int length = left < HeaderLength ? 0 : LengthAt(bytes, at);
            int name = left < HeaderLength ? 0 : superblock.Features.HasFileTypes ? bytes[at + 6] : BinaryPrimitives.ReadUInt16LittleEndian(bytes[(at + 6)..]);
            if (length < ShortestEntry || length % 4 != 0 || length > left || name > length - HeaderLength)
            {
                damage.Add(source.Corrupt($"the folder with inode {folder.Number} has an entry that does not fit"));
                return entries;
            }

            uint inode = Superblock.Number(bytes, at);
            if (inode != 0)
            {
                ReadOnlyMemory<byte> text = block.Slice(at + HeaderLength, name);
                if (text.IsEmpty || text.Length > 255 || text.Span.ContainsAny((byte)'/', (byte)0))
                {
                    damage.Add(source.Corrupt($"the folder with inode {folder.Number} has a name that cannot be one"));
                }
                else if (!text.Span.SequenceEqual("."u8) && !text.Span.SequenceEqual(".."u8))
                {
                    entries.Add(new FolderEntry(inode, text));
                }
            }

            at += length;
        }

        return entries;
    }

    // Of blocks of 64 KiB, the length of one entry that fills them does not fit into 16 bits.
    private int LengthAt(ReadOnlySpan<byte> bytes, int at)
    {
        int length = BinaryPrimitives.ReadUInt16LittleEndian(bytes[(at + 4)..]);
        return superblock.BlockSize < 65_536 ? length : length is 0 or 65_535 ? superblock.BlockSize : (length & 65_532) | ((length & 3) << 16);
    }

    private bool IsSound(Inode folder, ReadOnlySpan<byte> bytes)
    {
        // The first block of a folder that was indexed later still ends as it did before, so that the end does not tell which it is.
        if (folder.IsIndexed && IsOfIndex(bytes))
        {
            return IsSoundIndex(folder, bytes);
        }

        // At the end of a block of entries is one that is free and has the checksum.
        ReadOnlySpan<byte> tail = bytes[^TailLength..];
        return Superblock.Number(tail, 0) == 0 && BinaryPrimitives.ReadUInt16LittleEndian(tail[4..]) == TailLength && tail[6] == 0 && tail[7] == 0xDE
            && Crc32C.Add(folder.Seed, bytes[..^TailLength]) == Superblock.Number(tail, 8);
    }

    // One entry that is free, or "." and a ".." that has all the rest.
    private bool IsOfIndex(ReadOnlySpan<byte> bytes)
    {
        int length = LengthAt(bytes, 0);
        return (length == bytes.Length && Superblock.Number(bytes, 0) == 0) || (length == ShortestEntry && LengthAt(bytes, ShortestEntry) == bytes.Length - ShortestEntry);
    }

    // The checksum stands behind the room for the index's entries, and four bytes that are part of it.
    private bool IsSoundIndex(Inode folder, ReadOnlySpan<byte> bytes)
    {
        int counts = LengthAt(bytes, 0) == bytes.Length ? 8 : 32;
        int room = BinaryPrimitives.ReadUInt16LittleEndian(bytes[counts..]);
        int count = BinaryPrimitives.ReadUInt16LittleEndian(bytes[(counts + 2)..]);
        int end = counts + (room * 8);
        if (count > room || end + 8 > bytes.Length)
        {
            return false;
        }

        uint sum = Crc32C.Add(folder.Seed, bytes[..(counts + (count * 8))]);
        return Crc32C.Add(Crc32C.Add(sum, bytes.Slice(end, 4)), 0) == Superblock.Number(bytes, end + 4);
    }
}
