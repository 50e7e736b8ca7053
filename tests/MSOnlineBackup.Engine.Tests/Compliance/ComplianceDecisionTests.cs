using MSOnlineBackup.Vaults.Compliance;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Statuses;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Compliance;

/// <summary>Whether backups come as expected, told by what the store has and when: a pure function.</summary>
public sealed class ComplianceDecisionTests
{
    private const long Day = 86_400;
    private const long Grace = 2 * 3600;

    private static readonly DateTimeOffset _start = new(2024, 2, 29, 21, 0, 0, TimeSpan.Zero);
    private static readonly SessionId _point = SessionId.Parse(new string('5', 32));

    [Theory]
    [InlineData(0, ComplianceState.Ok)]
    [InlineData(26, ComplianceState.Ok)]
    [InlineData(26.01, ComplianceState.Late)]
    [InlineData(8766, ComplianceState.Late)]
    public void A_backup_is_late_once_the_next_was_expected_and_the_grace_is_over(double hours, ComplianceState expected)
    {
        PolicyCompliance found = Decide(hours, Success(0))!;

        Assert.Equal(expected, found.State);
        Assert.Equal(_start.AddHours(26), found.Due);
        Assert.Equal(_start, found.LastSuccess);
        Assert.Equal(expected == ComplianceState.Late ? BackupErrorId.BackupLate : null, found.Id);
    }

    [Fact]
    public void A_machine_whose_clock_is_years_ahead_looks_no_younger()
    {
        KnownStatus lies = Success(0) with { Status = Success(0).Status with { Ended = _start.AddYears(20), Next = _start.AddYears(20) } };

        Assert.Equal(ComplianceState.Late, Decide(27, lies)!.State);
    }

    [Fact]
    public void Failures_are_told_until_a_backup_succeeds_and_put_nothing_off()
    {
        KnownStatus failed = Run(24, RunOutcome.Failed) with { Status = Run(24, RunOutcome.Failed).Status with { Errors = ["SourceNotFound"] } };

        PolicyCompliance failing = Decide(25, failed, Success(0))!;
        Assert.Equal(ComplianceState.Failing, failing.State);
        Assert.Contains("SourceNotFound", failing.Message);
        Assert.Equal(ComplianceState.Late, Decide(27, failed, Success(0))!.State);
        Assert.Equal(ComplianceState.Failing, Decide(25, Run(24.5, RunOutcome.Aborted), failed, Success(0))!.State);
        Assert.Equal(ComplianceState.Ok, Decide(26, Success(25), failed, Success(0))!.State);
    }

    [Fact]
    public void Skipped_and_stopped_runs_put_nothing_off()
    {
        foreach (RunOutcome outcome in new[] { RunOutcome.Skipped, RunOutcome.Aborted })
        {
            Assert.Equal(ComplianceState.Ok, Decide(25, Run(24, outcome), Success(0))!.State);
            Assert.Equal(ComplianceState.Late, Decide(27, Run(26, outcome), Run(24, outcome), Success(0))!.State);
        }
    }

    [Fact]
    public void What_was_never_backed_up_is_told_once_the_first_backup_was_due()
    {
        Assert.Equal(ComplianceState.Ok, Decide(26, Expected(0))!.State);
        Assert.Equal(ComplianceState.Never, Decide(27, Expected(0))!.State);
        Assert.Equal(ComplianceState.Failing, Decide(1, Run(0.5, RunOutcome.Failed), Expected(0))!.State);
        Assert.Equal(ComplianceState.Never, Decide(27, Run(26, RunOutcome.Failed), Expected(0))!.State);
    }

    [Fact]
    public void A_paused_policy_is_told_also_when_somebody_backs_up_by_it_and_is_expected_anew_when_it_goes_on()
    {
        KnownStatus byHand = Success(40) with { Status = Success(40).Status with { IsPaused = true, NextSeconds = null } };

        Assert.Equal(ComplianceState.Stopped, Decide(1000, Run(24, RunOutcome.Paused), Success(0))!.State);
        Assert.Equal(ComplianceState.Stopped, Decide(1000, byHand, Run(24, RunOutcome.Paused), Success(0))!.State);
        Assert.Equal(ComplianceState.Ok, Decide(1025, Expected(1000), Run(24, RunOutcome.Paused), Success(0))!.State);
        Assert.Equal(ComplianceState.Late, Decide(1027, Expected(1000), Run(24, RunOutcome.Paused), Success(0))!.State);
    }

    [Fact]
    public void A_policy_that_is_saved_again_makes_nothing_that_is_late_timely()
    {
        Assert.Equal(ComplianceState.Late, Decide(40, Expected(27), Success(0))!.State);
        Assert.Equal(ComplianceState.Ok, Decide(40, Expected(20), Success(0))!.State);
    }

