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

    [Fact]
    public async Task Machines_of_a_group_are_all_held_before_any_is_switched_and_all_switched_before_any_goes_on()
    {
        await using TestMachine first = await TestMachine.StartAsync(null, ("a.qcow2", 1 << 20));
        await using TestMachine second = await TestMachine.StartAsync(null, ("a.qcow2", 1 << 20));
        var barrier = new MomentBarrier("0123", "web", 2, TimeProvider.System);
        var events = new System.Collections.Concurrent.ConcurrentQueue<string>();

        QemuBackup[] backups = await Task.WhenAll(BeginAsync(first), BeginAsync(second));

        Assert.True(barrier.IsMet);
        Assert.Equal(["freeze", "freeze", "thaw", "thaw"], events);
        foreach (QemuBackup backup in backups)
        {
            Assert.Equal(ConsistencyLevel.FileSystem, backup.Consistency.Level);
            await backup.DisposeAsync();
        }

        async Task<QemuBackup> BeginAsync(TestMachine machine)
        {
            QemuMachine qemu = await QemuMachine.ConnectAsync(machine.Monitor, null, Stop);
            return await qemu.BeginBackupAsync(
                await qemu.ListDisksAsync(Stop), Options(machine) with { AgentSocket = "agent", Barrier = barrier, Freezer = new GroupFreezer([first, second], events) }, Stop);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Where_one_of_a_group_does_not_come_the_other_has_a_moment_of_its_own_or_none(bool requiresFreeze)
    {
        await using TestMachine machine = await TestMachine.StartAsync(null, ("a.qcow2", 1 << 20));
        await using QemuMachine qemu = await QemuMachine.ConnectAsync(machine.Monitor, null, Stop);
        var barrier = new MomentBarrier("0123", "web", 2, TimeProvider.System);
        barrier.Leave("vm2", "it cannot be reached");
        var freezer = new Freezer(machine, false, 2, true);
        MomentOptions options = Options(machine) with { AgentSocket = "agent", Barrier = barrier, Freezer = freezer, RequiresFreeze = requiresFreeze };
        IReadOnlyList<QemuDisk> disks = await qemu.ListDisksAsync(Stop);
        if (requiresFreeze)
        {
            BackupException error = await Assert.ThrowsAsync<BackupException>(() => qemu.BeginBackupAsync(disks, options, Stop));
            Assert.Equal(BackupErrorId.GuestNotFrozen, error.Id);
            Assert.Contains("group 'web': 'vm2' took no part in it: it cannot be reached.", error.Message, StringComparison.Ordinal);
            Assert.Empty(await machine.LeftoversAsync());
        }
        else
        {
            await using QemuBackup backup = await qemu.BeginBackupAsync(disks, options, Stop);
            Assert.Equal(ConsistencyLevel.FileSystem, backup.Consistency.Level);
            Assert.False(barrier.IsMet);
        }
    }

    private static async Task<bool> IsSwitchedAsync(TestMachine machine)
    {
        JsonElement nodes = await machine.Control.ExecuteAsync("query-named-block-nodes", new JsonObject { ["flat"] = true }, Stop);
        return ((JsonElement?)nodes).Elements().FirstOrDefault(node => node.Text("node-name") == "obengine-top-0") is { ValueKind: JsonValueKind.Object } top
            && top.Text("file")!.Contains("copy-before-write", StringComparison.Ordinal);
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
            WasSwitched.Add(await IsSwitchedAsync(machine));
            return this;
        }

        public async Task<bool> ThawAsync()
        {
            WasSwitched.Add(await IsSwitchedAsync(machine));
            return isHeld;
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    /// <summary>Asserts, where it freezes and where it thaws, that of all machines of the group none or each is switched.</summary>
    private sealed class GroupFreezer(TestMachine[] group, System.Collections.Concurrent.ConcurrentQueue<string> events) : IGuestFreezer, IGuestFreeze
    {
        private static readonly SemaphoreSlim _one = new(1);

        public int FileSystems => 2;

        public bool IsWindows => false;

        public async Task<IGuestFreeze> FreezeAsync(string agentSocket, FreezeLimits limits, CancellationToken cancellationToken)
        {
            await LookAsync("freeze", expected: false);
            return this;
        }

        public async Task<bool> ThawAsync()
        {
            await LookAsync("thaw", expected: true);
            return true;
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;

        private async Task LookAsync(string what, bool expected)
        {
            await _one.WaitAsync(Stop);
            try
            {
                foreach (TestMachine machine in group)
                {
                    Assert.Equal(expected, await IsSwitchedAsync(machine));
                }

                events.Enqueue(what);
            }
            finally
            {
                _one.Release();
            }
        }
    }
}
