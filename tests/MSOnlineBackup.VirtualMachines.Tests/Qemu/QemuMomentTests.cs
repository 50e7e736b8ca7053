using System.Text.Json;
using System.Text.Json.Nodes;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.VirtualMachines.GuestAgent;
using MSOnlineBackup.VirtualMachines.Machines;
using MSOnlineBackup.VirtualMachines.Qemu;
using MSOnlineBackup.VirtualMachines.Qmp;
using MSOnlineBackup.VirtualMachines.Tests.GuestAgent;
using Xunit;

namespace MSOnlineBackup.VirtualMachines.Tests.Qemu;

/// <summary>The moment of a backup, and what can be relied on.</summary>
public sealed class QemuMomentTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("debian", 2, false, true, ConsistencyLevel.FileSystem)]
    [InlineData("debian", 2, true, true, ConsistencyLevel.Application)]
    [InlineData("mswindows", 2, false, true, ConsistencyLevel.Application)]
    [InlineData("debian", 0, true, true, ConsistencyLevel.Crash)]
    [InlineData("debian", 2, true, false, ConsistencyLevel.Crash)]
    public async Task It_lies_between_freeze_and_thaw(string system, int fileSystems, bool hasHooks, bool isHeld, ConsistencyLevel expected)
    {
        await using TestMachine machine = await TestMachine.StartAsync(null, ("a.qcow2", 1 << 20));
        await using QemuMachine qemu = await QemuMachine.ConnectAsync(machine.Monitor, null, Stop);
        var freezer = new Freezer(machine, system == "mswindows", fileSystems, isHeld);

        await using QemuBackup backup = await qemu.BeginBackupAsync(await qemu.ListDisksAsync(Stop), Options(machine) with { AgentSocket = "agent", Freezer = freezer, GuestHasHooks = hasHooks }, Stop);

        Assert.Equal([false, true], freezer.WasSwitched);
        Assert.Equal(expected, backup.Consistency.Level);
        Assert.Equal(expected == ConsistencyLevel.FileSystem, backup.Consistency.Reason is null);
        Assert.Equal("QEMU", backup.Consistency.Snapshot);
        Assert.True(backup.Frozen > TimeSpan.Zero);
    }

    [Fact]
    public async Task A_guest_is_held_by_the_program_itself_and_goes_on()
    {
        await using TestMachine machine = await TestMachine.StartAsync(null, ("a.qcow2", 1 << 20), ("b.raw", 1 << 20));
        await using QemuMachine qemu = await QemuMachine.ConnectAsync(machine.Monitor, null, Stop);
        await using var agent = new GuestAgentDouble();
        var options = Options(machine) with { AgentSocket = agent.Socket, Freezer = new FreezeChild(["dotnet", Obengine.BuiltProgram, "serve", "thaw"], TimeProvider.System) };

        await using QemuBackup backup = await qemu.BeginBackupAsync(await qemu.ListDisksAsync(Stop), options, Stop);

        Assert.Equal(ConsistencyLevel.FileSystem, backup.Consistency.Level);
        Assert.False(agent.IsFrozen);
        Assert.Contains("guest-fsfreeze-freeze", agent.Commands);
    }

    [Fact]
    public async Task Without_an_agent_that_answers_it_is_as_after_a_loss_of_power_or_not_at_all()
    {
        await using TestMachine machine = await TestMachine.StartAsync(null, ("a.qcow2", 1 << 20));
        await using QemuMachine qemu = await QemuMachine.ConnectAsync(machine.Monitor, null, Stop);
        MomentOptions options = Options(machine) with { AgentSocket = "/nonexistent/agent", Freezer = new FreezeChild(["bash", "-c", "echo failed no agent; :"], TimeProvider.System) };

        await using (QemuBackup backup = await qemu.BeginBackupAsync(await qemu.ListDisksAsync(Stop), options, Stop))
        {
            Assert.Equal(ConsistencyLevel.Crash, backup.Consistency.Level);
            Assert.Contains("no agent", backup.Consistency.Reason!, StringComparison.Ordinal);
        }

        BackupException error = await Assert.ThrowsAsync<BackupException>(
            async () => await qemu.BeginBackupAsync(await qemu.ListDisksAsync(Stop), options with { RequiresFreeze = true }, Stop));
        Assert.Equal(BackupErrorId.GuestNotFrozen, error.Id);
        Assert.Empty(await machine.LeftoversAsync());
    }

    private static MomentOptions Options(TestMachine machine) => new() { WorkFolder = Path.GetDirectoryName(machine.Monitor)! };

    /// <summary>Looks, where it freezes and where it thaws, whether the guest's writes go through the filter.</summary>
    private sealed class Freezer(TestMachine machine, bool isWindows, int fileSystems, bool isHeld) : IGuestFreezer, IGuestFreeze
    {
        public List<bool> WasSwitched { get; } = [];

        public int FileSystems => fileSystems;

        public bool IsWindows => isWindows;

        public async Task<IGuestFreeze> FreezeAsync(string agentSocket, FreezeLimits limits, CancellationToken cancellationToken)
        {
            WasSwitched.Add(await IsSwitchedAsync());
            return this;
        }

        public async Task<bool> ThawAsync()
        {
            WasSwitched.Add(await IsSwitchedAsync());
            return isHeld;
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;

        private async Task<bool> IsSwitchedAsync()
        {
            JsonElement nodes = await machine.Control.ExecuteAsync("query-named-block-nodes", new JsonObject { ["flat"] = true }, Stop);
            return ((JsonElement?)nodes).Elements().Single(node => node.Text("node-name") == "obengine-top-0").Text("file")!.Contains("copy-before-write", StringComparison.Ordinal);
        }
    }
}
