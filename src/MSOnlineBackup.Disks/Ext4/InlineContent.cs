using System.Buffers.Binary;
using MSOnlineBackup.Disks.Volumes;

namespace MSOnlineBackup.Disks.Ext4;

/// <summary>The content of an inode that has it in itself: 60 bytes where others have their map, and the rest in the attribute "system.data".</summary>
internal static class InlineContent
{
    /// <summary>The first part; of a folder, its first four bytes are the parent's inode.</summary>
    public static ReadOnlyMemory<byte> First(Inode inode) => inode.Map;

    /// <summary>The second part; empty where the first one is enough.</summary>
    /// <exception cref="Vaults.Errors.BackupException">VolumeCorrupt.</exception>
    public static ReadOnlyMemory<byte> Rest(VolumeSource source, Inode inode)
    {
        ReadOnlyMemory<byte> bytes = inode.Bytes;
        int first = inode.ExtraEnd + 4;
        if (first > bytes.Length || Superblock.Number(bytes.Span, inode.ExtraEnd) != 0xEA02_0000)
        {
            return default;
        }

        for (int at = first; ;)
        {
            if (at + 16 > bytes.Length)
            {
                // The list ends with four zeroes.
                return at + 4 <= bytes.Length && Superblock.Number(bytes.Span, at) == 0 ? default : throw Damaged(source, inode);
            }

            ReadOnlySpan<byte> entry = bytes.Span[at..];
            if (Superblock.Number(entry, 0) == 0)
            {
                return default;
            }

            int name = entry[0];
            if (name + 16 > entry.Length)
            {
                throw Damaged(source, inode);
            }

            // Prefix 7 is "system.".
            if (entry[1] == 7 && entry.Slice(16, name).SequenceEqual("data"u8))
            {
                int offset = BinaryPrimitives.ReadUInt16LittleEndian(entry[2..]);
                uint size = Superblock.Number(entry, 8);
                return Superblock.Number(entry, 4) == 0 && first + (long)offset + size <= bytes.Length
                    ? bytes.Slice(first + offset, (int)size)
                    : throw Damaged(source, inode);
            }

            at += (16 + name + 3) & ~3;
        }
    }

    /// <summary>Reads from an offset on as many bytes as there are and have room.</summary>
    /// <exception cref="Vaults.Errors.BackupException">VolumeCorrupt.</exception>
    public static void Read(VolumeSource source, Inode inode, long offset, Span<byte> destination)
    {
        ReadOnlySpan<byte> first = First(inode).Span;
        ReadOnlySpan<byte> rest = inode.Size > first.Length ? Rest(source, inode).Span : default;
        if (inode.Size > first.Length + rest.Length)
        {
            throw Damaged(source, inode);
        }

        for (int i = 0; i < destination.Length; i++)
        {
            int at = (int)offset + i;
            destination[i] = at < first.Length ? first[at] : rest[at - first.Length];
        }
    }

    private static Vaults.Errors.BackupException Damaged(VolumeSource source, Inode inode) =>
        source.Corrupt($"inode {inode.Number} does not have the content that it should have in itself");
}
