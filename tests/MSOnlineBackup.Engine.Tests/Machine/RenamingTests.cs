using MSOnlineBackup.Agent;
using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Vaults.Errors;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Machine.AgentFixture;

namespace MSOnlineBackup.Engine.Tests.Machine;

public sealed class RenamingTests : IDisposable
{
    private readonly AgentFixture _agents = new();

    public void Dispose() => _agents.Dispose();

    [Fact]
    public async Task A_renamed_machine_opens_its_vault_and_goes_on_from_its_points()
    {
        BackupResult first = await _agents.BackUpAsync(await _agents.ActivateAsync());
        BackupAgent agent = _agents.Open("BETA", _agents.State);

        MachineRegistration registration = await agent.RenameMachineAsync("BETA", Cancel);

        Assert.Equal("BETA", registration.MachineName);
        Assert.Null(agent.Machine.FindNameChange());
        Assert.True(registration.IsNamed("alpha"));
        Assert.False(registration.IsNamed("gamma"));
        BackupResult second = await _agents.BackUpAsync(_agents.Open("BETA", _agents.State));
        Assert.Equal((0, first.Point.SessionId), (second.ReadBytes, second.Point.ParentSessionId!.Value));
        await agent.Machine.RegisterAsync(await _agents.IssueAsync(), Cancel);
        Assert.Equal("BETA", agent.Machine.Registration!.MachineName);

        await agent.RenameMachineAsync("ALPHA", Cancel);

        // The user's choice: that the system calls it otherwise is known.
        Assert.Null(agent.Machine.FindNameChange());
        Assert.NotNull(_agents.Open("GAMMA", _agents.State).Machine.FindNameChange());
        Assert.Equal(0, (await _agents.BackUpAsync(agent)).ReadBytes);
    }

    [Fact]
    public async Task A_machine_that_lost_its_state_finds_its_points_by_the_new_name()
    {
        BackupAgent agent = await _agents.ActivateAsync();
        await _agents.BackUpAsync(agent);
        await agent.RenameMachineAsync("BETA", Cancel);

        BackupAgent anew = await _agents.ActivateAsync("BETA");

        Assert.Equal(0, (await _agents.BackUpAsync(anew)).ReadBytes);
        Assert.Equal(2, (await (await anew.OpenEngineAsync(Cancel)).ListPointsAsync("ALPHA", Cancel)).Count);
        await FailsAsync(BackupErrorId.MachineNameTaken, null, () => _agents.ActivateAsync("ALPHA", state: _agents.StateOf("another")));
    }

    [Fact]
    public async Task What_was_interrupted_after_the_vault_knew_is_finished_by_doing_it_again()
    {
        BackupAgent agent = await _agents.ActivateAsync();
        await _agents.BackUpAsync(agent);
        await (await agent.OpenEngineAsync(Cancel)).RenameMachineAsync("ALPHA", "BETA", Cancel);
        BackupException fault = await FailsAsync(BackupErrorId.MachineNameTaken, null, () => _agents.BackUpAsync(agent));
        Assert.Contains("'Rename-OBMachine BETA'", fault.RecommendedAction, StringComparison.Ordinal);

        await agent.RenameMachineAsync("BETA", Cancel);

        Assert.Equal(0, (await _agents.BackUpAsync(agent)).ReadBytes);
    }

    [Theory]
    [InlineData("")]
    [InlineData("two\nlines")]
    public async Task What_is_no_name_changes_nothing(string name)
    {
        BackupAgent agent = await _agents.ActivateAsync();
        await FailsAsync(BackupErrorId.ArgumentInvalid, null, () => agent.RenameMachineAsync(name, Cancel));
        await FailsAsync(BackupErrorId.MachineNotActivated, null, async () => await (await _agents.RegisterAsync("BETA")).RenameMachineAsync("GAMMA", Cancel));
        Assert.Equal("ALPHA", agent.Machine.Registration!.MachineName);
    }
}
