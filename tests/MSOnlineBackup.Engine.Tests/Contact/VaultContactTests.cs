using MSOnlineBackup.Agent;
using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Schedules;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Engine.Tests.Jobs;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Storage;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Jobs.JobsFixture;

namespace MSOnlineBackup.Engine.Tests.Contact;

/// <summary>Contact that is lost, and subscriptions that end: what becomes of backups, by hand and by schedule, and of recoveries.</summary>
public sealed class VaultContactTests : IDisposable
{
    private static readonly BackupSchedule _nightly = new(Enum.GetValues<DayOfWeek>(), [TimeSpan.FromHours(21)]);
    private static readonly DateTimeOffset _noon = new(2026, 6, 10, 12, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset _nine = _noon.AddHours(9);

    private readonly FakeClock _clock = new(_noon);
    private readonly Dictionary<PolicyLimits, JobsFixture> _machines = [];
    private BackupException? _failure;

    public static TheoryData<string> Profiles { get; } = [PolicyLimits.Mars.Name, PolicyLimits.Open.Name];

    public void Dispose()
    {
        foreach (JobsFixture machine in _machines.Values)
        {
            machine.Dispose();
        }
    }

    [Fact]
    public async Task In_the_profile_Mars_backups_run_at_fifteen_days_and_are_stopped_a_second_later()
    {
        BackupAgent agent = await SetAsync(PolicyLimits.Mars, _nightly);
        await BackUpAsync(agent);
        _failure = Unreachable();

        _clock.JumpTo(_noon.AddDays(15));
        Assert.Equal(BackupErrorId.VaultUnreachable, (await FailAsync(() => BackUpAsync(agent))).Id);

        _clock.JumpTo(_noon.AddDays(15).AddSeconds(1));
        BackupException stopped = await FailAsync(() => BackUpAsync(agent));
        Assert.Equal(BackupErrorId.VaultContactLost, stopped.Id);
        Assert.Contains("15 days, since 2026-06-10 12:00:00Z", stopped.Message, StringComparison.Ordinal);
        Assert.Contains(_failure.Message, stopped.Message, StringComparison.Ordinal);
        Assert.Contains("Test-OBConnectivity", stopped.RecommendedAction, StringComparison.Ordinal);
        Assert.Contains("Start-OBRegistration", stopped.RecommendedAction, StringComparison.Ordinal);
        Assert.Equal((JobState.Failed, nameof(BackupErrorId.VaultContactLost)), (agent.Jobs.List()[^1].State, agent.Jobs.List()[^1].Error!.Id));
    }

    [Fact]
    public async Task In_the_profile_Mars_scheduled_backups_are_skipped_while_contact_is_lost_and_go_on_with_it()
    {
        BackupAgent agent = await SetAsync(PolicyLimits.Mars, _nightly);
        Assert.Equal(ScheduledOutcome.Ran, (await AskAsync(agent, _nine)).Outcome);
        _failure = Unreachable();
        Assert.Equal(BackupErrorId.VaultUnreachable, (await FailAsync(() => AskAsync(agent, _nine.AddDays(15)))).Id);

        Assert.Equal(BackupErrorId.VaultContactLost, (await AskAsync(agent, _nine.AddDays(16))).Stopped?.Id);
        Assert.Equal(ScheduledOutcome.Skipped, (await AskAsync(agent, _nine.AddDays(17))).Outcome);
        Assert.Equal(ScheduledOutcome.NotDue, (await AskAsync(agent, _nine.AddDays(17).AddHours(1))).Outcome);
        Assert.All(agent.Jobs.List().TakeLast(2), job => Assert.Equal((JobState.Skipped, nameof(BackupErrorId.VaultContactLost)), (job.State, job.Error!.Id)));

        _failure = null;
        Assert.Equal(ScheduledOutcome.NotDue, (await AskAsync(agent, _nine.AddDays(17).AddHours(2))).Outcome);
        Assert.Equal(ScheduledOutcome.Ran, (await AskAsync(agent, _nine.AddDays(18))).Outcome);
        Assert.Equal((_nine.AddDays(18), false), (agent.Contact.Find()!.Last, agent.Contact.Find()!.IsLost));
    }

    [Fact]
    public async Task In_the_profile_Open_backups_are_tried_for_ever_and_the_failure_says_for_how_long()
    {
        BackupAgent agent = await SetAsync(PolicyLimits.Open, _nightly);
        await BackUpAsync(agent);
        _failure = Unreachable();
        _clock.JumpTo(_nine.AddDays(40));

        BackupException failed = await FailAsync(() => AskAsync(agent, _nine.AddDays(40)));

        Assert.Equal(BackupErrorId.VaultUnreachable, failed.Id);
        Assert.Contains("no contact with its vault 'Office' for 40 days", failed.Message, StringComparison.Ordinal);
        Assert.Contains("Test-OBConnectivity", failed.RecommendedAction, StringComparison.Ordinal);
        Assert.Equal(JobState.Failed, agent.Jobs.List()[^1].State);
        Assert.Equal(BackupErrorId.VaultContactLost, (await agent.Contact.FindAlarmAsync(Cancel))!.Id);

        _failure = null;
        Assert.Null(await agent.Contact.FindAlarmAsync(Cancel));
        Assert.Equal(JobState.Completed, (await BackUpAsync(agent)).State);
    }

    [Theory]
    [MemberData(nameof(Profiles))]
    public async Task What_the_account_is_disabled_for_is_an_expired_subscription_backups_are_skipped_and_nothing_is_caught_up(string profile)
    {
        BackupAgent agent = await SetAsync(PolicyLimits.Find(profile)!, _nightly);
        Assert.Equal(ScheduledOutcome.Ran, (await AskAsync(agent, _nine)).Outcome);
        _failure = Disabled();

        for (int day = 1; day <= 5; day++)
        {
            Assert.Equal((ScheduledOutcome.Skipped, _nine.AddDays(day)), (await AskAsync(agent, _nine.AddDays(day))) is var run ? (run.Outcome, run.Due) : default);
        }

        IReadOnlyList<JobRecord> jobs = agent.Jobs.List();
        Assert.Equal(6, jobs.Count);
        Assert.All(jobs.Skip(1), job => Assert.Equal((JobState.Skipped, nameof(BackupErrorId.SubscriptionExpired)), (job.State, job.Error!.Id)));
        Assert.Equal(VaultSubscription.Expired, agent.Contact.Find()!.Subscription);
        Assert.Contains("disabled", (await agent.Contact.FindAlarmAsync(Cancel))!.Message, StringComparison.Ordinal);
        Assert.Equal(BackupErrorId.SubscriptionExpired, (await FailAsync(() => BackUpAsync(agent))).Id);
        Assert.Single(agent.Jobs.List(), job => job.State == JobState.Failed);

        _failure = null;
        Assert.Equal(ScheduledOutcome.NotDue, (await AskAsync(agent, _nine.AddDays(5).AddHours(1))).Outcome);
        Assert.Equal(ScheduledOutcome.Ran, (await AskAsync(agent, _nine.AddDays(6))).Outcome);
        Assert.Equal(VaultSubscription.Active, agent.Contact.Find()!.Subscription);
    }

    [Fact]
    public async Task One_backup_makes_up_for_a_stop_where_the_schedule_says_so()
    {
        BackupAgent agent = await SetAsync(PolicyLimits.Open, _nightly with { CatchesUpStops = true });
        await SetStateAsync(VaultSubscription.Expired);
        for (int day = 0; day < 5; day++)
        {
            Assert.Equal(ScheduledOutcome.Skipped, (await AskAsync(agent, _nine.AddDays(day))).Outcome);
        }

        Assert.Equal(5, agent.Jobs.List().Count);
        Assert.Equal(ScheduledOutcome.NotDue, (await AskAsync(agent, _nine.AddDays(4).AddHours(1))).Outcome);
        Assert.Equal(5, agent.Jobs.List().Count);

        await SetStateAsync(VaultSubscription.Active);
        ScheduledRun made = await AskAsync(agent, _nine.AddDays(4).AddHours(2));
        Assert.Equal((ScheduledOutcome.Ran, _nine.AddDays(4)), (made.Outcome, made.Due));
        Assert.Equal(ScheduledOutcome.NotDue, (await AskAsync(agent, _nine.AddDays(4).AddHours(3))).Outcome);
        Assert.Equal(ScheduledOutcome.Ran, (await AskAsync(agent, _nine.AddDays(5))).Outcome);
    }

    [Fact]
    public async Task A_machine_that_was_off_while_the_subscription_had_expired_has_each_moment_on_record()
    {
        BackupAgent agent = await SetAsync(PolicyLimits.Open, _nightly);
        await SetStateAsync(VaultSubscription.Expired);

        ScheduledRun stopped = await AskAsync(agent, _nine.AddDays(4).AddHours(2));
        Assert.Equal((ScheduledOutcome.Skipped, BackupErrorId.SubscriptionExpired), (stopped.Outcome, stopped.Stopped?.Id));

        Assert.Equal(5, agent.Jobs.List().Count);
        Assert.All(agent.Jobs.List(), job => Assert.Equal((JobState.Skipped, nameof(BackupErrorId.SubscriptionExpired)), (job.State, job.Error!.Id)));
    }

    [Theory]
    [InlineData("Mars", VaultSubscription.Expired, false, null)]
    [InlineData("Open", VaultSubscription.Expired, false, null)]
    [InlineData("Open", VaultSubscription.Deprovisioned, false, null)]
    [InlineData("Mars", VaultSubscription.Deprovisioned, false, BackupErrorId.SubscriptionDeprovisioned)]
    [InlineData("Mars", VaultSubscription.Deprovisioned, true, null)]
    public async Task By_hand_backups_are_refused_and_recoveries_as_the_table_has_it(string profile, VaultSubscription state, bool isForced, BackupErrorId? refused)
    {
        BackupAgent agent = await SetAsync(PolicyLimits.Find(profile)!, _nightly);
        JobRecord made = await BackUpAsync(agent);
        await SetStateAsync(state);
        JobsFixture machine = _machines.Values.Single();

        BackupException stopped = await FailAsync(() => BackUpAsync(agent));
        Assert.Equal(state == VaultSubscription.Expired ? BackupErrorId.SubscriptionExpired : BackupErrorId.SubscriptionDeprovisioned, stopped.Id);
        var order = new RecoveryOrder
        {
            MachineName = MachineName, PointId = made.RecoveryPointId.ToString()!, Paths = [], TargetFolder = machine["target"], EvenDeprovisioned = isForced,
        };
        if (refused is { } id)
        {
            Assert.Equal(id, (await FailAsync(() => agent.Jobs.RunAsync(order, _ => { }, Cancel))).Id);
            Assert.False(Directory.Exists(machine["target"]));
        }
        else
        {
            Assert.Equal(JobState.Completed, (await agent.Jobs.RunAsync(order, _ => { }, Cancel)).State);
            Assert.True(File.Exists(Path.Combine(machine["target"], Path.GetFileName(machine.Source), "one")));
        }
    }

    [Fact]
    public async Task Who_backs_up_without_an_agent_is_refused_too_and_no_point_is_made()
    {
        BackupAgent agent = await SetAsync(PolicyLimits.Open, _nightly);
        await SetStateAsync(VaultSubscription.Expired);
        JobsFixture machine = _machines.Values.Single();
        using UnlockedVault vault = await agent.OpenEngineAsync(Cancel);
        var request = new BackupRequest { MachineName = MachineName, Sources = [new BackupSource.Tree(machine.Source, SourceSelection.Everything)] };

        Assert.Equal(BackupErrorId.SubscriptionExpired, (await FailAsync(() => vault.BackUpAsync(request, new JobMonitor(), Cancel))).Id);

        Assert.Empty(await vault.ListPointsAsync(MachineName, Cancel));
    }

    [Fact]
    public async Task What_was_deprovisioned_and_is_active_again_goes_on_with_all_its_points()
    {
        BackupAgent agent = await SetAsync(PolicyLimits.Mars, _nightly);
        JobRecord before = await BackUpAsync(agent);
        await SetStateAsync(VaultSubscription.Deprovisioned);
        await FailAsync(() => BackUpAsync(agent));
        await SetStateAsync(VaultSubscription.Active);

        JobRecord after = await BackUpAsync(agent);

        using UnlockedVault vault = await agent.OpenEngineAsync(Cancel);
        IReadOnlyList<RecoveryPoint> points = await vault.ListPointsAsync(MachineName, Cancel);
        Assert.Equal([after.RecoveryPointId, before.RecoveryPointId], points.Select(point => (SessionId?)point.SessionId));
    }

    [Fact]
    public async Task A_vault_that_was_emptied_is_noticed_and_the_first_backup_to_its_successor_is_a_full_one()
    {
        BackupAgent agent = await SetAsync(PolicyLimits.Mars, _nightly);
        long first = (await BackUpAsync(agent)).NewBytes;
        JobsFixture machine = _machines.Values.Single();
        Directory.Move(machine.Vault, machine["old"]);
        Directory.CreateDirectory(machine.Vault);

        BackupException lost = await FailAsync(() => BackUpAsync(agent));
        Assert.Equal(BackupErrorId.VaultNotFound, lost.Id);
        Assert.Contains("Start-OBRegistration", lost.RecommendedAction, StringComparison.Ordinal);

        Directory.Delete(machine.Vault);
        await agent.LeaveVaultAsync(Cancel);
        agent = await machine.ActivateAsync(MachineName, machine.State, Passphrase);
        JobRecord again = await BackUpAsync(agent);
        Assert.Equal((JobState.Completed, first), (again.State, again.NewBytes));
        using UnlockedVault old = await agent.OpenEngineAsync(machine["old"], Passphrase, Cancel);
        Assert.Single(await old.ListPointsAsync(MachineName, Cancel));
    }

    [Fact]
    public async Task No_credential_file_is_issued_while_the_subscription_is_not_active()
    {
        await SetAsync(PolicyLimits.Open, _nightly);
        await SetStateAsync(VaultSubscription.Expired);
        JobsFixture machine = _machines.Values.Single();

        BackupException refused = await FailAsync(() => machine.Open("OWNER", machine["owner"]).Ownership.IssueCredentialAsync(machine.Vault, machine["."], null, null, null, Cancel));

        Assert.Equal((BackupErrorId.SubscriptionExpired, "403"), (refused.Id, refused.ErrorCode));
    }

    [Fact]
    public async Task What_is_remembered_may_be_lost_or_damaged_and_counts_anew()
    {
        BackupAgent agent = await SetAsync(PolicyLimits.Mars, _nightly);
        await BackUpAsync(agent);
        string record = Path.Combine(_machines.Values.Single().State, "contact.json");
        _failure = Unreachable();
        foreach (Action harm in new Action[] { () => File.Delete(record), () => File.WriteAllText(record, "{") })
        {
            harm();
            _clock.JumpTo(_clock.GetUtcNow().AddDays(20));
            Assert.Null(agent.Contact.Find());
            Assert.Equal(BackupErrorId.VaultUnreachable, (await FailAsync(() => BackUpAsync(agent))).Id);
            Assert.Equal(_clock.GetUtcNow(), agent.Contact.Find()!.Last);
            _clock.JumpTo(_clock.GetUtcNow().AddDays(15).AddSeconds(1));
            Assert.Equal(BackupErrorId.VaultContactLost, (await FailAsync(() => BackUpAsync(agent))).Id);
        }
    }

    [Fact]
    public async Task A_clock_that_jumps_does_not_stop_a_backup_to_a_vault_that_answers()
    {
        BackupAgent agent = await SetAsync(PolicyLimits.Mars, _nightly);
        await AskAsync(agent, _nine);

        Assert.Equal(ScheduledOutcome.Ran, (await AskAsync(agent, _nine.AddYears(2))).Outcome);
        Assert.Equal(JobState.Completed, (await BackUpAsync(agent)).State);
    }

    private static BackupException Unreachable() => new(BackupErrorId.VaultUnreachable, "The vault does not answer.", "Check the network.", "vault");

    private static BackupException Disabled() => new(BackupErrorId.VaultAccountDisabled, "The storage account is disabled (HTTP 403 AccountIsDisabled).", "Renew the subscription.", "vault");

    private async Task<BackupAgent> SetAsync(PolicyLimits limits, BackupSchedule schedule)
    {
        var machine = new JobsFixture { Clock = _clock, Limits = limits };
        _machines[limits] = machine;
        machine.Between = store => _failure is null ? store : new SilentStore(store, _failure);
        machine.Tree.Describe("f one 1000");
        BackupAgent agent = await machine.ActivateAsync(MachineName, machine.State, Passphrase);
        agent.Policies.Set(Policy(PolicyKind.Files, machine.Source) with { Schedule = schedule });
        await agent.Schedules.AlignAsync(PolicyKind.Files, Cancel);
        return agent;
    }

    private async Task SetStateAsync(VaultSubscription state)
    {
        JobsFixture machine = _machines.Values.Single();
        await machine.Open("OWNER", machine["owner"]).Ownership.ChangeSettingsAsync(machine.Vault, settings => settings with { Subscription = state }, null, Cancel);
    }

    private Task<ScheduledRun> AskAsync(BackupAgent agent, DateTimeOffset now)
    {
        _clock.JumpTo(now);
        return agent.Schedules.RunAsync(PolicyKind.Files, _ => { }, Cancel);
    }

    /// <summary>A store that fails whatever it is asked.</summary>
    private sealed class SilentStore(IVaultStore inner, BackupException failure) : IVaultStore
    {
        public string Location => inner.Location;

        public VaultStoreCapabilities Capabilities => inner.Capabilities;

        public ValueTask<bool> TryCreateAsync(
            string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken, VaultAccessTier tier = VaultAccessTier.Hot) => throw failure;

        public ValueTask<int> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken) => throw failure;

        public ValueTask<StoredObject?> StatAsync(string name, CancellationToken cancellationToken) => throw failure;

        public IAsyncEnumerable<StoredObject> ListAsync(string prefix, CancellationToken cancellationToken) => throw failure;

        public ValueTask DeleteAsync(string name, CancellationToken cancellationToken) => throw failure;
    }
}
