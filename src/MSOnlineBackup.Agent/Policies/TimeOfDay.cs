using System.Globalization;

namespace MSOnlineBackup.Agent.Policies;

/// <summary>A wall time: whole minutes since midnight, 0:00 to 23:59; as text <c>HH:mm</c>.</summary>
internal static class TimeOfDay
{
    private const string TextForm = @"hh\:mm";

    /// <summary>Whether a span is a wall time.</summary>
    public static bool IsValid(TimeSpan time) =>
        time >= TimeSpan.Zero && time < TimeSpan.FromDays(1) && time.Ticks % TimeSpan.TicksPerMinute == 0;

    /// <summary>As text.</summary>
    public static string Format(TimeSpan time) => time.ToString(TextForm, CultureInfo.InvariantCulture);

    /// <summary>Reads exactly what <see cref="Format"/> writes.</summary>
    public static bool TryParse(string? text, out TimeSpan time) =>
        TimeSpan.TryParseExact(text, TextForm, CultureInfo.InvariantCulture, TimeSpanStyles.None, out time) && IsValid(time);
}
