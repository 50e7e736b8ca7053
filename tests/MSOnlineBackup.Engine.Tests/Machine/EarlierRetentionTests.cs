using MSOnlineBackup.Agent;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Vaults.Alarms;
using MSOnlineBackup.Vaults.Errors;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Machine.AgentFixture;

namespace MSOnlineBackup.Engine.Tests.Machine;

/// <summary>A machine remembers what its policies kept: a shortening is told with both figures, and is found where it is done in two steps.</summary>
public sealed class EarlierRetentionTests : IDisposable
{
    private static readonly BackupPolicy _policy = new()
    {
        Files = [new FileSpecification(Path.GetTempPath())],
        Schedule = new BackupSchedule([DayOfWeek.Sunday], [TimeSpan.FromHours(21)]),
        Retention = new RetentionPolicy(30, new WeeklyRetention(12, [DayOfWeek.Sunday], [])),
    };

    private readonly AgentFixture _agents = new();

    public void Dispose() => _agents.Dispose();

    [Fact]
    public async Task A_shortening_is_told_with_what_was_kept_and_what_is()
    {
        BackupAgent agent = await _agents.ActivateAsync();
        await SaveAsync(agent, _policy);
        Assert.Null(agent.Policies.FindShortened(PolicyKind.Files));
        Assert.Empty(await agent.ReadAlarmsAsync(Cancel));
        await SaveAsync(agent, _policy with { Retention = new RetentionPolicy(7) });

        VaultAlarm alarm = Assert.Single(await _agents.Open().ReadAlarmsAsync(Cancel));

        Assert.Equal((BackupErrorId.RetentionShortened, "ALPHA"), (alarm.Id, alarm.Machine));
        Assert.Contains("It kept every point for 30 days, weekly ones for 12 weeks, and keeps every point for 7 days.", alarm.Message, StringComparison.Ordinal);
        Assert.Equal(alarm.Message, Assert.Single(agent.FindLocalAlarms()).Message);
    }

    [Fact]
    public async Task In_two_steps_it_is_the_same()
    {
        BackupAgent agent = await _agents.ActivateAsync();
        await SaveAsync(agent, _policy);
        await SaveAsync(agent, _policy with { Retention = new RetentionPolicy(14) });
        await SaveAsync(agent, _policy with { Retention = new RetentionPolicy(7) });

        Assert.Equal(30, agent.Policies.FindShortened(PolicyKind.Files)!.Before.Days);
        await SaveAsync(agent, _policy with { Retention = new RetentionPolicy(20) });
        Assert.Equal(30, agent.Policies.FindShortened(PolicyKind.Files)!.Before.Days);
        await SaveAsync(agent, _policy);
        Assert.Null(agent.Policies.FindShortened(PolicyKind.Files));
        Assert.Empty(await agent.ReadAlarmsAsync(Cancel));
    }

    [Fact]
    public async Task A_policy_in_the_place_of_a_removed_one_that_kept_more_needs_the_same_consent()
    {
        BackupAgent agent = await _agents.ActivateAsync();
        await SaveAsync(agent, _policy);
        await _agents.Open("ISSUER").Ownership.ChangeSettingsAsync(_agents.Vault, settings => settings with { RequiresPin = true }, null, Cancel);
        agent.Policies.Remove(PolicyKind.Files);
        BackupPolicy less = _policy with { Retention = new RetentionPolicy(1) };

        Assert.Equal(BackupErrorId.SecurityPinRejected, (await Assert.ThrowsAsync<BackupException>(() => SaveAsync(agent, less))).Id);
        await SaveAsync(agent, _policy);
        agent.Policies.Remove(PolicyKind.Files);
        string pin = (await _agents.Open("ISSUER").Ownership.IssuePinAsync(_agents.Vault, null, Cancel)).Code;
        await agent.SavePolicyAsync(less, new MSOnlineBackup.Vaults.Protection.Consent(pin), Cancel);

        Assert.Equal((30, 1), (agent.Policies.FindShortened(PolicyKind.Files)!.Before.Days, agent.Policies.FindShortened(PolicyKind.Files)!.Now.Days));
    }

    [Fact]
    public async Task The_owner_releases_it_and_time_does()
    {
        BackupAgent agent = await _agents.ActivateAsync();
        await SaveAsync(agent, _policy);
        await SaveAsync(agent, _policy with { Retention = new RetentionPolicy(7) });
        _agents.Clock.Advance(TimeSpan.FromDays(1));
        await _agents.Open("ISSUER").Ownership.ReleaseBrakeAsync(_agents.Vault, "ALPHA", null, null, Cancel);
        Assert.Empty(await agent.ReadAlarmsAsync(Cancel));
        _agents.Clock.Advance(TimeSpan.FromDays(1));
        await SaveAsync(agent, _policy with { Retention = new RetentionPolicy(3) });
        Assert.Single(await agent.ReadAlarmsAsync(Cancel));
        _agents.Clock.Advance(TimeSpan.FromDays(29));

        Assert.Empty(await agent.ReadAlarmsAsync(Cancel));
    }

    [Fact]
    public async Task A_note_that_is_damaged_takes_the_same_consent_and_is_put_right()
    {
        BackupAgent agent = await _agents.ActivateAsync();
        await SaveAsync(agent, _policy);
        await SaveAsync(agent, _policy with { Retention = new RetentionPolicy(7) });
        string file = Path.Join(_agents.State, "retention-files.json");
        await File.WriteAllTextAsync(file, "{", Cancel);
        Assert.Equal(BackupErrorId.StateInvalid, Assert.Throws<BackupException>(() => agent.Policies.FindShortened(PolicyKind.Files)).Id);

        await SaveAsync(agent, _policy with { Retention = new RetentionPolicy(7) });

        Assert.Null(agent.Policies.FindShortened(PolicyKind.Files));
    }

    private static Task<BackupPolicy> SaveAsync(BackupAgent agent, BackupPolicy policy) => agent.SavePolicyAsync(policy, null, Cancel);
}
