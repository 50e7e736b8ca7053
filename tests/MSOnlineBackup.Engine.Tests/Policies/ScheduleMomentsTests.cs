using MSOnlineBackup.Agent.Policies;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Policies;

public sealed class ScheduleMomentsTests
{
    private static readonly TimeZoneInfo _amsterdam = TimeZoneInfo.FindSystemTimeZoneById("Europe/Amsterdam");

    [Theory]
    [InlineData("2026-11-28T12:00:00Z", "2026-11-28T08:00:00Z")]
    [InlineData("2026-11-28T07:59:59Z", "2026-11-25T20:00:00Z")]
    [InlineData("2026-11-28T08:00:00Z", "2026-11-28T08:00:00Z")]
    [InlineData("2026-11-25T20:30:00Z", "2026-11-25T20:00:00Z")]
    public void The_last_moment_is_the_newest_that_is_over(string now, string expected)
    {
        var schedule = new BackupSchedule([DayOfWeek.Wednesday, DayOfWeek.Saturday], [TimeSpan.FromHours(9), TimeSpan.FromHours(21)]);

        Assert.Equal([Moment(expected)], ScheduleMoments.Last(schedule, Moment(now), _amsterdam));
    }

    [Fact]
    public void Of_a_schedule_for_every_few_weeks_each_week_may_be_the_one_that_is_meant()
    {
        var schedule = new BackupSchedule([DayOfWeek.Saturday], [TimeSpan.FromHours(9)], WeekFrequency: 2);

        Assert.Equal(
            [Moment("2026-11-28T08:00:00Z"), Moment("2026-11-21T08:00:00Z"), Moment("2026-11-14T08:00:00Z")],
            ScheduleMoments.Last(schedule, Moment("2026-11-28T08:30:00Z"), _amsterdam));
    }

    [Fact]
    public void A_schedule_is_in_wall_time_when_the_clocks_change() => Assert.Equal(
        [Moment("2026-03-29T01:30:00Z")],
        ScheduleMoments.Last(new BackupSchedule([DayOfWeek.Sunday], [new TimeSpan(2, 30, 0)]), Moment("2026-03-29T06:00:00Z"), _amsterdam));

    private static DateTimeOffset Moment(string text) => DateTimeOffset.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
}
