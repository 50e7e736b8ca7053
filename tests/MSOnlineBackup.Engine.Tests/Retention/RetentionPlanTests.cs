using FsCheck;
using FsCheck.Fluent;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Retention;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Policies.SamplePolicy;
using static MSOnlineBackup.Engine.Tests.Retention.Simulation;

namespace MSOnlineBackup.Engine.Tests.Retention;

/// <summary>Which points stay and which expire.</summary>
public sealed class RetentionPlanTests
{
    private static readonly RetentionPolicy _week = new(7);

    [Fact]
    public void Two_years_of_three_backups_a_day_leave_what_the_rules_say()
    {
        var machine = new Simulation(Files);
        foreach ((string from, string to) in new[] { ("2026-01-01", "2026-02-15"), ("2026-02-15", "2027-01-01"), ("2027-01-01", "2028-01-01") })
        {
            machine.RunDays(from, to, cleanUp: true);
            Assert.Equal(Expected(At("2026-01-01"), At(to)), machine.Points.Select(Name));
        }

        // Thirty days of three, eight Sundays and twenty-three ends of months before them, and two first Sundays of January.
        Assert.Equal((30 * 3) + 8 + 23 + 2, machine.Points.Count);
    }

    [Fact]
    public void Cleaning_up_every_day_leaves_the_same_as_cleaning_up_once()
    {
        var daily = new Simulation(Files);
        var once = new Simulation(Files);
        daily.RunDays("2026-01-01", "2026-07-01", cleanUp: true);
        once.RunDays("2026-01-01", "2026-07-01");
        once.CleanUp(At("2026-07-01"));

        Assert.Equal(once.Points.Select(Name), daily.Points.Select(Name));
    }

    [Fact]
    public void A_longer_retention_holds_for_the_points_that_are_there()
    {
        var machine = new Simulation(Files with { Retention = _week });
        machine.RunDays("2026-01-01", "2026-01-07", cleanUp: true);
        machine.Policy = Files with { Retention = new(30) };
        machine.RunDays("2026-01-07", "2026-01-30", cleanUp: true);

        Assert.Equal("2026-01-01T08:00:00", machine.Kept("2026-01-30T00:00:00")[0]);
        Assert.Equal("2026-01-01T14:00:00", machine.Kept("2026-01-31T08:00:00")[0]);
    }

    [Fact]
    public void A_shorter_retention_holds_for_the_points_that_are_there_from_the_next_clean_up_on()
    {
        var machine = new Simulation(Files with { Retention = new(30) });
        machine.RunDays("2026-01-01", "2026-02-01", cleanUp: true);
        machine.Policy = Files with { Retention = _week };
        Assert.Equal(30 * 3, machine.Points.Count);

        machine.CleanUp(At("2026-02-01"));

        Assert.Equal(7 * 3, machine.Points.Count);
        Assert.Equal("2026-01-25T08:00:00", Name(machine.Points[0]));
    }

    [Fact]
    public void A_rule_that_is_gone_keeps_nothing_and_one_that_is_longer_keeps_longer()
    {
        var machine = new Simulation(Files);
        machine.RunDays("2026-01-01", "2026-12-01");
        machine.Policy = Files with { Retention = Files.Retention! with { Monthly = null, Weekly = Files.Retention.Weekly! with { Weeks = 30 } } };

        IReadOnlyList<RetentionDecision> kept = [.. machine.Plan(At("2026-12-01")).Where(decision => !decision.Expires)];

        Assert.DoesNotContain(kept, decision => decision.Kind == RetentionKind.Monthly);
        Assert.Equal("2026-05-10T20:00:00", Name(kept.First(decision => decision.Kind == RetentionKind.Weekly).Point));
    }

    [Fact]
    public void Without_a_policy_the_dates_in_the_tags_hold()
    {
        var machine = new Simulation(Files with { Retention = _week });
        machine.RunDays("2026-01-01", "2026-01-09");
        machine.Policy = machine.Policy with { Retention = null };

        Assert.Equal("2026-01-02T08:00:00", machine.Kept("2026-01-09T00:00:00")[0]);
    }

