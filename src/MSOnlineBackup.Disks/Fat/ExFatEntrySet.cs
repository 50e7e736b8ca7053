using System.Buffers.Binary;
using MSOnlineBackup.Disks.Volumes;
using MSOnlineBackup.Platform.Items;

namespace MSOnlineBackup.Disks.Fat;

/// <summary>Reads the entries of a folder one after another: of a file there is one, then one that says where its content is, then its name in pieces of 15 letters.</summary>
internal sealed class ExFatEntrySet(VolumeSource source, int clusterSize)
{
    private const int EntryLength = 32;
    private const byte File = 0x85;
    private const byte Stream = 0xC0;
    private const byte NamePiece = 0xC1;
    private const int PieceLength = 15;

    private readonly byte[] _entries = new byte[EntryLength * 256];
    private int _count;
    private int _wanted;
    private ulong _stream;

    /// <summary>Takes the next entry, which is in use.</summary>
    /// <param name="entry">Its 32 bytes.</param>
    /// <param name="id">Its place.</param>
    /// <param name="damage">Takes what is wrong with it.</param>
    /// <returns>A file or folder once all its entries are there; its number is that of the entry that says where its content is.</returns>
    public FatEntry? Take(ReadOnlySpan<byte> entry, ulong id, FolderDamage damage)
    {
        if (_count == 0 || (entry[0] & 0x40) == 0)
        {
            if (_count != 0)
            {
                damage.Add(source.Corrupt("a folder has a file with fewer entries than it should have"));
                _count = 0;
            }

            // The volume's own: label, bitmap, letters; and what nobody knows and may be skipped.
            if (entry[0] != File)
            {
                return null;
            }

            _wanted = 1 + entry[1];
        }

        entry.CopyTo(_entries.AsSpan(_count * EntryLength));
        if (_count == 1)
        {
            _stream = id;
        }

        if (++_count < _wanted)
        {
            return null;
        }

        int count = _count;
        _count = 0;
        return Parse(_entries.AsSpan(0, count * EntryLength), damage);
    }

    /// <summary>An entry that was removed, or the end: what was begun is not whole.</summary>
    public void Break(FolderDamage damage)
    {
        if (_count != 0)
        {
            damage.Add(source.Corrupt("a folder has a file with fewer entries than it should have"));
            _count = 0;
        }
    }

    private FatEntry? Parse(ReadOnlySpan<byte> set, FolderDamage damage)
    {
        if (Sum(set) != BinaryPrimitives.ReadUInt16LittleEndian(set[2..]))
        {
            damage.Add(source.Corrupt("the checksum of a file's entries is wrong"));
            return null;
        }

        bool isFolder = (BinaryPrimitives.ReadUInt16LittleEndian(set[4..]) & 0x10) != 0;
        if (set.Length < 3 * EntryLength || set[EntryLength] != Stream || Name(set) is not string name || !FatEntry.IsName(name))
        {
            damage.Add(source.Corrupt("a folder has a name that cannot be one"));
            return null;
        }

        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(set[(EntryLength + 24)..]);
        if (length > (ulong)clusterSize << 32)
        {
            damage.Add(source.Corrupt($"a file has {length} bytes, which is more than there can be"));
            return null;
        }

        // In quarters of an hour, with a sign, if the highest bit says that it is known.
        int zone = set[0x17];
        TimeSpan offset = (zone & 0x80) == 0 ? default : TimeSpan.FromMinutes(15 * (((zone & 0x7F) ^ 0x40) - 0x40));
        return new FatEntry(
            _stream,
            name,
            name,
            isFolder ? EntryKind.Directory : EntryKind.File,
            isFolder ? 0 : (long)length,
            FatTime.Read(BinaryPrimitives.ReadUInt16LittleEndian(set[0xE..]), BinaryPrimitives.ReadUInt16LittleEndian(set[0xC..]), set[0x15], offset));
    }

    private static string? Name(ReadOnlySpan<byte> set)
    {
        int length = set[EntryLength + 3];
        Span<char> name = stackalloc char[length];
        for (int i = 0; i < length; i++)
        {
            int entry = (2 + (i / PieceLength)) * EntryLength;
            if (entry >= set.Length || set[entry] != NamePiece)
            {
                return null;
            }

            name[i] = (char)BinaryPrimitives.ReadUInt16LittleEndian(set[(entry + 2 + (2 * (i % PieceLength)))..]);
        }

        return new string(name);
    }

    private static ushort Sum(ReadOnlySpan<byte> set)
    {
        ushort sum = 0;
        for (int i = 0; i < set.Length; i++)
        {
            sum = i is 2 or 3 ? sum : unchecked((ushort)(ushort.RotateRight(sum, 1) + set[i]));
        }

        return sum;
    }
}
