using System.Diagnostics;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.VirtualMachines.GuestAgent;
using Xunit;

namespace MSOnlineBackup.VirtualMachines.Tests.GuestAgent;

/// <summary>The child that holds a guest still, by the program itself.</summary>
public sealed class FreezeChildTests
{
    private static readonly FreezeLimits _limits = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static string[] Command => ["dotnet", Obengine.BuiltProgram, "serve", "thaw"];

    [Fact]
    public async Task It_holds_the_guest_until_it_is_let_go()
    {
        await using var agent = new GuestAgentDouble { System = "mswindows", FileSystems = 3 };

        await using IGuestFreeze freeze = await new FreezeChild(Command, TimeProvider.System).FreezeAsync(agent.Socket, _limits, Stop);

        Assert.True(agent.IsFrozen);
        Assert.Equal(3, freeze.FileSystems);
        Assert.True(freeze.IsWindows);
        Assert.True(await freeze.ThawAsync());
        Assert.False(agent.IsFrozen);
        Assert.False(await freeze.ThawAsync());
    }

    [Fact]
    public async Task It_lets_go_where_whoever_started_it_is_killed()
    {
        using var folder = new TempFolder();
        await using var agent = new GuestAgentDouble();
        string owner = $"echo $$ > '{folder["pid"]}'; exec sleep 1000";
        using Process both = Process.Start("bash", ["-c", $"bash -c '{owner.Replace("'", "'\\''", StringComparison.Ordinal)}' | dotnet '{Obengine.BuiltProgram}' serve thaw '{agent.Socket}' > /dev/null"]);
        await agent.WaitAsync(one => one.IsFrozen, Stop);

        Shell.RunChecked("kill", "-KILL", (await File.ReadAllTextAsync(folder["pid"], Stop)).Trim());

        await agent.WaitAsync(one => !one.IsFrozen, Stop);
        await both.WaitForExitAsync(Stop);
        Assert.Equal(0, both.ExitCode);
    }

    [Fact]
    public async Task Where_the_child_is_killed_it_is_let_go_all_the_same()
    {
        await using var agent = new GuestAgentDouble();
        await using IGuestFreeze freeze = await new FreezeChild(["bash", "-c", "echo frozen 2 debian; kill -KILL $$"], TimeProvider.System).FreezeAsync(agent.Socket, _limits, Stop);

        Assert.False(await freeze.ThawAsync());

        Assert.Equal(["guest-fsfreeze-thaw", "guest-fsfreeze-status"], agent.Commands);
    }

    [Fact]
    public async Task A_guest_without_an_agent_is_not_held()
    {
        BackupException error = await Assert.ThrowsAsync<BackupException>(() => new FreezeChild(Command, TimeProvider.System).FreezeAsync("/nonexistent/agent", _limits, Stop));

        Assert.Equal(BackupErrorId.GuestNotFrozen, error.Id);
        Assert.Contains("/nonexistent/agent", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_child_that_cannot_be_started_holds_nothing()
    {
        BackupException error = await Assert.ThrowsAsync<BackupException>(() => new FreezeChild(["/nonexistent/program"], TimeProvider.System).FreezeAsync("/nonexistent/agent", _limits, Stop));

        Assert.Equal(BackupErrorId.GuestNotFrozen, error.Id);
    }

    [Fact]
    public async Task A_guest_that_nobody_can_let_go_is_an_error()
    {
        BackupException error = await Assert.ThrowsAsync<BackupException>(
            () => new FreezeChild(["bash", "-c", "echo stuck it is; :"], TimeProvider.System).FreezeAsync("/nonexistent/agent", _limits, Stop));

        Assert.Equal(BackupErrorId.GuestNotThawed, error.Id);
        Assert.Contains("it is", error.Message, StringComparison.Ordinal);
    }
}