    [Theory]
    [InlineData("2026-06-01T12:00:00", "2125-06-01T12:00:00")]
    [InlineData("2028-02-29T12:00:00", "2127-02-28T12:00:00")]
    [InlineData("2124-02-29T12:00:00", "2223-02-28T12:00:00")]
    public void A_yearly_point_is_kept_for_99_years_to_the_second(string made, string until)
    {
        Assert.Equal(At(until), RetentionCalendar.Until(new(7, Yearly: new(99, [1], new([1], [], []), [])), RetentionKind.Yearly, At(made)));

        var machine = new Simulation(Files with { Retention = new(7, Yearly: new(99, [At(made).Month], new([0], [], []), [])) });
        RetentionPoint first = machine.Run(At(made));
        machine.Points[0] = first with { Tags = [new RetentionTag(PolicyKind.Files, RetentionKind.Yearly, At(until)).ToString()] };
        machine.RunDays(until[..10], At(until).AddDays(4).ToString("s")[..10]);

        Assert.Equal(RetentionReason.WithinRetention, machine.Plan(At(until).AddSeconds(-1))[0].Reason);
        Assert.Equal(RetentionReason.Expired, machine.Plan(At(until).AddDays(4))[0].Reason);
    }

    [Fact]
    public void Months_are_those_of_the_calendar_and_no_date_overflows()
    {
        var retention = new RetentionPolicy(36_159, new(5_163, [], []), new(1, new([0], [], []), []), new(99, [1], new([0], [], []), []));
        Assert.Equal(At("2028-02-29"), RetentionCalendar.Until(retention, RetentionKind.Monthly, At("2028-01-31")));
        Assert.Equal(At("2027-02-28"), RetentionCalendar.Until(retention, RetentionKind.Monthly, At("2027-01-31")));
        Assert.All(
            Enum.GetValues<RetentionKind>(),
            kind => Assert.Equal(DateTime.MaxValue, RetentionCalendar.Until(retention, kind, At("9999-12-31")).UtcDateTime));
    }

    [Fact]
    public void The_newest_point_stays_and_so_does_the_newest_that_is_whole()
    {
        var machine = new Simulation(Files with { Retention = _week });
        machine.RunDays("2026-01-01", "2026-01-03");
        machine.Run(At("2026-01-20T08:00:00"), isPartial: true);

        Assert.Equal(["2026-01-02T20:00:00", "2026-01-20T08:00:00"], machine.Kept("2026-01-28T08:00:00"));
    }

    [Fact]
    public void The_point_that_was_committed_last_stays_whatever_clocks_say()
    {
        var machine = new Simulation(Files with { Retention = _week });
        machine.RunDays("2026-01-01", "2026-01-03");
        machine.Points[0] = machine.Points[0] with { Id = IdOf(At("2036-01-01")) };

        Assert.Equal([Name(machine.Points[0]), Name(machine.Points[^1])], machine.Kept("2026-01-28T08:00:00"));
    }

    [Fact]
    public void After_a_long_outage_the_point_that_was_kept_longest_stays_until_a_fresh_one_is_made()
    {
        var machine = new Simulation(Files with { Retention = new(7, new(4, [DayOfWeek.Sunday], [])) });
        machine.RunDays("2026-01-01", "2026-01-08");
        machine.Run(At("2026-02-05T08:00:00"));
        machine.Points.RemoveAt(machine.Points.Count - 1);
        IReadOnlyList<RetentionDecision> plan = machine.Plan(At("2026-02-06"));

        Assert.Equal(
            [("2026-01-04T08:00:00", RetentionReason.LongestKept), ("2026-01-07T20:00:00", RetentionReason.Newest)],
            plan.Where(decision => !decision.Expires).Select(decision => (Name(decision.Point), decision.Reason)));

        machine.Run(At("2026-02-06T08:00:00"));
        Assert.Equal(["2026-02-06T08:00:00"], machine.Kept("2026-02-06T09:00:00"));
    }

