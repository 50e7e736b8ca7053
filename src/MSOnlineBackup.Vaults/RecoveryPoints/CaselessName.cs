using System.Buffers;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Text;

namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>
/// Names as file systems compare them that do not tell capital from small letters: unit by unit, each by its simple capital letter, in no language.
/// A unit is a character of UTF-8 or, where the bytes are none, a single byte.
/// </summary>
internal static class CaselessName
{
    /// <summary>Bytes that are not UTF-8 are units above every character.</summary>
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

        if (Rune.DecodeFromUtf8(bytes[position..], out Rune rune, out int length) != OperationStatus.Done)
        {
            position++;
            return RawByte + first;
        }

        position += length;
        return ignoreCase ? Rune.ToUpperInvariant(rune).Value : rune.Value;
    }

    /// <summary>A hash of a name, by which it is told from the others of a folder.</summary>
    /// <param name="name">The name.</param>
    /// <param name="ignoreCase">Whether names that differ only by the case of letters have the same one.</param>
    public static ulong Hash(ReadOnlySpan<byte> name, bool ignoreCase)
    {
        if (!ignoreCase)
        {
            return XxHash3.HashToUInt64(name);
        }

        // A unit is at least a byte.
        int[] units = ArrayPool<int>.Shared.Rent(name.Length);
        int count = 0;
        for (int position = 0; position < name.Length;)
        {
            units[count++] = NextUnit(name, ref position, ignoreCase: true);
        }

        ulong hash = XxHash3.HashToUInt64(MemoryMarshal.AsBytes(units.AsSpan(0, count)));
        ArrayPool<int>.Shared.Return(units);
        return hash;
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
