using System.Buffers;
using System.Text;

namespace MSOnlineBackup.Platform.Windows;

/// <summary>Windows names, which are any 16-bit units but a few, as bytes and back without loss: UTF-8, and for a lone
/// surrogate the three bytes that UTF-8 would give it if it were a character (WTF-8).</summary>
internal static class WtfName
{
    /// <summary>The bytes of a name.</summary>
    public static byte[] ToBytes(ReadOnlySpan<char> name)
    {
        var bytes = new ArrayBufferWriter<byte>(name.Length + 8);
        while (!name.IsEmpty)
        {
            Span<byte> room = bytes.GetSpan(4);
            if (Rune.DecodeFromUtf16(name, out Rune rune, out int consumed) == OperationStatus.Done)
            {
                bytes.Advance(rune.EncodeToUtf8(room));
            }
            else
            {
                consumed = 1;
                room[0] = (byte)(0xE0 | (name[0] >> 12));
                room[1] = (byte)(0x80 | ((name[0] >> 6) & 0x3F));
                room[2] = (byte)(0x80 | (name[0] & 0x3F));
                bytes.Advance(3);
            }

            name = name[consumed..];
        }

        return bytes.WrittenSpan.ToArray();
    }

    /// <summary>The name that the bytes stand for; null where they stand for none (a name from Linux that is no text).</summary>
    public static string? FromBytes(ReadOnlySpan<byte> bytes)
    {
        var name = new StringBuilder(bytes.Length);
        Span<char> units = stackalloc char[2];
        while (!bytes.IsEmpty)
        {
            if (Rune.DecodeFromUtf8(bytes, out Rune rune, out int consumed) == OperationStatus.Done)
            {
                name.Append(units[..rune.EncodeToUtf16(units)]);
            }
            else if (bytes is [0xED, >= 0xA0 and <= 0xBF, >= 0x80 and <= 0xBF, ..])
            {
                consumed = 3;
                name.Append((char)(0xD000 | ((bytes[1] & 0x3F) << 6) | (bytes[2] & 0x3F)));
            }
            else
            {
                return null;
            }

            bytes = bytes[consumed..];
        }

        return name.ToString();
    }
}
