using System.Buffers.Binary;

namespace MSOnlineBackup.Disks.Fat;

/// <summary>Which letters an exFAT file system takes for the same in names: it has a table of its own, which says of each its upper case.</summary>
internal sealed class UpCaseTable
{
    /// <summary>How many bytes it can have: one of 16 bits for each letter.</summary>
    public const int Longest = 2 * 65_536;

    private readonly char[] _upper;

    private UpCaseTable(char[] upper) => _upper = upper;

    /// <summary>Of each letter the upper case that .NET knows, for a file system whose table is damaged: only look-ups need it.</summary>
    public static UpCaseTable OfUnicode { get; } = new([.. Enumerable.Range(0, 65_536).Select(letter => char.ToUpperInvariant((char)letter))]);

    /// <summary>Reads one.</summary>
    /// <param name="bytes">Its bytes, in which 0xFFFF and a number stand for so many letters that are their own upper case.</param>
    /// <param name="checksum">What their sum should be.</param>
    /// <returns>Null where it is damaged.</returns>
    public static UpCaseTable? Decode(ReadOnlySpan<byte> bytes, uint checksum)
    {
        uint sum = 0;
        foreach (byte one in bytes)
        {
            sum = unchecked(uint.RotateRight(sum, 1) + one);
        }

        if (sum != checksum)
        {
            return null;
        }

        char[] upper = [.. Enumerable.Range(0, 65_536).Select(letter => (char)letter)];
        int at = 0;
        for (int i = 0; i + 1 < bytes.Length && at < upper.Length; i += 2)
        {
            ushort one = BinaryPrimitives.ReadUInt16LittleEndian(bytes[i..]);
            if (one == 0xFFFF && i + 3 < bytes.Length)
            {
                i += 2;
                at += BinaryPrimitives.ReadUInt16LittleEndian(bytes[i..]);
            }
            else
            {
                upper[at++] = (char)one;
            }
        }

        return new UpCaseTable(upper);
    }

    /// <summary>Whether two names are one.</summary>
    public bool AreSame(string left, string right)
    {
        if (left.Length != right.Length)
        {
            return false;
        }

        for (int i = 0; i < left.Length; i++)
        {
            if (_upper[left[i]] != _upper[right[i]])
            {
                return false;
            }
        }

        return true;
    }
}
