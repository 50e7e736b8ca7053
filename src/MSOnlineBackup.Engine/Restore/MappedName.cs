using System.Buffers;
using System.Text;

namespace MSOnlineBackup.Engine.Restore;

/// <summary>
/// Names for items whose own Windows does not have, and the way back: the mapping of rclone's local backend on Windows, so that its tools read it too.
/// What Windows lacks becomes a character that looks like it: <c>" * : &lt; &gt; ? \ |</c> their full-width forms (U+FF02, …: 0xFEE0 more), the control
/// characters U+0001 to U+001F their pictures (0x2400 more), a blank or a full stop at the end U+2420 or U+FF0E. A byte that belongs to no UTF-8 becomes U+201B
/// and two hexadecimal digits. A name that has such a character already has U+201B before it, which stands for itself where it stands twice: no two names
/// become one.
/// </summary>
internal static class MappedName
{
    private const int Quote = 0x201B;
    private const int PictureOffset = 0x2400;
    private const int FullWidthOffset = 0xFEE0;
    private const int LastPicture = PictureOffset + 0x1F;
    private const int BlankPicture = PictureOffset + ' ';
    private const int FullWidthStop = FullWidthOffset + '.';

    // What Windows takes for something else in any place of a name.
    private static readonly SearchValues<byte> _special = SearchValues.Create("\"*:<>?\\|"u8);

    /// <summary>Whether Windows, by the calls that a restore uses, has a name: text without the characters that mean something there. A blank or full stop at
    /// the end can be had, though most programs cannot open such an item.</summary>
    public static bool IsPossible(ReadOnlySpan<byte> name)
    {
        if (name.ContainsAny(_special) || name.ContainsAnyInRange((byte)0, (byte)0x1F))
        {
            return false;
        }

        while (!name.IsEmpty)
        {
            if (Rune.DecodeFromUtf8(name, out _, out int consumed) != OperationStatus.Done)
            {
                // Half a pair of surrogates, as names of Windows may have it.
                if (name is not [0xED, >= 0xA0 and <= 0xBF, >= 0x80 and <= 0xBF, ..])
                {
                    return false;
                }

                consumed = 3;
            }

            name = name[consumed..];
        }

        return true;
    }

    /// <summary>The name that an item gets.</summary>
    /// <param name="name">Its own, raw: not empty, without '/' and NUL.</param>
    public static byte[] Map(ReadOnlySpan<byte> name)
    {
        var mapped = new ArrayBufferWriter<byte>(name.Length + 8);
        while (!name.IsEmpty)
        {
            bool valid = Rune.DecodeFromUtf8(name, out Rune rune, out int consumed) == OperationStatus.Done;
            bool isLast = consumed == name.Length;
            if (!valid)
            {
                foreach (byte b in name[..consumed])
                {
                    Append(mapped, Quote);
                    mapped.Write(Encoding.ASCII.GetBytes(Convert.ToHexString([b])));
                }
            }
            else if (rune.Value <= 0x1F)
            {
                Append(mapped, PictureOffset + rune.Value);
            }
            else if (rune.Value < 0x80 && _special.Contains((byte)rune.Value))
            {
                Append(mapped, FullWidthOffset + rune.Value);
            }
            else if (isLast && (rune.Value is ' ' or '.'))
            {
                Append(mapped, rune.Value == ' ' ? BlankPicture : FullWidthStop);
            }
            else
            {
                if (Stands(rune.Value, isLast))
                {
                    Append(mapped, Quote);
                }

                mapped.Write(name[..consumed]);
            }

            name = name[consumed..];
        }

        return mapped.WrittenSpan.ToArray();
    }

    // Whether a character stands for another one, there where it is.
    private static bool Stands(int character, bool isLast) =>
        character is Quote or (>= PictureOffset and <= LastPicture)
        || (character is > FullWidthOffset and < FullWidthOffset + 0x80 && _special.Contains((byte)(character - FullWidthOffset)))
        || (isLast && (character is BlankPicture or FullWidthStop));

    private static void Append(ArrayBufferWriter<byte> text, int character) =>
        text.Advance(new Rune(character).EncodeToUtf8(text.GetSpan(4)));
}
