using System.Globalization;
using System.Text;

namespace MSOnlineBackup.Host.Rendering;

/// <summary>
/// Text that a terminal shows and does not obey. Names, tags and labels come from a vault that anybody may have written: control characters in them, and those
/// that turn the direction of text, stand as <c>\xHH</c> or <c>\uHHHH</c>.
/// </summary>
internal static class VisibleText
{
    /// <summary>One line: a line break in it is made visible too.</summary>
    public static string Line(string text) => Escape(text, keepsBreaks: false);

    /// <summary>Lines that are meant as lines.</summary>
    public static string Lines(string text) => Escape(text, keepsBreaks: true);

    private static string Escape(string text, bool keepsBreaks)
    {
        int first = 0;
        while (first < text.Length && !IsHidden(text[first], keepsBreaks))
        {
            first++;
        }

        if (first == text.Length)
        {
            return text;
        }

        var visible = new StringBuilder(text, 0, first, text.Length + 16);
        foreach (char c in text.AsSpan(first))
        {
            if (!IsHidden(c, keepsBreaks))
            {
                visible.Append(c);
            }
            else if (c <= 0xff)
            {
                visible.Append(CultureInfo.InvariantCulture, $"\\x{(int)c:x2}");
            }
            else
            {
                visible.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
            }
        }

        return visible.ToString();
    }

    private static bool IsHidden(char c, bool keepsBreaks) =>
        (char.IsControl(c) && !(keepsBreaks && c == '\n')) || c is '\u2028' or '\u2029' or (>= '\u202a' and <= '\u202e') or (>= '\u2066' and <= '\u2069');
}
