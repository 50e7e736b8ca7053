using System.Text;

namespace MSOnlineBackup.Vaults.Cryptography;

/// <summary>
/// Bytes as lines of text between two markers, as PEM has them. They bear what mail, editors and PowerShell do to texts: line ends, a byte
/// order mark, UTF-16, blank lines, spaces at the ends.
/// </summary>
internal static class TextArmour
{
    private const int LineLength = 64;

    /// <summary>The text: ASCII, lines that end with a line feed.</summary>
    /// <param name="label">Capital letters and spaces.</param>
    public static string Encode(string label, ReadOnlySpan<byte> content)
    {
        string base64 = Convert.ToBase64String(content);
        var text = new StringBuilder().Append(Begin(label)).Append('\n');
        for (int at = 0; at < base64.Length; at += LineLength)
        {
            text.Append(base64, at, Math.Min(LineLength, base64.Length - at)).Append('\n');
        }

        return text.Append(End(label)).Append('\n').ToString();
    }

    /// <summary>The bytes; null where it is not such a text, or no longer one because a character other than white space was changed.</summary>
    public static byte[]? TryDecode(string label, ReadOnlySpan<byte> text)
    {
        string trimmed = ReadText(text).Trim();
        string begin = Begin(label);
        string end = End(label);
        if (!trimmed.StartsWith(begin, StringComparison.Ordinal) || !trimmed.EndsWith(end, StringComparison.Ordinal)
            || trimmed.Length < begin.Length + end.Length)
        {
            return null;
        }

        string base64 = string.Concat(trimmed[begin.Length..^end.Length].Where(c => !char.IsWhiteSpace(c)));
        byte[] content = new byte[base64.Length / 4 * 3];
        return Convert.TryFromBase64String(base64, content, out int length) && Convert.ToBase64String(content, 0, length) == base64 ? content[..length] : null;
    }

    /// <summary>Text in UTF-8, or with a byte order mark in UTF-16; without that mark.</summary>
    public static string ReadText(ReadOnlySpan<byte> text) =>
        text.StartsWith(Encoding.Unicode.Preamble) ? Encoding.Unicode.GetString(text[2..])
        : text.StartsWith(Encoding.BigEndianUnicode.Preamble) ? Encoding.BigEndianUnicode.GetString(text[2..])
        : Encoding.UTF8.GetString(text.StartsWith(Encoding.UTF8.Preamble) ? text[3..] : text);

    private static string Begin(string label) => $"-----BEGIN {label}-----";

    private static string End(string label) => $"-----END {label}-----";
}
