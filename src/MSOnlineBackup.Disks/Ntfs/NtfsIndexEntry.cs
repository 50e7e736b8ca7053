using System.Buffers.Binary;

namespace MSOnlineBackup.Disks.Ntfs;

/// <summary>An entry of a folder's index.</summary>
/// <param name="Reference">The file's record; 0 in the last entry of a block.</param>
/// <param name="Key">Its name; null in the last entry of a block.</param>
/// <param name="Child">The block with the names before it; null where there is none.</param>
internal sealed record NtfsIndexEntry(ulong Reference, NtfsFileName? Key, long? Child)
{
    private const int HeaderLength = 16;

    /// <summary>Reads the entries of a root or a block.</summary>
    /// <param name="index">From the index header on.</param>
    /// <param name="name">What it is, for messages.</param>
    public static List<NtfsIndexEntry> Decode(ReadOnlySpan<byte> index, string name)
    {
        uint at = index.Length < HeaderLength ? uint.MaxValue : BinaryPrimitives.ReadUInt32LittleEndian(index);
        uint end = index.Length < HeaderLength ? 0 : BinaryPrimitives.ReadUInt32LittleEndian(index[4..]);
        if (end > index.Length || at > end || at < HeaderLength)
        {
            throw NtfsFault.Corrupt($"{name} is longer than it may be");
        }

        var entries = new List<NtfsIndexEntry>();
        for (ReadOnlySpan<byte> rest = index[(int)at..(int)end]; ;)
        {
            int length = rest.Length < HeaderLength ? 0 : BinaryPrimitives.ReadUInt16LittleEndian(rest[8..]);
            int flags = rest.Length < HeaderLength ? 0 : BinaryPrimitives.ReadUInt16LittleEndian(rest[12..]);
            (bool hasChild, bool isLast) = ((flags & 1) != 0, (flags & 2) != 0);
            int keyEnd = length - (hasChild ? 8 : 0);
            int keyLength = rest.Length < HeaderLength || isLast ? 0 : BinaryPrimitives.ReadUInt16LittleEndian(rest[10..]);
            if (length > rest.Length || length % 8 != 0 || keyEnd < HeaderLength + keyLength)
            {
                throw NtfsFault.Corrupt($"an entry of {name} is cut off");
            }

            long? child = hasChild ? BinaryPrimitives.ReadInt64LittleEndian(rest[keyEnd..]) : null;
            if (isLast)
            {
                entries.Add(new NtfsIndexEntry(0, null, child));
                return entries;
            }

            entries.Add(new NtfsIndexEntry(
                BinaryPrimitives.ReadUInt64LittleEndian(rest), NtfsFileName.Decode(rest.Slice(HeaderLength, keyLength)), child));
            rest = rest[length..];
        }
    }
}
