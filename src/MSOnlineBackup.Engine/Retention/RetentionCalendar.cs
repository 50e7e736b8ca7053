using MSOnlineBackup.Engine.Policies;

namespace MSOnlineBackup.Engine.Retention;

/// <summary>Days and periods of retention rules. No date overflows: what would lie after the last is the last.</summary>
internal static class RetentionCalendar
{
    // A yearly rule names at least one day in any twelve months.
    private const int LongestSearch = 400;

    /// <summary>Until when a policy keeps a point; the time itself where it has no such rule (any more).</summary>
    public static DateTimeOffset Until(RetentionPolicy retention, RetentionKind kind, DateTimeOffset created)
    {
        DateTime utc = created.UtcDateTime;
        return kind switch
        {
            RetentionKind.Weekly => AddDays(utc, 7L * (retention.Weekly?.Weeks ?? 0)),
            RetentionKind.Monthly => AddMonths(utc, retention.Monthly?.Months ?? 0),
            RetentionKind.Yearly => AddMonths(utc, 12L * (retention.Yearly?.Years ?? 0)),
            _ => AddDays(utc, retention.Days),
        };
    }

    /// <summary>Whether one of a weekly rule's moments lies after one wall time and not after another.</summary>
    public static bool IsDue(WeeklyRetention rule, BackupSchedule? schedule, DateTime after, DateTime until) =>
        IsDue(day => rule.Days.Contains(day.DayOfWeek), rule.Times, schedule, after, until);

    /// <summary>The same for a monthly rule.</summary>
    public static bool IsDue(MonthlyRetention rule, BackupSchedule? schedule, DateTime after, DateTime until) =>
        IsDue(day => IsOneOf(rule.When, day), rule.Times, schedule, after, until);

    /// <summary>The same for a yearly rule.</summary>
    public static bool IsDue(YearlyRetention rule, BackupSchedule? schedule, DateTime after, DateTime until) =>
        IsDue(day => rule.InMonths.Contains(day.Month) && IsOneOf(rule.When, day), rule.Times, schedule, after, until);

    /// <summary>Whether a day is one of the days of its month.</summary>
    public static bool IsOneOf(DaysOfMonth when, DateTime day)
    {
        int last = DateTime.DaysInMonth(day.Year, day.Month);
        bool isInLastWeek = day.Day + 7 > last;
        return when.Numbers.Any(number => day.Day == (number == 0 ? last : Math.Min(number, last)))
            || (when.Days.Contains(day.DayOfWeek)
                && when.Weeks.Any(week => week == NthWeek.Last ? isInLastWeek : (day.Day - 1) / 7 == week - NthWeek.First));
    }

    private static bool IsDue(
        Func<DateTime, bool> isDay, IReadOnlyList<TimeSpan> times, BackupSchedule? schedule, DateTime after, DateTime until)
    {
        TimeSpan first = schedule is { Times.Count: > 0 } ? schedule.Times.Min() : TimeSpan.Zero;
        IReadOnlyList<TimeSpan> moments = times.Count > 0 ? times : [first];
        DateTime day = until.Date;
        for (int back = 0; back <= LongestSearch && day >= after.Date; back++)
        {
            if (isDay(day) && moments.Any(moment => day + moment > after && day + moment <= until))
            {
                return true;
            }

            if (day == DateTime.MinValue)
            {
                return false;
            }

            day = day.AddDays(-1);
        }

        return false;
    }

    private static DateTimeOffset AddDays(DateTime utc, long days) =>
        new(days < (DateTime.MaxValue - utc).TotalDays ? utc.AddDays(days) : DateTime.MaxValue, TimeSpan.Zero);

    private static DateTimeOffset AddMonths(DateTime utc, long months)
    {
        long left = (12L * (DateTime.MaxValue.Year - utc.Year)) + (DateTime.MaxValue.Month - utc.Month);
        return new DateTimeOffset(months <= left ? utc.AddMonths((int)months) : DateTime.MaxValue, TimeSpan.Zero);
    }
}
