using System.Globalization;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Recovery;

/// <summary>The time of a recovery point as somebody types it: any form that can be read, as exact as it is meant.</summary>
internal readonly struct PointTime
{
    private readonly DateTimeOffset _time;
    private readonly TimeSpan _exactTo;

    private PointTime(DateTimeOffset time, TimeSpan exactTo) => (_time, _exactTo) = (time, exactTo);

    /// <summary>Reads a time: one that names no zone is this machine's local time.</summary>
    public static bool TryParse(string text, out PointTime time)
    {
        const DateTimeStyles Local = DateTimeStyles.AssumeLocal | DateTimeStyles.AllowWhiteSpaces;

        // Dates are written by people as their culture has it, by PowerShell and by other programs as the invariant one has it, or ISO 8601.
        if (!DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, Local, out DateTimeOffset read)
            && !DateTimeOffset.TryParse(text, CultureInfo.CurrentCulture, Local, out read))
        {
            time = default;
            return false;
        }

        TimeSpan exactTo = read.Ticks % TimeSpan.TicksPerSecond != 0 ? TimeSpan.FromTicks(1)
            : read.Second != 0 ? TimeSpan.FromSeconds(1)
            : read.TimeOfDay != TimeSpan.Zero ? TimeSpan.FromMinutes(1)
            : TimeSpan.FromDays(1);
        time = new PointTime(read, exactTo);
        return true;
    }

    /// <summary>The time as it was read: by this machine's clock, and in UTC.</summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{_time.LocalDateTime:yyyy-MM-dd HH:mm:ss} local time, which is {_time.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z");

    /// <summary>The points that are meant: of this very time; else of this second, or, as far as it was given, of this minute or day.</summary>
    public (RecoveryPoint[] Found, DamagedPoint[] Damaged) Among(RecoveryPointList points)
    {
        TimeSpan[] steps = [TimeSpan.FromTicks(1), TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1), TimeSpan.FromDays(1)];
        DateTimeOffset from = _time;
        TimeSpan exactTo = _exactTo;
        foreach (TimeSpan step in steps.TakeWhile(step => step <= exactTo))
        {
            RecoveryPoint[] found = [.. points.Where(point => IsWithin(point.Started, from, step))];
            DamagedPoint[] damaged = [.. points.Damaged.Where(point => point.Begun is { } begun && IsWithin(begun, from, step))];
            if (found.Length + damaged.Length > 0)
            {
                return (found, damaged);
            }
        }

        return ([], []);
    }

    private static bool IsWithin(DateTimeOffset time, DateTimeOffset from, TimeSpan step) => time >= from && time - from < step;
}
