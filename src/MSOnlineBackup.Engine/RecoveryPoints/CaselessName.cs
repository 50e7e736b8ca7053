using System.Text;

namespace MSOnlineBackup.Engine.RecoveryPoints;

/// <summary>
/// Names as file systems compare them that do not tell capital from small letters: unit by unit, each by its simple capital letter, in no language.
/// A unit is a character of UTF-8 or, where the bytes are none, a single byte.
/// </summary>
internal static class CaselessName
{
    /// <summary>Bytes that are no UTF-8 are units above every character.</summary>
    public const int RawByte = 0x11_0000;

    /// <summary>The unit at a position, which moves behind it.</summary>
    public static int NextUnit(ReadOnlySpan<byte> bytes, ref int position, bool ignoreCase)
    {
        int first = bytes[position];
        if (first < 0x80)
        {
            position++;
            return ignoreCase && first is >= 'a' and <= 'z' ? first - 32 : first;
        }

        if (Rune.DecodeFromUtf8(bytes[position..], out Rune rune, out int length) != System.Buffers.OperationStatus.Done)
        {
            position++;
            return RawByte + first;
        }

        position += length;
        return ignoreCase ? Rune.ToUpperInvariant(rune).Value : rune.Value;
    }

    /// <summary>Whether two names, or two paths, are one but for the case of letters.</summary>
    public static bool AreEqual(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        int l = 0;
        int r = 0;
        while (l < left.Length && r < right.Length)
        {
            if (NextUnit(left, ref l, ignoreCase: true) != NextUnit(right, ref r, ignoreCase: true))
            {
                return false;
            }
        }

        return l == left.Length && r == right.Length;
    }
}
