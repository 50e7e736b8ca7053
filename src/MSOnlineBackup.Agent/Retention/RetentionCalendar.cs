using MSOnlineBackup.Agent.Policies;

namespace MSOnlineBackup.Agent.Retention;

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

    /// <summary>Whether one of a weekly rule's moments lies in a window.</summary>
    public static bool IsDue(WeeklyRetention rule, BackupSchedule? schedule, RetentionWindow window) =>
        IsDue(day => rule.Days.Contains(day.DayOfWeek), rule.Times, schedule, window);

    /// <summary>Whether one of a monthly rule's moments lies in a window.</summary>
    public static bool IsDue(MonthlyRetention rule, BackupSchedule? schedule, RetentionWindow window) =>
        IsDue(day => IsOneOf(rule.When, day), rule.Times, schedule, window);

    /// <summary>Whether one of a yearly rule's moments lies in a window.</summary>
    public static bool IsDue(YearlyRetention rule, BackupSchedule? schedule, RetentionWindow window) =>
        IsDue(day => rule.InMonths.Contains(day.Month) && IsOneOf(rule.When, day), rule.Times, schedule, window);

    /// <summary>Whether a day is one of the days of its month.</summary>
    public static bool IsOneOf(DaysOfMonth when, DateTime day)
    {
        int last = DateTime.DaysInMonth(day.Year, day.Month);
        bool isInLastWeek = day.Day + 7 > last;
        return when.Numbers.Any(number => day.Day == (number == 0 ? last : Math.Min(number, last)))
            || (when.Days.Contains(day.DayOfWeek)
                && when.Weeks.Any(week => week == NthWeek.Last ? isInLastWeek : (day.Day - 1) / 7 == week - NthWeek.First));
    }

    private static bool IsDue(Func<DateTime, bool> isDay, IReadOnlyList<TimeSpan> times, BackupSchedule? schedule, RetentionWindow window)
    {
        TimeSpan first = schedule is { Times.Count: > 0 } ? schedule.Times.Min() : TimeSpan.Zero;
        IReadOnlyList<TimeSpan> moments = times.Count > 0 ? times : [first];
        DateTime last = window.LastDay;
        int days = Math.Min((last - window.FirstDay).Days, LongestSearch) + 1;
        return Enumerable.Range(0, days).Select(back => last.AddDays(-back))
            .Any(day => isDay(day) && moments.Any(moment => window.Contains(day + moment)));
    }

    private static DateTimeOffset AddDays(DateTime utc, long days) =>
        new(days < (DateTime.MaxValue - utc).TotalDays ? utc.AddDays(days) : DateTime.MaxValue, TimeSpan.Zero);

    private static DateTimeOffset AddMonths(DateTime utc, long months)
    {
        long left = (12L * (DateTime.MaxValue.Year - utc.Year)) + (DateTime.MaxValue.Month - utc.Month);
        return new DateTimeOffset(months <= left ? utc.AddMonths((int)months) : DateTime.MaxValue, TimeSpan.Zero);
    }
}