    [Fact]
    public void A_point_is_kept_until_the_date_that_was_asked_for_and_not_shorter_than_the_policy_says()
    {
        var machine = new Simulation(Files with { Retention = _week });
        machine.Run(At("2026-01-01T08:00:00"), retainUntil: At("2026-01-20"));
        machine.Run(At("2026-01-01T09:00:00"), retainUntil: At("2026-01-02"));
        machine.RunDays("2026-01-02", "2026-01-25");
        machine.Policy = Files with { Retention = new(1) };

        Assert.Equal(["2026-01-01T08:00:00"], machine.Kept("2026-01-19T00:00:00").Where(id => id.StartsWith("2026-01-01", StringComparison.Ordinal)));
        Assert.DoesNotContain("2026-01-01T08:00:00", machine.Kept("2026-01-20T00:00:00"));
        machine.Policy = Files with { Retention = _week };
        Assert.Contains("2026-01-01T09:00:00", machine.Kept("2026-01-08T08:59:59"));
    }

    [Fact]
    public void What_this_policy_has_not_made_or_is_not_understood_is_left_alone()
    {
        var machine = new Simulation(Files with { Retention = _week });
        machine.Points.Add(Point("2020-01-01", "by hand"));
        machine.Points.Add(Point("2020-01-02"));
        machine.Points.Add(Point("2020-01-03", "retain:system-state:daily:2020-01-10T00:00:00Z"));
        machine.Points.Add(Point("2020-01-04", "retain:files:daily:2020-01-11T00:00:00Z", "retain:files:decennial:2020-01-11T00:00:00Z"));
        machine.Points.Add(Point("2020-01-05", "retain:files:daily:2020-01-11T00:00:00Z"));
        machine.RunDays("2026-01-01", "2026-01-03");

        Assert.Equal(
            [
                RetentionReason.NotByPolicy, RetentionReason.NotByPolicy, RetentionReason.NotByPolicy, RetentionReason.TagUnknown,
                RetentionReason.Expired,
            ],
            machine.Plan(At("2026-01-03")).Take(5).Select(decision => decision.Reason));
        Assert.Empty(RetentionPlanner.Plan(PolicyKind.Files, _week, [], At("2026-01-03")));
    }

    [Fact]
    public void A_clock_that_leaps_ahead_ends_nothing_that_its_points_do_not_bear_out()
    {
        var machine = new Simulation(Files with { Retention = new(60) });
        machine.RunDays("2026-01-01", "2026-02-15");
        Assert.All(machine.Plan(At("2076-01-01")).SkipLast(1), decision => Assert.Equal(RetentionReason.ClockUnproven, decision.Reason));

        // One backup under the wrong clock proves nothing either.
        machine.Run(At("2076-01-01T08:00:00"));
        Assert.DoesNotContain(machine.Plan(At("2076-01-01T09:00:00")), decision => decision.Expires);

        // Put right, the clock goes on where it was, and the point from the future stands in for no other.
        machine.RunDays("2026-02-15", "2026-02-20");
        Assert.All(machine.Plan(At("2026-02-20")), decision => Assert.Equal(RetentionReason.WithinRetention, decision.Reason));
    }

    [Fact]
    public void A_long_pause_is_believed_once_points_span_a_day_after_it()
    {
        var machine = new Simulation(Files with { Retention = _week });
        machine.RunDays("2026-01-01", "2026-01-03");
        machine.Run(At("2026-06-01T08:00:00"));
        machine.Run(At("2026-06-01T20:00:00"));
        string[] expired = [.. machine.Points.SkipLast(2).Select(Name)];

        Assert.Equal(8, machine.Kept("2026-06-01T21:00:00").Count);

        machine.Run(At("2026-06-02T08:00:00"));
        Assert.Empty(machine.Kept("2026-06-02T09:00:00").Intersect(expired));
    }

