using System.Globalization;

namespace MSOnlineBackup.Host.Rendering;

/// <summary>Quantities as people read them.</summary>
internal static class Quantity
{
    private static readonly string[] _units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

    /// <summary>Bytes with three digits and a binary unit: 512 B, 1.50 KiB, 12.3 MiB, 123 GiB.</summary>
    public static string Size(double bytes)
    {
        int unit = 0;
        double value = bytes;

        // 999.5 would be written with four digits.
        while (value >= 999.5 && unit < _units.Length - 1)
        {
            value /= 1024;
            unit++;
        }

        string format = unit == 0 || value >= 99.95 ? "0" : value >= 9.995 ? "0.0" : "0.00";
        return string.Create(CultureInfo.InvariantCulture, $"{value.ToString(format, CultureInfo.InvariantCulture)} {_units[unit]}");
    }

    /// <summary>1,234,567.</summary>
    public static string Count(long count) => count.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>1 file, 1,234,567 files.</summary>
    /// <param name="count">How many.</param>
    /// <param name="noun">Of what, in the singular; in the plural it takes an s.</param>
    public static string Count(long count, string noun) => $"{Count(count)} {noun}{(count == 1 ? null : "s")}";

    /// <summary>12.3 MiB/s.</summary>
    public static string Rate(double bytesPerSecond) => $"{Size(bytesPerSecond)}/s";

    /// <summary>7 %.</summary>
    public static string Percent(double fraction) => string.Create(CultureInfo.InvariantCulture, $"{Math.Floor(fraction * 100):0} %");

    /// <summary>0.42 s, 12 s, 2 min 05 s, 3 h 07 min, 2 d 04 h.</summary>
    public static string Duration(TimeSpan duration) => duration switch
    {
        { TotalSeconds: < 9.95 } => string.Create(CultureInfo.InvariantCulture, $"{duration.TotalSeconds:0.0#} s"),
        { TotalSeconds: < 60 } => $"{(int)duration.TotalSeconds} s",
        { TotalMinutes: < 60 } => $"{(int)duration.TotalMinutes} min {duration.Seconds:00} s",
        { TotalHours: < 24 } => $"{(int)duration.TotalHours} h {duration.Minutes:00} min",
        _ => $"{(int)duration.TotalDays} d {duration.Hours:00} h",
    };

    /// <summary>Local time with its zone: 2026-03-01 14:05:09 +01:00.</summary>
    public static string Time(DateTimeOffset time, TimeZoneInfo zone) =>
        TimeZoneInfo.ConvertTime(time, zone).ToString("yyyy-MM-dd HH:mm:ss zzz", CultureInfo.InvariantCulture);

    /// <summary>How much smaller: 2.4 : 1; a dash where nothing was stored.</summary>
    public static string Ratio(long before, long after) =>
        after == 0 ? "-" : string.Create(CultureInfo.InvariantCulture, $"{(double)before / after:0.00} : 1");

    /// <summary>Reads a size: a number with an optional unit, K, KiB, M, MiB, … binary, KB, MB, … decimal.</summary>
    public static bool TryParseSize(string text, out long bytes)
    {
        bytes = 0;
        int digits = text.TakeWhile(c => char.IsAsciiDigit(c) || c == '.').Count();
        string unit = text[digits..].Trim().ToUpperInvariant();
        if (!double.TryParse(text.AsSpan(0, digits), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double value))
        {
            return false;
        }

        int power = unit is "" or "B" ? 0 : "KMGTPE".IndexOf(unit[0], StringComparison.Ordinal) + 1;
        int step = unit switch
        {
            "" or "B" => 1,
            [_] or [_, 'I', 'B'] => 1024,
            [_, 'B'] => 1000,
            _ => 0,
        };
        double size = Math.Floor(value * Math.Pow(step, power));
        if (step == 0 || (step > 1 && power == 0) || size >= long.MaxValue)
        {
            return false;
        }

        bytes = (long)size;
        return true;
    }

    /// <summary>Reads a duration: a whole number and a unit, s, m, h or d: 90s, 30m, 12h, 7d. At most 100,000 days.</summary>
    public static bool TryParseDuration(string text, out TimeSpan duration)
    {
        duration = default;
        long seconds = text is [.., char unit] ? "smhd".IndexOf(unit, StringComparison.Ordinal) switch { 0 => 1, 1 => 60, 2 => 3_600, 3 => 86_400, _ => 0 } : 0;
        if (seconds == 0 || !long.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out long count)
            || count > 100_000L * 86_400 / seconds)
        {
            return false;
        }

        duration = TimeSpan.FromSeconds(count * seconds);
        return true;
    }
}
