using MSOnlineBackup.Agent;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Vaults.Errors;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Machine.AgentFixture;

namespace MSOnlineBackup.Engine.Tests.Machine;

public sealed class PolicyStoreTests : IDisposable
{
    private static readonly BackupPolicy _policy = new()
    {
        Files = [new FileSpecification(Path.GetTempPath())],
        Schedule = new BackupSchedule([DayOfWeek.Sunday], [TimeSpan.FromHours(21)]),
        Retention = new RetentionPolicy(30),
    };

    private readonly AgentFixture _agents = new();

    public void Dispose() => _agents.Dispose();

    [Fact]
    public async Task A_policy_comes_after_the_passphrase()
    {
        Assert.Equal(BackupErrorId.MachineNotRegistered, Assert.Throws<BackupException>(() => _agents.Open().Policies.Set(_policy)).Id);
        BackupAgent agent = await _agents.RegisterAsync();
        Assert.Equal(BackupErrorId.MachineNotActivated, Assert.Throws<BackupException>(() => agent.Policies.Set(_policy)).Id);
        await agent.Machine.Key.SetPassphraseAsync(Passphrase, Cancel);

        agent.Policies.Set(_policy);

        Assert.NotNull(_agents.Open().Policies.Get(PolicyKind.Files));
        Assert.Null(_agents.Open().Policies.Get(PolicyKind.SystemState));
    }

    [Fact]
    public async Task A_policy_is_given_an_id_and_keeps_it()
    {
        BackupAgent agent = await _agents.ActivateAsync();

        BackupPolicy saved = agent.Policies.Set(_policy);
        BackupPolicy paused = agent.Policies.Set(saved with { IsPaused = true });

        Assert.NotNull(saved.Id);
        Assert.Equal(saved.Id, paused.Id);
        BackupPolicy read = _agents.Open().Policies.Get(PolicyKind.Files)!;
        Assert.Equal((saved.Id, true, 30), (read.Id, read.IsPaused, read.Retention!.Days));
        Assert.Equal(_policy.Files, read.Files);
    }

    [Fact]
    public async Task An_incomplete_policy_leaves_the_one_that_is_there()
    {
        BackupAgent agent = await _agents.ActivateAsync();
        BackupPolicy saved = agent.Policies.Set(_policy);

        Assert.Equal(BackupErrorId.PolicyIncomplete, Assert.Throws<BackupException>(() => agent.Policies.Set(saved with { Schedule = null })).Id);

        Assert.NotNull(agent.Policies.Get(PolicyKind.Files)!.Schedule);
    }

    [Fact]
    public async Task A_policy_is_removed_once()
    {
        BackupAgent agent = await _agents.ActivateAsync();
        agent.Policies.Set(_policy);

        agent.Policies.Remove(PolicyKind.Files);

        Assert.Null(agent.Policies.Get(PolicyKind.Files));
        Assert.Equal(BackupErrorId.PolicyNotFound, Assert.Throws<BackupException>(() => agent.Policies.Remove(PolicyKind.Files)).Id);
    }

    [Fact]
    public void A_damaged_policy_is_told_with_its_file()
    {
        Directory.CreateDirectory(_agents.State);
        string file = Path.Combine(_agents.State, "policy-files.json");
        File.WriteAllText(file, "{ \"half");

        BackupException fault = Assert.Throws<BackupException>(() => _agents.Open().Policies.Get(PolicyKind.Files));

        Assert.Equal((BackupErrorId.StateInvalid, file), (fault.Id, fault.Target));
    }
}
