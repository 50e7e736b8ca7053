using System.Globalization;
using FsCheck;
using FsCheck.Fluent;
using MSOnlineBackup.Agent.Policies;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Policies;

public sealed class ScheduleMomentsTests
{
    private static readonly TimeZoneInfo _amsterdam = TimeZoneInfo.FindSystemTimeZoneById("Europe/Amsterdam");
    private static readonly BackupSchedule _atHalfPastTwo = new(Enum.GetValues<DayOfWeek>(), [new TimeSpan(2, 30, 0)]);

    private static Gen<BackupSchedule> Schedules =>
        from days in Gen.SubListOf(Enum.GetValues<DayOfWeek>()).Where(days => days.Count > 0)
        from minutes in Gen.NonEmptyListOf(Gen.Choose(0, 1439))
        from weeks in Gen.Choose(1, 4)
        from every in Gen.Frequency((3, Gen.Constant((int?)null)), (1, Gen.Choose(15, 1440).Select(value => (int?)value)))
        from zone in Gen.Elements(null, "Europe/Amsterdam", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Sao_Paulo", "Pacific/Apia", "UTC")
        from offset in Gen.Choose(-840, 840)
        from isFixed in Gen.Elements(true, false)
        select new BackupSchedule([.. days], every is null ? [.. minutes.Distinct().Select(value => TimeSpan.FromMinutes(value))] : [], weeks)
        {
            EveryMinutes = every,
            TimeZone = isFixed ? null : zone,
            UtcOffsetMinutes = isFixed ? offset : null,
            Start = new DateOnly(2026, 2, 12),
        };

    private static Gen<DateTimeOffset> Times => Gen.Choose(0, 20 * 365 * 1440).Select(minutes => Moment("2010-01-01T00:00:00Z").AddMinutes(minutes));

    [Theory]
    [InlineData("2026-03-28T00:00:00Z", "2026-03-30T12:00:00Z", "2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z")]
    [InlineData("2026-10-24T00:00:00Z", "2026-10-26T12:00:00Z", "2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z")]
    public void A_day_on_which_the_clocks_change_has_each_time_once(string after, string until, params string[] expected) =>
        Assert.Equal(expected.Select(Moment), ScheduleMoments.Between(_atHalfPastTwo, Moment(after), Moment(until), _amsterdam));

    [Fact]
    public void What_the_change_of_the_clocks_leaves_out_is_at_three_and_once_where_two_times_are_left_out()
    {
        BackupSchedule schedule = _atHalfPastTwo with { Times = [new TimeSpan(2, 15, 0), new TimeSpan(2, 30, 0), new TimeSpan(3, 0, 0)] };

        DateTimeOffset only = Assert.Single(ScheduleMoments.Between(schedule, Moment("2026-03-29T00:00:00Z"), Moment("2026-03-29T12:00:00Z"), _amsterdam));

        Assert.Equal(new DateTimeOffset(2026, 3, 29, 3, 0, 0, TimeSpan.FromHours(2)), only);
        Assert.Equal(TimeSpan.FromHours(2), only.Offset);
    }

    [Fact]
    public void A_fixed_offset_shifts_by_an_hour_when_the_clocks_change()
    {
        BackupSchedule schedule = _atHalfPastTwo with { UtcOffsetMinutes = 60 };

        DateTimeOffset[] moments = [.. ScheduleMoments.Between(schedule, Moment("2026-03-28T00:00:00Z"), Moment("2026-03-30T12:00:00Z"), _amsterdam)];

        Assert.Equal([Moment("2026-03-28T01:30:00Z"), Moment("2026-03-29T01:30:00Z"), Moment("2026-03-30T01:30:00Z")], moments);
        Assert.Equal([2, 3, 3], moments.Select(moment => TimeZoneInfo.ConvertTime(moment, _amsterdam).Hour));
    }

    [Fact]
    public void The_zone_of_the_schedule_counts_and_not_the_machines() => Assert.Equal(
        Moment("2026-07-01T00:30:00Z"),
        ScheduleMoments.Next(_atHalfPastTwo with { TimeZone = "Europe/Amsterdam" }, Moment("2026-06-30T12:00:00Z"), TimeZoneInfo.FindSystemTimeZoneById("Asia/Tokyo")));

    [Theory]
    [InlineData("2026-06-10", 96)]
    [InlineData("2026-03-29", 92)]
    [InlineData("2026-10-25", 100)]
    public void Every_fifteen_minutes_is_96_times_a_day_and_by_time_that_passes_where_the_clocks_change(string day, int expected)
    {
        BackupSchedule schedule = new(Enum.GetValues<DayOfWeek>(), []) { EveryMinutes = 15 };
        DateTime midnight = DateTime.Parse(day, CultureInfo.InvariantCulture);
        var from = new DateTimeOffset(midnight, _amsterdam.GetUtcOffset(midnight));
        var to = new DateTimeOffset(midnight.AddDays(1), _amsterdam.GetUtcOffset(midnight.AddDays(1)));

        Assert.Equal(expected, ScheduleMoments.Between(schedule, from.AddTicks(-1), to.AddTicks(-1), _amsterdam).Count());
    }

    [Fact]
    public void Three_times_a_day_are_three_each_once() => Assert.Equal(
        [Moment("2026-11-28T06:00:00Z"), Moment("2026-11-28T12:00:00Z"), Moment("2026-11-28T20:00:00Z")],
        ScheduleMoments.Between(
            new BackupSchedule([DayOfWeek.Saturday], [TimeSpan.FromHours(21), TimeSpan.FromHours(7), TimeSpan.FromHours(13)]),
            Moment("2026-11-27T00:00:00Z"),
            Moment("2026-12-01T00:00:00Z"),
            _amsterdam));

    [Theory]
    [InlineData("2026-11-25", "2026-11-28", "2026-12-12", "2026-12-26")]
    [InlineData("2026-11-30", "2026-12-05", "2026-12-19", "2027-01-02")]
    [InlineData("2030-01-03", "2026-11-28", "2026-12-12", "2026-12-26")]
    public void Every_second_week_is_counted_from_the_week_of_the_day_on_record(string start, params string[] expected) => Assert.Equal(
        expected.Select(day => DateTime.Parse(day, CultureInfo.InvariantCulture).AddHours(9)),
        ScheduleMoments.Between(
            new BackupSchedule([DayOfWeek.Saturday], [TimeSpan.FromHours(9)], 2) { Start = DateOnly.Parse(start, CultureInfo.InvariantCulture) },
            Moment("2026-11-22T00:00:00Z"),
            Moment("2027-01-05T00:00:00Z"),
            TimeZoneInfo.Utc).Select(moment => moment.DateTime));

    [Theory]
    [InlineData("2026-11-28T20:00:00Z", "2026-11-28T20:00:00Z")]
    [InlineData("2026-11-28T19:59:59Z", "2026-11-28T08:00:00Z")]
    [InlineData("2026-11-26T07:59:00Z", "2026-11-25T20:00:00Z")]
    public void The_last_moment_is_the_latest_that_has_come(string now, string expected) => Assert.Equal(
        Moment(expected),
        ScheduleMoments.Last(
            new BackupSchedule([DayOfWeek.Wednesday, DayOfWeek.Saturday], [TimeSpan.FromHours(9), TimeSpan.FromHours(21)]), Moment(now), _amsterdam));

    [Fact]
    public void Spans_add_up_moments_ascend_and_each_is_a_time_of_a_day_or_the_end_of_a_gap() => Prop.ForAll(
        (from schedule in Schedules from start in Times from first in Gen.Choose(0, 60 * 24 * 60) from second in Gen.Choose(0, 60 * 24 * 60) select (schedule, start, first, second))
            .ToArbitrary(),
        given =>
        {
            (BackupSchedule schedule, DateTimeOffset start, int first, int second) = given;
            DateTimeOffset middle = start.AddMinutes(first);
            DateTimeOffset end = middle.AddMinutes(second);
            DateTimeOffset[] all = [.. ScheduleMoments.Between(schedule, start, end, _amsterdam)];
            TimeZoneInfo zone = ScheduleZone.Of(schedule, _amsterdam);

            Assert.Equal(all, ScheduleMoments.Between(schedule, start, middle, _amsterdam).Concat(ScheduleMoments.Between(schedule, middle, end, _amsterdam)));
            Assert.All(all.Zip(all.Skip(1)), pair => Assert.True(pair.First < pair.Second));
            Assert.All(all, moment => Assert.True(
                schedule.EveryMinutes is not null
                || schedule.Times.Contains(moment.TimeOfDay)
                || zone.IsInvalidTime(moment.DateTime.AddMinutes(-1))));
            IReadOnlyList<int> minutes = ScheduleMoments.MinutesOfHour(schedule, start, _amsterdam);
            Assert.All(all.Where(moment => moment < start.AddDays(60)), moment => Assert.Contains(TimeZoneInfo.ConvertTime(moment, _amsterdam).Minute, minutes));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(60));

    [Fact]
    public void Each_time_of_each_day_that_is_there_comes_exactly_once() => Prop.ForAll(
        (from schedule in Schedules from start in Times select (schedule with { EveryMinutes = null, Times = schedule.TimesOfDay, WeekFrequency = 1 }, start)).ToArbitrary(),
        given =>
        {
            (BackupSchedule schedule, DateTimeOffset start) = given;
            TimeZoneInfo zone = ScheduleZone.Of(schedule, _amsterdam);
            DateTime[] walls = [.. ScheduleMoments.Between(schedule, start, start.AddDays(30), _amsterdam).Select(moment => moment.DateTime)];
            DateTime first = TimeZoneInfo.ConvertTime(start, zone).Date.AddDays(1);

            for (DateTime day = first; day < first.AddDays(28); day = day.AddDays(1))
            {
                foreach (TimeSpan time in schedule.Times.Where(time => schedule.Days.Contains(day.DayOfWeek) && !zone.IsInvalidTime(day + time)))
                {
                    Assert.Single(walls, day + time);
                }
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(40));

    private static DateTimeOffset Moment(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);
}
