namespace MSOnlineBackup.Agent.Policies;

/// <summary>When a schedule wants backups, as pure functions.</summary>
internal static class ScheduleMoments
{
    private const int DaysOfWeek = 7;

    /// <summary>
    /// All moments of a span, in order, each once. A time that a change of the clocks leaves out is the first instant after the gap; of one that it repeats the first counts.
    /// </summary>
    /// <param name="schedule">The schedule.</param>
    /// <param name="after">The beginning of the span, which is not part of it.</param>
    /// <param name="until">Its end, which is.</param>
    /// <param name="local">The machine's zone, for a schedule that names none.</param>
    public static IEnumerable<DateTimeOffset> Between(BackupSchedule schedule, DateTimeOffset after, DateTimeOffset until, TimeZoneInfo local)
    {
        TimeZoneInfo zone = ScheduleZone.Of(schedule, local);

        // A gap over midnight moves a time to the next day.
        DateTime first = TimeZoneInfo.ConvertTime(after, zone).Date.AddDays(-1);
        DateTime last = TimeZoneInfo.ConvertTime(until, zone).Date;
        DateTimeOffset previous = after;
        for (DateTime day = first; day <= last; day = day.AddDays(1))
        {
            if (!IsDay(schedule, day))
            {
                continue;
            }

            foreach (DateTimeOffset moment in OfDay(schedule, day, zone))
            {
                // Two times in a gap are one moment.
                if (moment > previous && moment <= until)
                {
                    previous = moment;
                    yield return moment;
                }
            }
        }
    }

    /// <summary>The first moment after a time; null for a schedule without a day or a time.</summary>
    public static DateTimeOffset? Next(BackupSchedule schedule, DateTimeOffset after, TimeZoneInfo local) =>
        Between(schedule, after, after.AddDays(LongestPause(schedule)), local).Cast<DateTimeOffset?>().FirstOrDefault();

    /// <summary>The last moment until a time, that included; null for a schedule without a day or a time.</summary>
    public static DateTimeOffset? Last(BackupSchedule schedule, DateTimeOffset until, TimeZoneInfo local) =>
        Between(schedule, until.AddDays(-LongestPause(schedule)), until, local).Cast<DateTimeOffset?>().LastOrDefault();

    /// <summary>
    /// The minutes of the hour, by the machine's clock, at which there may be a moment in the year to come: when a scheduler of the system has to ask once an hour, that knows
    /// neither zones nor weeks.
    /// </summary>
    public static IReadOnlyList<int> MinutesOfHour(BackupSchedule schedule, DateTimeOffset from, TimeZoneInfo local) =>
        [.. Between(schedule, from, from.AddDays(LongestPause(schedule) + 366), local).Select(moment => TimeZoneInfo.ConvertTime(moment, local).Minute).Distinct().Order()];

    private static int LongestPause(BackupSchedule schedule) => (DaysOfWeek * (schedule.WeekFrequency + 1)) + 2;

    private static IEnumerable<DateTimeOffset> OfDay(BackupSchedule schedule, DateTime day, TimeZoneInfo zone)
    {
        if (schedule.EveryMinutes is not { } minutes)
        {
            return schedule.Times.Order().Select(time => At(day + time, zone));
        }

        return Every(TimeSpan.FromMinutes(minutes), At(day, zone), At(day.AddDays(1), zone));
    }

    // By time that passes: a day of 25 hours has more.
    private static IEnumerable<DateTimeOffset> Every(TimeSpan step, DateTimeOffset from, DateTimeOffset to)
    {
        for (DateTimeOffset moment = from; moment < to; moment += step)
        {
            yield return moment;
        }
    }

    private static bool IsDay(BackupSchedule schedule, DateTime day) =>
        schedule.Days.Contains(day.DayOfWeek)
        && (schedule.WeekFrequency == 1 || (Week(day) - Week(schedule.Start?.ToDateTime(TimeOnly.MinValue) ?? DateTime.MinValue)) % schedule.WeekFrequency == 0);

    // The first day of the calendar was a Monday.
    private static int Week(DateTime day) => (day - DateTime.MinValue).Days / DaysOfWeek;

    private static DateTimeOffset At(DateTime wall, TimeZoneInfo zone)
    {
        DateTime valid = DateTime.SpecifyKind(wall, DateTimeKind.Unspecified);
        TimeSpan after = TimeSpan.Zero;
        if (zone.IsInvalidTime(valid))
        {
            // The first instant after the last minute before the gap.
            while (zone.IsInvalidTime(valid))
            {
                valid = valid.AddMinutes(-1);
            }

            after = TimeSpan.FromMinutes(1);
        }

        TimeSpan offset = zone.IsAmbiguousTime(valid) ? zone.GetAmbiguousTimeOffsets(valid).Max() : zone.GetUtcOffset(valid);
        return TimeZoneInfo.ConvertTime(new DateTimeOffset(valid, offset) + after, zone);
    }
}
