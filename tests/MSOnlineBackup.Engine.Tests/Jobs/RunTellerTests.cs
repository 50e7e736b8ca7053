using MSOnlineBackup.Agent;
using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Schedules;
using MSOnlineBackup.Agent.Sinks;
using MSOnlineBackup.Engine.Tests.Schedules;
using MSOnlineBackup.Engine.Tests.Sinks;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Compliance;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Statuses;
using MSOnlineBackup.Vaults.Storage;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Jobs.JobsFixture;

namespace MSOnlineBackup.Engine.Tests.Jobs;

/// <summary>What the jobs and schedules of a machine tell whoever watches its vault.</summary>
public sealed class RunTellerTests : IDisposable
{
    private static readonly BackupSchedule _nightly = new(Enum.GetValues<DayOfWeek>(), [TimeSpan.FromHours(21)]) { UtcOffsetMinutes = 0 };
    private static readonly DateTimeOffset _noon = new(2026, 6, 10, 12, 0, 0, TimeSpan.Zero);

    private readonly FakeClock _clock = new(_noon);
    private readonly FakeConditions _conditions = new();
    private readonly JobsFixture _machine;

    public RunTellerTests()
    {
        _machine = new JobsFixture { Clock = _clock, Scheduler = new FakeScheduler(), ScheduleParts = new ScheduleParts(_conditions, new FakeCommands()) };
        _machine.Tree.Describe("f one 1000\nf two 500");
    }

    public void Dispose() => _machine.Dispose();

    [Fact]
    public async Task A_policy_that_was_saved_is_expected_and_a_backup_by_it_says_when_the_next_is()
    {
        BackupAgent agent = await SetAsync();
        (PolicyCompliance expected, RunStatus first) = await LookAsync(agent);
        Assert.Equal((ComplianceState.Ok, RunOutcome.Expected, 9 * 3600L, 2 * 3600L), (expected.State, first.Outcome, first.NextSeconds, first.GraceSeconds));

        JobRecord job = await BackUpAsync(agent);

        (PolicyCompliance found, RunStatus status) = await LookAsync(agent);
        Assert.True(found is { State: ComplianceState.Ok, IsProved: true, Policy: "files", Machine: MachineName, Files: 2, Bytes: 1500 });
        Assert.Equal((job.Id, job.RecoveryPointId, RunOutcome.Completed, "UTC+0 min"), (found.Job, status.Point, status.Outcome, status.Zone));
        Assert.Equal(_noon.AddHours(9), status.Next);
    }

    [Fact]
    public async Task A_failed_backup_tells_why_also_where_it_did_not_begin()
    {
        BackupAgent agent = await SetAsync();
        await BackUpAsync(agent);
        Directory.Delete(_machine.Source, recursive: true);

        await FailAsync(() => BackUpAsync(agent));

        (PolicyCompliance failing, RunStatus status) = await LookAsync(agent);
        Assert.True(failing is { State: ComplianceState.Failing, Errors: [_, ..] });
        Assert.Equal(RunOutcome.Failed, status.Outcome);

        agent.Policies.Set(Policy(PolicyKind.Files, _machine["nowhere"]) with { Id = agent.Policies.Require(PolicyKind.Files).Id, Schedule = _nightly });
        _clock.JumpTo(_noon.AddHours(9));
        await FailAsync(() => agent.Schedules.RunAsync(PolicyKind.Files, _ => { }, Cancel));
        Assert.Equal(agent.Jobs.List()[^1].Id, (await LookAsync(agent)).Status.Job);
    }

    [Fact]
    public async Task What_a_schedule_skips_is_told_once()
    {
        BackupAgent agent = await SetAsync(_nightly with { SkipsMissed = true });
        await BackUpAsync(agent);
        int before = StatusFiles().Length;
        _clock.JumpTo(_noon.AddDays(4));

        Assert.Equal(ScheduledOutcome.Skipped, (await agent.Schedules.RunAsync(PolicyKind.Files, _ => { }, Cancel)).Outcome);

        (PolicyCompliance found, RunStatus status) = await LookAsync(agent);
        Assert.Equal((RunOutcome.Skipped, before + 1), (status.Outcome, StatusFiles().Length));
        Assert.Equal([nameof(BackupErrorId.ScheduleMissed)], found.Errors);
    }

    [Fact]
    public async Task A_policy_that_is_paused_resumed_and_removed_is_told_and_saving_it_again_says_nothing_new()
    {
        BackupAgent agent = await SetAsync();
        BackupPolicy policy = agent.Policies.Require(PolicyKind.Files);
        await agent.Schedules.AlignAsync(PolicyKind.Files, Cancel);
        Assert.Single(StatusFiles());

        agent.Policies.Set(policy with { IsPaused = true });
        await agent.Schedules.AlignAsync(PolicyKind.Files, Cancel);
        Assert.Equal(ComplianceState.Stopped, (await LookAsync(agent)).Found.State);
        await BackUpAsync(agent);
        Assert.Equal(ComplianceState.Stopped, (await LookAsync(agent)).Found.State);

        agent.Policies.Set(policy);
        await agent.Schedules.AlignAsync(PolicyKind.Files, Cancel);
        Assert.Equal(ComplianceState.Ok, (await LookAsync(agent)).Found.State);

        agent.Policies.Remove(PolicyKind.Files);
        await agent.Schedules.AlignAsync(PolicyKind.Files, Cancel);
        await agent.Schedules.AlignAsync(PolicyKind.SystemState, Cancel);
        Assert.Equal(RunOutcome.Ended, (await ReadNewestAsync(agent)).Outcome);
        Assert.Equal(5, StatusFiles().Length);
    }

