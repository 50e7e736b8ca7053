using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Retention;
using MSOnlineBackup.Engine.Tests.Policies;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Policies.SamplePolicy;
using static MSOnlineBackup.Engine.Tests.Retention.Simulation;

namespace MSOnlineBackup.Engine.Tests.Retention;

/// <summary>Which points become those of their week, month and year.</summary>
public sealed class RetentionTagsOfPointsTests
{
    private static readonly DaysOfMonth _first = new([1], [], []);

    private readonly Simulation _machine = new(Files);

    [Fact]
    public void A_year_of_three_backups_a_day_has_its_weeks_months_and_first_Sunday()
    {
        _machine.RunDays("2028-01-01", "2029-01-01");

        Assert.Equal(366 * 3, _machine.Of(RetentionKind.Daily).Count);
        Assert.Equal(53, _machine.Of(RetentionKind.Weekly).Count);
        Assert.All(_machine.Of(RetentionKind.Weekly), id => Assert.EndsWith("T20:00:00", id, StringComparison.Ordinal));
        Assert.All(_machine.Of(RetentionKind.Weekly), id => Assert.Equal(DayOfWeek.Sunday, Simulation.At(id).DayOfWeek));
        Assert.Equal(
            ["01-31", "02-29", "03-31", "04-30", "05-31", "06-30", "07-31", "08-31", "09-30", "10-31", "11-30", "12-31"],
            _machine.Of(RetentionKind.Monthly).Select(id => id[5..10]));
        Assert.All(_machine.Of(RetentionKind.Monthly), id => Assert.EndsWith("T08:00:00", id, StringComparison.Ordinal));
        Assert.Equal(["2028-01-02T08:00:00"], _machine.Of(RetentionKind.Yearly));
    }

    [Fact]
    public void After_a_failed_or_missed_run_the_next_good_one_takes_its_place_and_no_other()
    {
        // The Sundays are 4, 11, 18, 25 January 2026; the weekly time is 20:00.
        string[] failed = ["2026-01-11T20:00:00", "2026-01-12T08:00:00", "2026-01-18T20:00:00"];
        _machine.RunDays("2026-01-01", "2026-01-31", time => failed.Contains(time.ToString("s")));

        Assert.Equal(
            ["2026-01-04T20:00:00", "2026-01-12T14:00:00", "2026-01-19T08:00:00", "2026-01-25T20:00:00"], _machine.Of(RetentionKind.Weekly));
    }

    [Fact]
    public void One_point_stands_in_for_all_that_a_long_outage_missed()
    {
        _machine.RunDays("2025-12-01", "2025-12-20");
        _machine.RunDays("2026-02-03", "2026-02-05");

        Assert.Equal(
            [RetentionKind.Daily, RetentionKind.Weekly, RetentionKind.Monthly, RetentionKind.Yearly],
            Kinds(_machine.Points.First(point => Name(point) == "2026-02-03T08:00:00")));
        Assert.Equal([RetentionKind.Daily], Kinds(_machine.Points[^1]));
    }

    [Fact]
    public void The_first_point_of_all_stands_only_for_its_own_day()
    {
        Assert.Equal([RetentionKind.Daily], Kinds(_machine.Run(At("2026-01-05T03:00:00"))));
        Assert.Equal([RetentionKind.Daily, RetentionKind.Weekly], Kinds(new Simulation(Files).Run(At("2026-01-11T20:00:04"))));
        Assert.Equal([RetentionKind.Daily], Kinds(new Simulation(Files).Run(At("2026-01-11T19:59:59"))));
    }

    [Fact]
    public void A_run_that_began_before_the_moment_does_not_take_its_place_however_long_it_lasted()
    {
        RetentionPoint early = _machine.Run(At("2026-01-11T19:50:00"));
        _machine.Points[0] = early with { Created = At("2026-01-11T22:00:00") };

        Assert.Contains(RetentionKind.Weekly, Kinds(_machine.Run(At("2026-01-11T22:01:00"))));
    }

    [Fact]
    public void Partial_points_take_no_place_and_keep_none_from_others()
    {
        _machine.Run(At("2026-01-10T20:00:00"));
        Assert.Equal([RetentionKind.Partial], Kinds(_machine.Run(At("2026-01-11T20:30:00"), isPartial: true)));
        Assert.Contains(RetentionKind.Weekly, Kinds(_machine.Run(At("2026-01-12T08:00:00"))));
    }

    [Fact]
    public void Points_of_the_other_policy_keep_no_place_from_this_one()
    {
        _machine.Run(At("2026-01-11T19:00:00"));
        _machine.Policy = Files with { Kind = PolicyKind.SystemState, Files = [] };
        _machine.Run(At("2026-01-11T20:10:00"));
        _machine.Policy = Files;

        Assert.Contains(RetentionKind.Weekly, Kinds(_machine.Run(At("2026-01-11T20:20:00"))));
    }