    [Fact]
    public void A_policy_that_is_gone_is_told_no_more() => Assert.Null(Decide(1000, Run(24, RunOutcome.Ended), Success(0)));

    [Fact]
    public void A_success_without_its_recovery_point_is_none()
    {
        PolicyCompliance found = ComplianceDecision.Of(Facts(Success(0)) with { HasPoint = _ => false }, _start.AddHours(1), null)!;

        Assert.Equal(ComplianceState.Failing, found.State);
        Assert.Contains(_point.ToShortString(), found.Message);
    }

    [Theory]
    [InlineData(49, 1000, ComplianceState.Shrinking)]
    [InlineData(50, 1000, ComplianceState.Ok)]
    [InlineData(100, 499, ComplianceState.Shrinking)]
    [InlineData(100, 500, ComplianceState.Ok)]
    [InlineData(10_000, 10_000, ComplianceState.Ok)]
    public void A_backup_of_less_than_half_is_told(long files, long kibibytes, ComplianceState expected)
    {
        KnownStatus[] before = [.. Enumerable.Range(1, 4).Select(back => Success(-24 * back, files: 100, bytes: 1000 << 11))];

        Assert.Equal(expected, Decide(1, [Success(0, files, kibibytes << 11), .. before])!.State);
        Assert.Equal(ComplianceState.Ok, Decide(1, [Success(0, files, kibibytes << 11), .. before.Take(2)])!.State);
    }

    [Fact]
    public void Who_watches_may_ask_for_more_than_a_machine_expects()
    {
        Assert.Equal(ComplianceState.Late, ComplianceDecision.Of(Facts(Success(0)), _start.AddHours(13), TimeSpan.FromHours(12))!.State);
        Assert.Equal(ComplianceState.Late, ComplianceDecision.Of(Facts(Success(0)), _start.AddHours(27), TimeSpan.FromHours(100))!.State);
    }

    [Fact]
    public void Backups_by_no_policy_are_of_interest_for_two_days_where_there_is_a_policy_and_expected_where_there_is_none()
    {
        KnownStatus byNone = Success(0) with { Status = Success(0).Status with { Policy = "other", NextSeconds = null } };

        Assert.Equal(ComplianceState.Ok, Decide(47, byNone)!.State);
        Assert.Equal(ComplianceState.Late, Decide(49, byNone)!.State);
        Assert.Null(ComplianceDecision.Of(Facts(byNone) with { IsBeside = true }, _start.AddHours(49), null));
    }

    [Fact]
    public void A_machine_whose_statuses_cannot_be_read_is_judged_by_its_recovery_points()
    {
        var facts = new MachineFacts("ALPHA", null, [], _start);

        Assert.Equal(ComplianceState.Ok, ComplianceDecision.Of(facts, _start.AddHours(47), null)!.State);
        Assert.Equal(ComplianceState.Never, ComplianceDecision.Of(facts, _start.AddHours(49), null)!.State);
        Assert.Equal(ComplianceState.Ok, ComplianceDecision.Of(facts with { NewestPoint = _start.AddHours(10) }, _start.AddHours(49), null)!.State);
        PolicyCompliance late = ComplianceDecision.Of(facts with { NewestPoint = _start, Sealed = 3 }, _start.AddHours(49), null)!;
        Assert.Equal(ComplianceState.Late, late.State);
        Assert.Contains("sealed", late.Message);
        Assert.Equal(ComplianceState.Late, ComplianceDecision.Of(facts with { NewestPoint = _start }, _start.AddHours(2), TimeSpan.FromHours(1))!.State);
    }

    private static PolicyCompliance? Decide(double hours, params KnownStatus[] newestFirst) => ComplianceDecision.Of(Facts(newestFirst), _start.AddHours(hours), null);

    private static MachineFacts Facts(params KnownStatus[] newestFirst) => new("ALPHA", "files", newestFirst, _start.AddDays(-30));

    private static KnownStatus Success(double hours, long files = 100, long bytes = 1 << 30) =>
        Run(hours, RunOutcome.Completed) is var run ? run with { Status = run.Status with { Files = files, Bytes = bytes, Point = _point } } : default;

    private static KnownStatus Expected(double hours) => Run(hours, RunOutcome.Expected);

    private static KnownStatus Run(double hours, RunOutcome outcome) => new(
        new RunStatus
        {
            Machine = "ALPHA",
            Policy = "files",
            Outcome = outcome,
            AgentVersion = "1.0",
            NextSeconds = outcome is RunOutcome.Paused or RunOutcome.Ended ? null : Day,
            GraceSeconds = Grace,
        },
        _start.AddHours(hours),
        IsProved: true);
}
