using System.Buffers.Binary;
using System.IO.Hashing;
using MSOnlineBackup.Platform.Items;

namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>A number that all names of one file have, and nothing else: programs that copy go by it, and must not take two files for one.</summary>
internal static class FileNumber
{
    /// <summary>The bit that every such number has.</summary>
    public const ulong Mark = 1UL << 63;

    /// <summary>The number of an entry's file; null where it has no other names.</summary>
    /// <param name="source">Which source it is of: files of different sources are different.</param>
    /// <param name="entry">The entry.</param>
    public static ulong? Of(int source, ManifestEntry entry)
    {
        EntryMetadata metadata = entry.Metadata;
        if (entry.Kind == EntryKind.Directory || metadata.LinkCount <= 1 || metadata.FileId == 0)
        {
            return null;
        }

        // Size and time, because an inode can have passed to another file while the backup ran.
        Span<byte> identity = stackalloc byte[6 * sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(identity, source);
        BinaryPrimitives.WriteUInt64LittleEndian(identity[8..], metadata.DeviceId);
        BinaryPrimitives.WriteUInt64LittleEndian(identity[16..], metadata.FileId);
        BinaryPrimitives.WriteInt64LittleEndian(identity[24..], entry.Size);
        BinaryPrimitives.WriteInt64LittleEndian(identity[32..], metadata.Modified.Seconds);
        BinaryPrimitives.WriteInt64LittleEndian(identity[40..], metadata.Modified.Nanoseconds);
        return XxHash3.HashToUInt64(identity) | Mark;
    }
}
