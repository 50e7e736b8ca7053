using System.Globalization;

namespace MSOnlineBackup.Mounts.WebDav;

/// <summary>A part of a file that a client asks for.</summary>
/// <param name="Start">Its first byte.</param>
/// <param name="Length">How many bytes.</param>
internal readonly record struct HttpRange(long Start, long Length)
{
    /// <summary>
    /// The one range that a header asks for; null where it asks for none that is understood, or for several, which need not be given: then the whole file is. Empty
    /// where nothing of the file is in it.
    /// </summary>
    /// <param name="header">The header's value.</param>
    /// <param name="size">The file's size, in bytes.</param>
    public static HttpRange? Parse(string? header, long size)
    {
        const string Unit = "bytes=";
        if (header?.StartsWith(Unit, StringComparison.OrdinalIgnoreCase) != true)
        {
            return null;
        }

        string range = header[Unit.Length..].Trim();
        int dash = range.IndexOf('-', StringComparison.Ordinal);
        if (dash < 0)
        {
            return null;
        }

        (string first, string last) = (range[..dash].Trim(), range[(dash + 1)..].Trim());
        if (!TryRead(first, out long? start) || !TryRead(last, out long? end))
        {
            return null;
        }

        return (start, end) switch
        {
            (null, null) => null,
            (null, { } suffix) => new HttpRange(Math.Max(0, size - suffix), Math.Min(suffix, size)),
            ({ } from, { } to) when to < from => null,
            ({ } from, _) when from >= size => new HttpRange(from, 0),
            ({ } from, var to) => new HttpRange(from, Math.Min(to ?? size, size - 1) - from + 1),
        };
    }

    // A number beyond every file is a large one.
    private static bool TryRead(string text, out long? number)
    {
        number = null;
        if (text.Length == 0)
        {
            return true;
        }

        if (!text.All(char.IsAsciiDigit))
        {
            return false;
        }

        number = long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long value) ? value : long.MaxValue;
        return true;
    }
}
