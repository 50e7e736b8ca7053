using MSOnlineBackup.Agent;
using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Schedules;
using MSOnlineBackup.Engine.Tests.Jobs;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Jobs.JobsFixture;

namespace MSOnlineBackup.Engine.Tests.Schedules;

public sealed class AgentSchedulesTests : IDisposable
{
    private static readonly BackupSchedule _nightly = new(Enum.GetValues<DayOfWeek>(), [TimeSpan.FromHours(21)]);
    private static readonly DateTimeOffset _noon = new(2026, 6, 10, 12, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset _nine = _noon.AddHours(9);

    private readonly FakeClock _clock = new(_noon);
    private readonly FakeScheduler _scheduler = new();
    private readonly FakeConditions _conditions = new();
    private readonly JobsFixture _machine;

    public AgentSchedulesTests()
    {
        _machine = new JobsFixture { Clock = _clock, Scheduler = _scheduler, ScheduleParts = new ScheduleParts(_conditions, new FakeCommands()) };
        _machine.Tree.Describe("f one 1000");
    }

    public void Dispose() => _machine.Dispose();

    [Fact]
    public async Task A_policy_is_registered_asks_at_the_minutes_of_its_times_and_runs_what_needs_no_session()
    {
        BackupAgent agent = await SetAsync(_nightly with { Times = [new TimeSpan(21, 0, 0), new TimeSpan(3, 20, 0)], TimeZone = "Asia/Kathmandu" });

        ScheduleStatus status = await agent.Schedules.FindAsync(PolicyKind.Files, Cancel);

        ScheduledTask task = Assert.Single(_scheduler.Tasks.Values);
        Assert.Equal([15, 35], task.Minutes);
        Assert.True(Path.IsPathFullyQualified(task.Command[0]));
        Assert.Equal(["schedule", "run", "--policy", "files", "--state", _machine.State, "--quiet", "--machine", MachineName], task.Command.SkipWhile(argument => argument != "schedule"));
        Assert.Equal((ScheduleRegistration.Registered, _noon.AddHours(3).AddMinutes(15)), (status.Registration, status.NextRun));
        Assert.StartsWith("msonlinebackup-files-", task.Name, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_schedule_fires_once_at_its_moment_however_often_it_is_asked()
    {
        BackupAgent agent = await SetAsync(_nightly);

        Assert.Equal(ScheduledOutcome.NotDue, (await AskAsync(agent, _nine.AddTicks(-1))).Outcome);
        ScheduledRun ran = await AskAsync(agent, _nine);
        Assert.Equal((ScheduledOutcome.Ran, _nine, JobState.Completed), (ran.Outcome, ran.Due, ran.Job!.State));
        Assert.Equal(ScheduledOutcome.NotDue, (await AskAsync(agent, _nine.AddSeconds(1))).Outcome);
        Assert.Equal(ScheduledOutcome.NotDue, (await AskAsync(_machine.Open(), _nine.AddHours(23))).Outcome);
        Assert.Equal(ScheduledOutcome.Ran, (await AskAsync(_machine.Open(), _nine.AddDays(1))).Outcome);
        Assert.Equal(2, agent.Jobs.List().Count);
    }

    [Fact]
    public async Task A_day_of_three_times_fires_each_once_and_one_of_intervals_96_times()
    {
        BackupAgent agent = await SetAsync(_nightly with { Times = [TimeSpan.FromHours(7), TimeSpan.FromHours(13), TimeSpan.FromHours(21)] });
        int fired = 0;
        for (DateTimeOffset now = _noon; now < _noon.AddDays(1); now = now.AddHours(1))
        {
            fired += (await AskAsync(agent, now)).Outcome == ScheduledOutcome.Ran ? 1 : 0;
        }

        Assert.Equal(3, fired);
        Assert.Throws<BackupException>(() => PolicyLimits.Mars.CheckSchedule(_nightly with { Times = [TimeSpan.Zero, TimeSpan.FromHours(1), TimeSpan.FromHours(2), TimeSpan.FromHours(3)] }));
        Assert.Throws<BackupException>(() => PolicyLimits.Mars.CheckSchedule(_nightly with { Times = [], EveryMinutes = 15 }));
        PolicyLimits.Open.CheckSchedule(_nightly with { Times = [], EveryMinutes = 15 });
        PolicyLimits.Mars.CheckSchedule(_nightly with { Times = [], EveryMinutes = 480 });
        Assert.Throws<BackupException>(() => PolicyLimits.Open.CheckSchedule(_nightly with { Times = [], EveryMinutes = 14 }));
    }

    [Fact]
    public async Task What_was_missed_is_made_up_for_once()
    {
        BackupAgent agent = await SetAsync(_nightly);

        ScheduledRun ran = await AskAsync(agent, _nine.AddDays(5).AddHours(3));

        Assert.Equal((ScheduledOutcome.Ran, _nine.AddDays(5)), (ran.Outcome, ran.Due));
        Assert.Equal(ScheduledOutcome.NotDue, (await AskAsync(agent, _nine.AddDays(5).AddHours(4))).Outcome);
        Assert.Single(agent.Jobs.List());
    }

    [Fact]
    public async Task What_was_missed_is_on_record_as_skipped_where_the_schedule_says_so()
    {
        BackupAgent agent = await SetAsync(_nightly with { SkipsMissed = true });

        ScheduledRun skipped = await AskAsync(agent, _nine.AddDays(4).AddHours(3));

        Assert.Equal(ScheduledOutcome.Skipped, skipped.Outcome);
        Assert.Equal(Enumerable.Range(0, 5).Select(day => _nine.AddDays(day)), agent.Jobs.List().Select(job => job.Started));
        Assert.All(agent.Jobs.List(), job => Assert.Equal((JobState.Skipped, "ScheduleMissed"), (job.State, job.Error!.Id)));
        Assert.Null(agent.Jobs.LastBackup(PolicyKind.Files));
        Assert.Equal(ScheduledOutcome.Ran, (await AskAsync(agent, _nine.AddDays(5))).Outcome);
    }

    [Fact]
    public async Task What_falls_due_while_the_machine_belongs_to_no_vault_is_skipped_and_the_next_runs_when_it_does_again()
    {
        BackupAgent agent = await SetAsync(_nightly);
        await agent.LeaveVaultAsync(Cancel);

        await AskAsync(agent, _nine.AddDays(4));
        Assert.Equal(5, agent.Jobs.List().Count(job => job is { State: JobState.Skipped, Error.Id: nameof(BackupErrorId.MachineNotRegistered) }));

        BackupAgent again = await _machine.ActivateAsync(MachineName, _machine.State, Passphrase);
        Assert.Equal(ScheduledOutcome.NotDue, (await AskAsync(again, _nine.AddDays(4).AddHours(1))).Outcome);
        Assert.Equal(ScheduledOutcome.Ran, (await AskAsync(again, _nine.AddDays(5))).Outcome);
    }

    [Fact]
    public async Task Paused_means_that_nothing_is_registered_nothing_starts_and_nothing_is_made_up_for()
    {
        BackupAgent agent = await SetAsync(_nightly);
        BackupPolicy policy = agent.Policies.Require(PolicyKind.Files);
        agent.Policies.Set(policy with { IsPaused = true });

        Assert.Equal(ScheduledOutcome.Paused, (await AskAsync(agent, _nine)).Outcome);
        Assert.Equal(ScheduleRegistration.Resting, (await agent.Schedules.AlignAsync(PolicyKind.Files, Cancel)).Registration);
        Assert.Empty(_scheduler.Tasks);
        Assert.Equal(ScheduledOutcome.Paused, (await AskAsync(agent, _nine.AddDays(1))).Outcome);
        agent.Policies.Set(policy);
        await agent.Schedules.AlignAsync(PolicyKind.Files, Cancel);

        Assert.Single(_scheduler.Tasks);
        Assert.Equal(ScheduledOutcome.NotDue, (await AskAsync(agent, _nine.AddDays(1).AddHours(1))).Outcome);
        Assert.Equal(ScheduledOutcome.Ran, (await AskAsync(agent, _nine.AddDays(2))).Outcome);
    }

    [Fact]
    public async Task Another_job_is_in_the_way_and_what_is_due_stays_due()
    {
        BackupAgent agent = await SetAsync(_nightly);
        using (await agent.Jobs.LockAsync(Cancel))
        {
            _clock.JumpTo(_nine);
            Task<ScheduledRun> asked = _machine.Open().Schedules.RunAsync(PolicyKind.Files, _ => { }, Cancel);
            while (!asked.IsCompleted)
            {
                _clock.Advance(TimeSpan.FromMilliseconds(500));
                await Task.Yield();
            }

            Assert.Equal(ScheduledOutcome.Busy, (await asked).Outcome);
            Assert.Empty(agent.Jobs.List());
        }

        Assert.Equal(ScheduledOutcome.Ran, (await AskAsync(agent, _nine.AddHours(1))).Outcome);
    }

    [Fact]
    public async Task While_one_asks_another_leaves()
    {
        BackupAgent agent = await SetAsync(_nightly with { RandomDelayMinutes = 60 });
        _clock.JumpTo(_nine);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        Task<ScheduledRun> first = agent.Schedules.RunAsync(PolicyKind.Files, _ => { }, stop.Token);

        Assert.Equal(ScheduledOutcome.Busy, (await _machine.Open().Schedules.RunAsync(PolicyKind.Files, _ => { }, Cancel)).Outcome);

        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        Assert.Equal(ScheduledOutcome.Ran, (await AskAsync(agent, _nine.AddHours(2))).Outcome);
    }

    [Fact]
    public async Task A_backup_that_fails_is_on_record_and_not_tried_again_before_the_next_moment()
    {
        BackupAgent agent = await SetAsync(_nightly);
        Directory.Move(_machine.Vault, _machine.Vault + "-away");

        _clock.JumpTo(_nine);
        Assert.Equal(BackupErrorId.VaultNotFound, (await FailAsync(() => agent.Schedules.RunAsync(PolicyKind.Files, _ => { }, Cancel))).Id);

        Assert.Equal(JobState.Failed, Assert.Single(agent.Jobs.List()).State);
        Directory.Move(_machine.Vault + "-away", _machine.Vault);
        Assert.Equal(ScheduledOutcome.NotDue, (await AskAsync(agent, _nine.AddHours(1))).Outcome);
    }

    [Fact]
    public async Task On_battery_and_on_a_metered_line_it_waits_as_chosen()
    {
        BackupAgent agent = await SetAsync(_nightly with { NotOnBattery = true, NotOnMetered = true });
        _conditions.IsOnBattery = true;
        Assert.Equal(ScheduledOutcome.Waiting, (await AskAsync(agent, _nine)).Outcome);
        _conditions.IsOnBattery = false;
        _conditions.IsMetered = true;
        Assert.Contains("metered", (await AskAsync(agent, _nine.AddHours(1))).Reason, StringComparison.Ordinal);
        _conditions.IsMetered = false;

        Assert.Equal(ScheduledOutcome.Ran, (await AskAsync(agent, _nine.AddHours(2))).Outcome);
    }

    [Fact]
    public async Task A_record_that_is_lost_damaged_or_from_the_future_costs_a_backup_too_many_and_never_one_too_few()
    {
        BackupAgent agent = await SetAsync(_nightly);
        string record = Path.Combine(_machine.State, "schedule-files.json");
        foreach (Action harm in new Action[] { () => File.Delete(record), () => File.WriteAllText(record, "{"), () => { } })
        {
            _clock.JumpTo(_nine.AddHours(1));
            harm();
            Assert.Equal(ScheduledOutcome.Ran, (await AskAsync(agent, _nine.AddHours(1))).Outcome);
            Assert.Equal(ScheduledOutcome.NotDue, (await AskAsync(agent, _nine.AddHours(2))).Outcome);

            // A clock that was years ahead for a moment.
            Assert.Equal(ScheduledOutcome.Ran, (await AskAsync(agent, _nine.AddYears(4))).Outcome);
        }
    }

    [Fact]
    public async Task Another_schedule_begins_when_it_is_saved()
    {
        BackupAgent agent = await SetAsync(_nightly);
        _clock.JumpTo(_nine.AddHours(2));
        await SetAsync(_nightly with { Times = [TimeSpan.FromHours(22)] }, agent);

        Assert.Equal(ScheduledOutcome.NotDue, (await AskAsync(agent, _nine.AddHours(2))).Outcome);
        Assert.Equal(ScheduledOutcome.Ran, (await AskAsync(agent, _nine.AddDays(1).AddHours(1))).Outcome);
    }

    [Fact]
    public async Task Every_few_weeks_are_counted_from_the_day_on_which_the_policy_was_saved()
    {
        BackupAgent agent = await SetAsync(new BackupSchedule([DayOfWeek.Wednesday], [TimeSpan.FromHours(21)], 2));

        Assert.Equal(new DateOnly(2026, 6, 10), agent.Policies.Require(PolicyKind.Files).Schedule!.Start);
        Assert.Equal(ScheduledOutcome.Ran, (await AskAsync(agent, _nine)).Outcome);
        Assert.Equal(ScheduledOutcome.NotDue, (await AskAsync(agent, _nine.AddDays(7))).Outcome);
        Assert.Equal(ScheduledOutcome.Ran, (await AskAsync(agent, _nine.AddDays(14))).Outcome);
    }

    [Fact]
    public async Task What_a_scheduler_refuses_is_an_error_and_the_policy_is_saved()
    {
        _scheduler.Refuses = new BackupException(BackupErrorId.ScheduleNotRegistered, "No.", "Do.");

        BackupException refused = await FailAsync(() => SetAsync(_nightly));

        Assert.Same(_scheduler.Refuses, refused);
        Assert.NotNull(_machine.Open().Policies.Get(PolicyKind.Files));
    }

    [Fact]
    public async Task Removing_the_policy_or_leaving_the_vault_leaves_nothing_behind()
    {
        BackupAgent agent = await SetAsync(_nightly);
        await agent.LeaveVaultAsync(Cancel);
        Assert.Equal(ScheduleRegistration.LeftOver, (await agent.Schedules.FindAsync(PolicyKind.Files, Cancel)).Registration);
        await agent.Schedules.AlignAsync(PolicyKind.Files, Cancel);
        Assert.Empty(_scheduler.Tasks);

        await _machine.ActivateAsync(MachineName, _machine.State, Passphrase);
        await agent.Schedules.AlignAsync(PolicyKind.Files, Cancel);
        Assert.Single(_scheduler.Tasks);
        agent.Policies.Remove(PolicyKind.Files);
        await agent.Schedules.AlignAsync(PolicyKind.Files, Cancel);

        Assert.Empty(_scheduler.Tasks);
        Assert.Empty(Directory.GetFiles(_machine.State, "schedule-files.json"));
    }

    [Fact]
    public async Task Without_a_scheduler_of_the_system_the_schedule_is_kept_all_the_same()
    {
        using var machine = new JobsFixture { Clock = _clock };
        machine.Tree.Describe("f one 1000");
        BackupAgent agent = await machine.ActivateAsync();
        agent.Policies.Set(Policy(PolicyKind.Files, machine.Source) with { Schedule = _nightly });

        Assert.Equal(ScheduleRegistration.NotUsed, (await agent.Schedules.AlignAsync(PolicyKind.Files, Cancel)).Registration);
        Assert.Equal(ScheduledOutcome.Ran, (await AskAsync(agent, _nine)).Outcome);
    }

    private async Task<BackupAgent> SetAsync(BackupSchedule schedule, BackupAgent? known = null)
    {
        BackupAgent agent = known ?? await _machine.ActivateAsync(MachineName, _machine.State, Passphrase);
        agent.Policies.Set(Policy(PolicyKind.Files, _machine.Source) with { Id = agent.Policies.Get(PolicyKind.Files)?.Id, Schedule = schedule });
        await agent.Schedules.AlignAsync(PolicyKind.Files, Cancel);
        return agent;
    }

    private Task<ScheduledRun> AskAsync(BackupAgent agent, DateTimeOffset now)
    {
        _clock.JumpTo(now);
        return agent.Schedules.RunAsync(PolicyKind.Files, _ => { }, Cancel);
    }
}
