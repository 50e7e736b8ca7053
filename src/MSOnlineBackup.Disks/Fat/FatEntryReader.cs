using System.Buffers.Binary;
using MSOnlineBackup.Disks.Volumes;
using MSOnlineBackup.Platform.Items;

namespace MSOnlineBackup.Disks.Fat;

/// <summary>
/// Reads the entries of a folder one after another. A long name comes before the entry that it belongs to, in pieces of 13 letters, the last one first; it
/// counts if all pieces are there and name the sum of the short name.
/// </summary>
internal sealed class FatEntryReader(VolumeSource source)
{
    private const int PieceLength = 13;
    private const byte LabelBit = 0x08;
    private const byte FolderBit = 0x10;
    private const byte LongName = 0x0F;
    private const byte Removed = 0xE5;

    private readonly char[] _name = new char[20 * PieceLength];
    private int _missing = -1;
    private int _length;
    private byte _sum;

    /// <summary>The label, where an entry is one.</summary>
    public static string? LabelOf(ReadOnlySpan<byte> entry) =>
        entry[0] != Removed && (entry[11] & 0x3F) != LongName && (entry[11] & (LabelBit | FolderBit)) == LabelBit && CodePage437.ToText(entry[..11]).TrimEnd(' ') is { Length: > 0 } label
            ? label
            : null;

    /// <summary>Takes the next entry, which is not the end.</summary>
    /// <param name="entry">Its 32 bytes.</param>
    /// <param name="id">Its place.</param>
    /// <param name="damage">Takes what is wrong with it.</param>
    /// <returns>A file or folder; null where it is a piece of a name, was removed, or is none.</returns>
    public FatEntry? Read(ReadOnlySpan<byte> entry, ulong id, FolderDamage damage)
    {
        if (entry[0] != Removed && (entry[11] & 0x3F) == LongName)
        {
            Take(entry);
            return null;
        }

        string? name = _missing == 0 && _sum == Sum(entry[..11]) ? new string(_name, 0, _length) : null;
        _missing = -1;
        if (entry[0] == Removed || (entry[11] & LabelBit) != 0 || entry[..11].SequenceEqual(".          "u8) || entry[..11].SequenceEqual("..         "u8))
        {
            return null;
        }

        string shortName = ShortName(entry);
        name ??= shortName;
        if (!FatEntry.IsName(name))
        {
            damage.Add(source.Corrupt("a folder has a name that cannot be one"));
            return null;
        }

        bool isFolder = (entry[11] & FolderBit) != 0;
        return new FatEntry(
            id,
            name,
            shortName,
            isFolder ? EntryKind.Directory : EntryKind.File,
            isFolder ? 0 : BinaryPrimitives.ReadUInt32LittleEndian(entry[28..]),
            FatTime.Read(BinaryPrimitives.ReadUInt16LittleEndian(entry[24..]), BinaryPrimitives.ReadUInt16LittleEndian(entry[22..])));
    }

    private static byte Sum(ReadOnlySpan<byte> name)
    {
        int sum = 0;
        foreach (byte one in name)
        {
            sum = (((sum & 1) << 7) + (sum >> 1) + one) & 0xFF;
        }

        return (byte)sum;
    }

    // Eight letters and three. Bits say that one of the two is in lower case; 0xE5 would be a removed one, and is written as 5.
    private static string ShortName(ReadOnlySpan<byte> entry)
    {
        Span<byte> letters = stackalloc byte[11];
        entry[..11].CopyTo(letters);
        letters[0] = letters[0] == 5 ? Removed : letters[0];
        string first = CodePage437.ToText(letters[..8]).TrimEnd(' ');
        string last = CodePage437.ToText(letters[8..]).TrimEnd(' ');
        first = (entry[12] & 0x08) != 0 ? first.ToLowerInvariant() : first;
        last = (entry[12] & 0x10) != 0 ? last.ToLowerInvariant() : last;
        return last.Length == 0 ? first : $"{first}.{last}";
    }

    private void Take(ReadOnlySpan<byte> entry)
    {
        int number = entry[0] & 0x1F;
        bool isLast = (entry[0] & 0x40) != 0;
        if (number is 0 or > 20 || (!isLast && (number != _missing || entry[13] != _sum)))
        {
            _missing = -1;
            return;
        }

        if (isLast)
        {
            (_sum, _length) = (entry[13], number * PieceLength);
        }

        _missing = number - 1;
        for (int i = 0; i < PieceLength; i++)
        {
            int at = i < 5 ? 1 + (2 * i) : i < 11 ? 14 + (2 * (i - 5)) : 28 + (2 * (i - 11));
            char letter = (char)BinaryPrimitives.ReadUInt16LittleEndian(entry[at..]);

            // What is left of the last piece is a zero and then ones.
            if (letter == 0 && isLast)
            {
                _length = (_missing * PieceLength) + i;
                break;
            }

            _name[(_missing * PieceLength) + i] = letter;
        }
    }
}
