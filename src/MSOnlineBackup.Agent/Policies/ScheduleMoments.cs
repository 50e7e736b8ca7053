namespace MSOnlineBackup.Agent.Policies;

/// <summary>When a schedule wants backups.</summary>
internal static class ScheduleMoments
{
    private const int DaysOfWeek = 7;

    /// <summary>
    /// The moments that were last: one, or of a schedule for every few weeks those of as many weeks, for which of them are meant is not said.
    /// A moment that a change of the clocks left out is taken to be when the clocks had been changed.
    /// </summary>
    /// <param name="schedule">The schedule.</param>
    /// <param name="now">Until when.</param>
    /// <param name="zone">In whose wall time it is meant.</param>
    public static IReadOnlyList<DateTimeOffset> Last(BackupSchedule schedule, DateTimeOffset now, TimeZoneInfo zone)
    {
        DateTime today = TimeZoneInfo.ConvertTime(now, zone).Date;
        DateTimeOffset[] past =
        [
            .. Enumerable.Range(0, (DaysOfWeek * schedule.WeekFrequency) + 1)
                .Select(back => today.AddDays(-back))
                .Where(day => schedule.Days.Contains(day.DayOfWeek))
                .SelectMany(day => schedule.Times.Select(time => At(day + time, zone)))
                .Where(moment => moment <= now)
                .OrderDescending(),
        ];
        return schedule.WeekFrequency == 1 ? [.. past.Take(1)] : past;
    }

    private static DateTimeOffset At(DateTime wall, TimeZoneInfo zone)
    {
        DateTime unspecified = DateTime.SpecifyKind(wall, DateTimeKind.Unspecified);
        return new DateTimeOffset(unspecified, zone.GetUtcOffset(unspecified));
    }
}
