using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Schedules;
using MSOnlineBackup.Vaults.Errors;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Schedules;

public sealed class ScheduleDecisionTests
{
    private static readonly BackupSchedule _nightly = new(Enum.GetValues<DayOfWeek>(), [TimeSpan.FromHours(21)]);
    private static readonly DateTimeOffset _nine = new(2026, 6, 10, 21, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Nothing_is_due_before_the_moment_and_the_backup_is_at_the_moment()
    {
        Assert.Null(Decide(_nightly, _nine.AddDays(-1), _nine.AddTicks(-1)).Due);

        ScheduleDecision decision = Decide(_nightly, _nine.AddDays(-1), _nine);

        Assert.Equal((_nine, _nine, null), (decision.Due, decision.Begin, decision.Hindrance));
        Assert.Empty(decision.Skips);
        Assert.Null(Decide(_nightly, _nine, _nine.AddHours(5)).Due);
    }

    [Fact]
    public void One_backup_makes_up_for_all_that_was_missed()
    {
        ScheduleDecision decision = Decide(_nightly, _nine.AddDays(-5), _nine.AddHours(7));

        Assert.Equal(_nine, decision.Due);
        Assert.Empty(decision.Skips);
    }

    [Fact]
    public void What_was_missed_is_skipped_where_the_schedule_says_so_and_a_late_start_within_the_hour_is_none()
    {
        BackupSchedule strict = _nightly with { SkipsMissed = true };

        ScheduleDecision late = Decide(strict, _nine.AddDays(-3), _nine.AddHours(1));
        ScheduleDecision missed = Decide(strict, _nine.AddDays(-3), _nine.AddHours(1).AddTicks(1));

        Assert.Equal(_nine, late.Due);
        Assert.Equal([_nine.AddDays(-2), _nine.AddDays(-1)], late.Skips.Select(skip => skip.Due));
        Assert.Null(missed.Due);
        Assert.Equal([_nine.AddDays(-2), _nine.AddDays(-1), _nine], missed.Skips.Select(skip => skip.Due));
        Assert.All(missed.Skips, skip => Assert.Equal(BackupErrorId.ScheduleMissed, skip.Why.Id));
    }

    [Fact]
    public void What_falls_due_while_the_machine_may_not_back_up_is_skipped_each_and_made_up_for_by_nobody()
    {
        var obstacle = new BackupException(BackupErrorId.MachineNotRegistered, "It is not.", "Register it.");

        ScheduleDecision decision = Decide(_nightly, _nine.AddDays(-5), _nine, new ScheduleConditions(obstacle));

        Assert.Equal(5, decision.Skips.Count);
        Assert.All(decision.Skips, skip => Assert.Same(obstacle, skip.Why));
        Assert.Null(decision.Due);
    }

    [Fact]
    public void A_year_of_misses_does_not_push_out_the_history()
    {
        BackupSchedule often = new(Enum.GetValues<DayOfWeek>(), []) { EveryMinutes = 15, SkipsMissed = true };

        Assert.Equal(100, Decide(often, _nine.AddDays(-365), _nine.AddHours(0.1)).Skips.Count);
    }

    [Fact]
    public void On_its_battery_the_machine_waits_and_what_waited_for_too_long_is_skipped_for_that_reason()
    {
        var battery = new ScheduleConditions(null, "the machine runs on its battery");

        Assert.Equal("the machine runs on its battery", Decide(_nightly, _nine.AddDays(-1), _nine.AddHours(5), battery).Hindrance);
        SkippedMoment skip = Assert.Single(Decide(_nightly with { SkipsMissed = true }, _nine.AddDays(-1), _nine.AddHours(5), battery).Skips);
        Assert.Contains("runs on its battery", skip.Why.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Random_delays_are_within_their_bound_alike_for_whoever_asks_and_spread_over_machines()
    {
        BackupSchedule delayed = _nightly with { RandomDelayMinutes = 60 };
        TimeSpan[] delays = [.. Enumerable.Range(0, 50).Select(machine => ScheduleDecision.DelayOf(delayed, _nine, $"machine {machine}"))];

        Assert.All(delays, delay => Assert.InRange(delay, TimeSpan.Zero, TimeSpan.FromHours(1)));
        Assert.True(delays.Distinct().Count() > 40);
        Assert.True(delays.Max() - delays.Min() > TimeSpan.FromMinutes(40));
        Assert.Equal(delays[7], ScheduleDecision.DelayOf(delayed, _nine.ToOffset(TimeSpan.FromHours(5)), "machine 7"));
        ScheduleDecision decision = Decide(delayed, _nine.AddDays(-1), _nine);
        Assert.Equal(_nine + ScheduleDecision.DelayOf(delayed, _nine, "seed"), decision.Begin);
    }

    private static ScheduleDecision Decide(BackupSchedule schedule, DateTimeOffset handled, DateTimeOffset now, ScheduleConditions? conditions = null) =>
        ScheduleDecision.Of(schedule, new ScheduleProgress(handled), now, TimeZoneInfo.Utc, "seed", conditions ?? new ScheduleConditions());
}