    [Fact]
    public void A_point_from_the_future_keeps_no_place_from_others()
    {
        _machine.RunDays("2026-01-01", "2026-01-10");
        _machine.Run(At("2076-01-01T00:00:00"));
        _machine.RunDays("2026-01-10", "2026-01-12");

        Assert.Equal(["2026-01-04T20:00:00", "2076-01-01T00:00:00", "2026-01-11T20:00:00"], _machine.Of(RetentionKind.Weekly));
    }

    [Fact]
    public void A_wish_is_kept_beside_what_the_policy_gives()
    {
        RetentionPoint point = _machine.Run(At("2026-01-05T03:00:00"), retainUntil: At("2033-01-01"));
        Assert.Equal([RetentionKind.Daily, RetentionKind.Asked], Kinds(point));
        Assert.Contains("retain:files:asked:2033-01-01T00:00:00Z", point.Tags);
    }

    [Fact]
    public void A_rule_with_several_times_takes_a_point_for_each()
    {
        var machine = new Simulation(Files with { Retention = new(7, new(4, [DayOfWeek.Sunday], [At(8), At(20)])) });
        machine.RunDays("2026-01-03", "2026-01-06");
        Assert.Equal(["2026-01-04T08:00:00", "2026-01-04T20:00:00"], machine.Of(RetentionKind.Weekly));

        static TimeSpan At(int hour) => SamplePolicy.At(hour);
    }

    [Fact]
    public void A_schedule_of_some_days_gives_the_month_to_the_next_backup_after_its_day()
    {
        var machine = new Simulation(Files with { Retention = new(7, null, new(3, _first, [])) });
        machine.RunDays("2026-01-25", "2026-03-01", time => time.DayOfWeek != DayOfWeek.Sunday || time.Hour != 8);
        Assert.Equal(["2026-02-01T08:00:00"], machine.Of(RetentionKind.Monthly));

        var saturdays = new Simulation(machine.Policy);
        saturdays.RunDays("2026-01-25", "2026-03-14", time => time.DayOfWeek != DayOfWeek.Saturday || time.Hour != 8);
        Assert.Equal(["2026-02-07T08:00:00", "2026-03-07T08:00:00"], saturdays.Of(RetentionKind.Monthly));
    }

    [Theory]
    [InlineData("2026-03-29", "2026-03-29T01:00:00")]
    [InlineData("2026-10-25", "2026-10-25T00:30:00")]
    public void A_change_of_the_clocks_neither_loses_nor_doubles_a_place(string day, string tagged)
    {
        // 02:30 does not exist on the one Sunday, and is twice on the other. A backup runs every half hour.
        var policy = Files with { Schedule = new(EveryDay, [SamplePolicy.At(2, 30)]), Retention = new(7, new(4, [DayOfWeek.Sunday], [])) };
        var machine = new Simulation(policy, TimeZoneInfo.FindSystemTimeZoneById("Europe/Amsterdam"));
        for (DateTimeOffset time = At(day).AddHours(-3); time < At(day).AddDays(1); time = time.AddMinutes(30))
        {
            machine.Run(time);
        }

        Assert.Equal([tagged], machine.Of(RetentionKind.Weekly));
    }

    [Theory]
    [InlineData("2028-02-29", 0, true)]
    [InlineData("2028-02-28", 0, false)]
    [InlineData("2027-02-28", 31, true)]
    [InlineData("2027-04-30", 31, true)]
    [InlineData("2027-05-30", 31, false)]
    [InlineData("2125-02-28", 29, true)]
    public void A_day_that_a_month_does_not_have_is_its_last(string day, int number, bool expected) =>
        Assert.Equal(expected, RetentionCalendar.IsOneOf(new([number], [], []), At(day).DateTime));

    [Theory]
    [InlineData("2026-03-01", NthWeek.First, true)]
    [InlineData("2026-03-08", NthWeek.First, false)]
    [InlineData("2026-03-08", NthWeek.Second, true)]
    [InlineData("2026-03-15", NthWeek.Third, true)]
    [InlineData("2026-03-22", NthWeek.Fourth, true)]
    [InlineData("2026-03-22", NthWeek.Last, false)]
    [InlineData("2026-03-29", NthWeek.Last, true)]
    [InlineData("2026-03-29", NthWeek.Fourth, false)]
    [InlineData("2026-02-22", NthWeek.Fourth, true)]
    [InlineData("2026-02-22", NthWeek.Last, true)]
    [InlineData("2026-02-21", NthWeek.Last, false)]
    public void A_week_of_the_month_is_the_nth_time_that_the_day_comes(string day, NthWeek week, bool expected) =>
        Assert.Equal(expected, RetentionCalendar.IsOneOf(new([], [DayOfWeek.Sunday], [week]), At(day).DateTime));
}