    [Fact]
    public void A_clock_that_fell_back_only_keeps_more()
    {
        var machine = new Simulation(Files);
        machine.RunDays("2026-01-01", "2026-06-01");
        IReadOnlyList<string> before = machine.Kept("2026-06-01");

        Assert.Empty(before.Except(machine.Kept("1970-01-01")));
    }

    [Fact]
    public void There_is_always_a_point_left_and_the_newest_is_among_them()
    {
        Gen<(RetentionPoint[] Points, DateTimeOffset Now, RetentionPolicy? Retention)> cases =
            from points in (
                from hour in Gen.Choose(0, 900_000)
                from kind in Gen.Elements(Enum.GetValues<RetentionKind>())
                from days in Gen.Choose(-100, 4_000)
                select Point(
                    At("2000-01-01").AddHours(hour).ToString("s"),
                    new RetentionTag(PolicyKind.Files, kind, At("2000-01-01").AddHours(hour).AddDays(days)).ToString())).NonEmptyListOf()
            from now in Gen.Choose(0, 2_000_000)
            from retention in Gen.Elements(null, _week, Files.Retention)
            select (points.ToArray(), At("2000-01-01").AddHours(now), retention);

        Prop.ForAll(
            cases.ToArbitrary(),
            given =>
            {
                IReadOnlyList<RetentionDecision> plan = RetentionPlanner.Plan(PolicyKind.Files, given.Retention, given.Points, given.Now);
                Assert.Equal(given.Points.Length, plan.Count);
                Assert.False(plan[^1].Expires);
                Assert.All(plan, decision => Assert.False(decision.Expires && decision.Until > given.Now));

                RetentionPoint[] left = [.. plan.Where(decision => !decision.Expires).Select(decision => decision.Point)];
                Assert.NotEmpty(left);

                // A clock that is behind ends nothing more.
                IReadOnlyList<RetentionDecision> sooner = RetentionPlanner.Plan(PolicyKind.Files, given.Retention, given.Points, given.Now.AddYears(-1));
                Assert.All(sooner, decision => Assert.False(decision.Expires && decision.Until > given.Now.AddYears(-1)));
            }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Nine_thousand_nine_hundred_and_ninety_nine_points_are_planned()
    {
        var machine = new Simulation(Files);
        DateTimeOffset start = At("2015-01-01T08:00:00");
        for (int i = 0; i < 9_999; i++)
        {
            string day = start.AddHours(8 * i).ToString("s");
            machine.Points.Add(Point(day, new RetentionTag(PolicyKind.Files, RetentionKind.Daily, At(day).AddDays(30)).ToString()));
        }

        IReadOnlyList<RetentionDecision> plan = machine.Plan(start.AddHours(8 * 9_999));

        Assert.Equal(9_999 - 90 + 1, plan.Count(decision => decision.Expires));
    }

    private static RetentionPoint Point(string day, params string[] tags) => new(IdOf(At(day)), At(day), At(day), tags);

    /// <summary>What the sample policy keeps, counted on the calendar alone.</summary>
    internal static IEnumerable<string> Expected(DateTimeOffset from, DateTimeOffset now)
    {
        for (DateTimeOffset day = from; day < now; day = day.AddDays(1))
        {
            foreach (TimeSpan time in ThreeTimes)
            {
                DateTimeOffset made = day + time;
                bool isLastOfMonth = day.AddDays(1).Day == 1;
                bool isFirstSundayOfJanuary = day is { Month: 1, Day: <= 7, DayOfWeek: DayOfWeek.Sunday };
                if (made.AddDays(30) > now
                    || (day.DayOfWeek == DayOfWeek.Sunday && time.Hours == 20 && made.AddDays(84) > now)
                    || (isLastOfMonth && time.Hours == 8 && made.AddMonths(24) > now)
                    || (isFirstSundayOfJanuary && time.Hours == 8 && made.AddYears(10) > now))
                {
                    yield return made.ToString("s");
                }
            }
        }
    }
}
