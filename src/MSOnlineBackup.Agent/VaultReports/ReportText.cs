using System.Globalization;
using System.Text;

namespace MSOnlineBackup.Agent.VaultReports;

/// <summary>Text for reports. Whatever comes from a vault may have been written by an attacker.</summary>
internal static class ReportText
{
    private static readonly string[] _units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

    /// <summary>Text in which nothing hides: control characters, those that turn the direction of text, and what is no character stand as <c>\uHHHH</c>.</summary>
    public static string Visible(string text)
    {
        var visible = new StringBuilder(text.Length);
        for (int at = 0; at < text.Length; at++)
        {
            char c = text[at];
            bool isPair = char.IsHighSurrogate(c) && at + 1 < text.Length && char.IsLowSurrogate(text[at + 1]);
            if (isPair)
            {
                visible.Append(c).Append(text[++at]);
            }
            else if (char.IsControl(c) || char.IsSurrogate(c) || c is '\u200e' or '\u200f' or '\u061c' or '\ufffe' or '\uffff' or (>= '\u2028' and <= '\u202e') or (>= '\u2066' and <= '\u2069'))
            {
                visible.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
            }
            else
            {
                visible.Append(c);
            }
        }

        return visible.ToString();
    }

    /// <summary>The same for HTML and XML, between tags and in attributes.</summary>
    public static string Html(string text) => Visible(text)
        .Replace("&", "&amp;", StringComparison.Ordinal)
        .Replace("<", "&lt;", StringComparison.Ordinal)
        .Replace(">", "&gt;", StringComparison.Ordinal)
        .Replace("\"", "&quot;", StringComparison.Ordinal)
        .Replace("'", "&#39;", StringComparison.Ordinal);

    /// <summary>A field of CSV, that no spreadsheet takes for a formula.</summary>
    public static string Csv(string? text)
    {
        string visible = Visible(text ?? "");
        string safe = visible is ['=' or '+' or '-' or '@', ..] ? "'" + visible : visible;
        return safe.AsSpan().IndexOfAny(",\"'; ") < 0 ? safe : $"\"{safe.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }

    /// <summary>Bytes with three digits and a binary unit.</summary>
    public static string Size(long bytes)
    {
        int unit = 0;
        double value = bytes;
        while (value >= 999.5 && unit < _units.Length - 1)
        {
            value /= 1024;
            unit++;
        }

        string format = unit == 0 || value >= 99.95 ? "0" : value >= 9.995 ? "0.0" : "0.00";
        return $"{value.ToString(format, CultureInfo.InvariantCulture)} {_units[unit]}";
    }

    /// <summary>2026-03-01 14:05, in UTC.</summary>
    public static string Minute(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);

    /// <summary>2026-03-01T14:05:09Z.</summary>
    public static string ExactTime(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>CompletedWithWarnings as Completed with warnings.</summary>
    public static string Words(string name) => string.Concat(name.Select((c, at) => at > 0 && char.IsAsciiLetterUpper(c) ? $" {char.ToLowerInvariant(c)}" : $"{c}"));

    /// <summary>90 minutes, 47 hours, 3 days: whole ones.</summary>
    public static string Span(double hours) => hours switch
    {
        < 2.0 / 60 => "a minute",
        < 2 => string.Create(CultureInfo.InvariantCulture, $"{Math.Floor(hours * 60)} minutes"),
        < 48 => string.Create(CultureInfo.InvariantCulture, $"{Math.Floor(hours)} hours"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{Math.Floor(hours / 24):N0} days"),
    };

    /// <summary>97.3 %; 100 % only where nothing is missing.</summary>
    public static string Percent(double share) => string.Create(CultureInfo.InvariantCulture, $"{(share >= 1 ? 100 : Math.Floor(share * 1000) / 10):0.#} %");

    /// <summary>1,234.</summary>
    public static string Count(long count) => count.ToString("N0", CultureInfo.InvariantCulture);
}
