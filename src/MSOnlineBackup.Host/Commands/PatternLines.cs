using System.Text;
using System.Text.Unicode;

namespace MSOnlineBackup.Host.Commands;

/// <summary>The lines of a file of patterns. Names may have bytes that are no UTF-8: such a byte is written as <c>\xHH</c>, which patterns know.</summary>
internal static class PatternLines
{
    /// <summary>The lines, without loss.</summary>
    public static IEnumerable<string> Read(byte[] content)
    {
        // With a byte order mark it is what the mark says; on Windows there are no names of bytes.
        if (OperatingSystem.IsWindows() || Utf8.IsValid(content) || content is [0xFF, 0xFE, ..] or [0xFE, 0xFF, ..])
        {
            using var reader = new StreamReader(new MemoryStream(content), Encoding.UTF8, detectEncodingFromByteOrderMarks: true);
            return Lines(reader.ReadToEnd());
        }

        return Lines(Escape(content.AsSpan(content is [0xEF, 0xBB, 0xBF, ..] ? 3 : 0)));
    }

    private static string Escape(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder(bytes.Length);
        while (!bytes.IsEmpty)
        {
            bool isCharacter = Rune.DecodeFromUtf8(bytes, out Rune character, out int length) == System.Buffers.OperationStatus.Done;
            if (isCharacter)
            {
                text.Append(character.ToString());
            }
            else
            {
                length = 1;
                text.Append("\\x").Append(Convert.ToHexString(bytes[..1]));
            }

            bytes = bytes[length..];
        }

        return text.ToString();
    }

    private static List<string> Lines(string text)
    {
        var lines = new List<string>();
        using var reader = new StringReader(text);
        while (reader.ReadLine() is { } line)
        {
            lines.Add(line);
        }

        return lines;
    }
}