    [Fact]
    public async Task A_backup_of_a_part_of_the_policy_is_none_by_the_policy()
    {
        BackupAgent agent = await SetAsync();
        Directory.CreateDirectory(_machine["more"]);
        agent.Policies.Set(Policy(PolicyKind.Files, _machine.Source, _machine["more"]) with { Id = agent.Policies.Require(PolicyKind.Files).Id, Schedule = _nightly });
        await BackUpAsync(agent);

        await BackUpAsync(agent, new BackupOrder { Only = [_machine["more"]] });

        VaultCompliance found = await WatchAsync(agent);
        Assert.Equal(["files", "other"], found.Policies.Select(policy => policy.Policy));
        Assert.DoesNotContain(found.Policies, policy => policy.IsAlarming);
    }

    [Fact]
    public async Task A_status_that_cannot_be_written_is_a_warning_of_a_backup_that_was_made()
    {
        BackupAgent agent = await SetAsync();
        _machine.Between = store => new WatchedVaultStore(store, name =>
        {
            if (name.StartsWith("status/", StringComparison.Ordinal))
            {
                throw new BackupException(BackupErrorId.VaultAccessDenied, "No status here.", "None: a test.", name);
            }
        });

        JobRecord job = await BackUpAsync(_machine.Open());

        Assert.Equal(JobState.Completed, job.State);
        Assert.NotNull(job.RecoveryPointId);
        JobError warning = Assert.Single(job.Warnings!);
        Assert.Equal(nameof(BackupErrorId.StatusNotWritten), warning.Id);
        Assert.Contains("No status here", warning.Message);
        Assert.Equal(warning, Assert.Single(_machine.Open().Jobs.Get(job.Id).Warnings!));
        agent.Policies.Set(agent.Policies.Require(PolicyKind.Files) with { IsPaused = true });
        Assert.Equal(BackupErrorId.StatusNotWritten, (await _machine.Open().Schedules.AlignAsync(PolicyKind.Files, Cancel)).Untold!.Id);
    }

    [Fact]
    public async Task A_check_is_pinged_when_a_backup_starts_succeeds_and_fails_and_a_ping_that_fails_is_a_warning()
    {
        await using var web = new RecordingWeb();
        BackupAgent agent = await SetAsync();
        agent.Alarms.Set(new AlarmSettings { Sinks = [new SinkSettings { Kind = SinkKind.Healthchecks, Name = "backups", Url = web.Url, Runs = true }] });

        JobRecord job = await BackUpAsync(agent);
        Assert.Equal([$"/start?rid={job.Id}", $"?rid={job.Id}"], web.Asked);
        Assert.Null(job.Warnings);

        Directory.Move(_machine.Source, _machine["away"]);
        await FailAsync(() => BackUpAsync(agent));
        Directory.Move(_machine["away"], _machine.Source);
        Assert.Equal($"/fail?rid={agent.Jobs.List().Single(one => one.State == JobState.Failed).Id}", web.Asked[^1]);

        web.Status = 500;
        job = agent.Jobs.Get((await BackUpAsync(agent)).Id);
        Assert.Equal(JobState.Completed, job.State);
        Assert.Equal([nameof(BackupErrorId.AlarmNotDelivered), nameof(BackupErrorId.AlarmNotDelivered)], job.Warnings!.Select(warning => warning.Id));
    }

    private string[] StatusFiles() => Directory.GetFiles(Path.Combine(_machine.Vault, "status"), "*", SearchOption.AllDirectories);

    private async Task<BackupAgent> SetAsync(BackupSchedule? schedule = null)
    {
        BackupAgent agent = await _machine.ActivateAsync(MachineName, _machine.State, Passphrase);
        agent.Policies.Set(Policy(PolicyKind.Files, _machine.Source) with { Schedule = schedule ?? _nightly });
        await agent.Schedules.AlignAsync(PolicyKind.Files, Cancel);
        return agent;
    }

    private async Task<VaultCompliance> WatchAsync(BackupAgent agent)
    {
        using UnlockedVault vault = await agent.OpenEngineAsync(Cancel);
        Vault seen = await Vault.OpenAsync(new AskedVaultStore(new FolderVaultStore(_machine.Vault), isReadOnly: true), new VaultOptions { TimeProvider = _clock }, Cancel);
        return await seen.Watch([vault.CreateMonitoringCredential()]).LookAsync(Cancel);
    }

    private async Task<(PolicyCompliance Found, RunStatus Status)> LookAsync(BackupAgent agent) =>
        (Assert.Single((await WatchAsync(agent)).Policies), await ReadNewestAsync(agent));

    private async Task<RunStatus> ReadNewestAsync(BackupAgent agent)
    {
        using UnlockedVault vault = await agent.OpenEngineAsync(Cancel);
        string newest = StatusFiles().Order(StringComparer.Ordinal).Last();
        string name = Path.GetRelativePath(_machine.Vault, newest).Replace('\\', '/');
        StatusReading reading = StatusCodec.Decode([vault.CreateMonitoringCredential().Key], vault.Key.StoreId, vault.VaultId, name, await File.ReadAllBytesAsync(newest, Cancel));
        Assert.True(reading.IsProved);
        return reading.Status!;
    }
}
