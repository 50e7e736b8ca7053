using MSOnlineBackup.Agent;
using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Retention;
using MSOnlineBackup.Agent.VirtualMachines;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.VirtualMachines.Machines;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Jobs.JobsFixture;

namespace MSOnlineBackup.Engine.Tests.Jobs;

/// <summary>Virtual machines in a policy are machines of their own in the vault, and sources of the job.</summary>
public sealed class VirtualMachineJobsTests : IDisposable
{
    private readonly JobsFixture _machine = new();

    public void Dispose() => _machine.Dispose();

    [Fact]
    public async Task A_policy_with_machines_only_makes_points_under_their_names()
    {
        BackupAgent agent = await ActivateAsync(Off("vm1"), Off("vm2"));

        JobRecord job = await BackUpAsync(agent);

        Assert.Equal((JobState.Completed, null, null), (job.State, job.Error, job.Warnings));
        Assert.Equal([("vm1", JobState.Completed, ConsistencyLevel.Crash), ("vm2", JobState.Completed, ConsistencyLevel.Crash)], job.Sources.Select(source => (source.Name, source.State, source.Consistency!.Level)));
        Assert.All(job.Sources, source => Assert.InRange(source.Bytes, 1 << 20, 2 << 20));
        RecoveryPoint point = Assert.Single(await ListAsync(agent, "vm1"));
        Assert.Equal(["vm1"], point.Sources.Select(source => source.ShownPath));
        Assert.Contains("machine-run:demand:ALPHA", point.Tags);
        Assert.Contains(point.Tags, tag => tag.StartsWith("retain:files:daily:", StringComparison.Ordinal));
        Assert.Equal((await ListAsync(agent, "vm2"))[0].SessionId, job.RecoveryPointId);
        Assert.Empty(await ListAsync(agent, MachineName));

        // Only one of them; and none that the policy does not have.
        JobRecord one = await BackUpAsync(agent, new BackupOrder { Only = ["VM2"] });
        Assert.Equal(["vm2"], one.Sources.Select(source => source.Name));
        Assert.Equal(2, (await ListAsync(agent, "vm2")).Count);
        Assert.Equal(BackupErrorId.ArgumentInvalid, (await FailAsync(() => BackUpAsync(agent, new BackupOrder { Only = ["vm3"] }))).Id);
    }

    [Fact]
    public async Task One_that_fails_keeps_nothing_from_the_others_and_the_job_tells_of_it()
    {
        BackupAgent agent = await ActivateAsync(Off("vm1"), Off("vm2") with { Addresses = [_machine["nowhere.raw"]] }, Off(MachineName) with { Addresses = [_machine["vm1.raw"]] });
        _machine.Tree.File("a", [1]);
        agent.Policies.Set(agent.Policies.Get(PolicyKind.Files)! with { Files = [new FileSpecification(_machine.Source)] });

        JobRecord job = await BackUpAsync(agent);

        Assert.Equal([JobState.Completed, JobState.Completed, JobState.Failed, JobState.Failed], job.Sources.Select(source => source.State));
        Assert.Equal(["SourceItemUnreadable", "VirtualMachineUnfit"], job.Sources.Skip(2).Select(source => source.Error!.Id));
        Assert.Contains("2 sources could not be read", job.Error!.Message, StringComparison.Ordinal);
        Assert.Single(await ListAsync(agent, "vm1"));
        Assert.Single(await ListAsync(agent, MachineName));

        // Where nothing is left, the job fails.
        Assert.Equal(BackupErrorId.SourceItemUnreadable, (await FailAsync(() => BackUpAsync(agent, new BackupOrder { Only = ["vm2"] }))).Id);
    }

    [Fact]
    public async Task The_policys_retention_holds_for_the_points_that_it_made_and_for_no_others()
    {
        BackupAgent agent = await ActivateAsync(Off("vm1"));
        agent.Policies.Set(agent.Policies.Get(PolicyKind.Files)! with { Retention = new RetentionPolicy(7) });
        for (int i = 0; i < 3; i++)
        {
            await BackUpAsync(agent);
        }

        // The guest backs itself up under the same name, by a policy of its own; somebody made one by hand; and another host has had the machine.
        BackupAgent guest = await _machine.ActivateAsync("vm1", _machine["guest"], Passphrase);
        _machine.Tree.File("a", [1]);
        guest.Policies.Set(Policy(PolicyKind.Files, _machine.Source));
        await BackUpAsync(guest);
        await BackUpAsync(guest);
        BackupAgent other = await _machine.ActivateAsync("BETA", _machine["beta"], Passphrase);
        other.Policies.Set(agent.Policies.Get(PolicyKind.Files)! with { Id = null });
        await BackUpAsync(other);
        await BackUpAsync(other);
        foreach (string file in Directory.GetFiles(_machine.Vault, "*", SearchOption.AllDirectories).Where(file => file.Contains("/points/", StringComparison.Ordinal)))
        {
            File.SetLastWriteTimeUtc(file, DateTime.UtcNow.AddDays(-20));
        }

        await BackUpAsync(agent);
        RetentionPlan plan = await agent.PlanRetentionAsync(Cancel);

        Assert.All(plan.Points, planned => Assert.Contains("machine-run:demand:ALPHA", planned.Point.Tags));
        Assert.Equal(4, plan.Points.Count);
        int expiring = plan.Expiring.Count();
        Assert.Equal(3, expiring);
        using UnlockedVault vault = await agent.OpenEngineAsync(Cancel);
        Assert.Equal(3, (await agent.MaintainAsync(new MaintenanceRequest(), new JobMonitor(), null, Cancel)).PointsDeleted);
        Assert.Equal(5, (await ListAsync(agent, "vm1")).Count);

        // The guest does not judge what the host made, and what no policy names any more stays.
        Assert.All((await guest.PlanRetentionAsync(Cancel)).Points, planned => Assert.DoesNotContain(planned.Point.Tags, tag => tag.StartsWith(MachineTags.Run, StringComparison.Ordinal)));
        agent.Policies.Set(agent.Policies.Get(PolicyKind.Files)! with { VirtualMachines = [Off("vm9")] });
        Assert.Empty((await agent.PlanRetentionAsync(Cancel)).Points);
    }

    [Fact]
    public async Task Machines_of_a_group_begin_together_and_their_points_name_the_moment()
    {
        var machines = new[] { new Double("vm1"), new Double("vm2"), new Double("vm3") };
        BackupAgent agent = await ActivateAsync([.. machines.Select(machine => Running(machine, "web"))]);

        JobRecord job = await BackUpAsync(agent);

        Assert.Equal((JobState.Completed, null), (job.State, job.Warnings));
        string[] moments = [.. (await Task.WhenAll(machines.Select(machine => ListAsync(agent, machine.Name)))).Select(points => Assert.Single(points).Tags.Single(tag => tag.StartsWith(MachineTags.Barrier, StringComparison.Ordinal)))];
        Assert.Single(moments.Distinct());

        // One that cannot be reached: the others go on by themselves, and it is said.
        _machine.Machines.Remove("vm2");
        job = await BackUpAsync(agent);
        Assert.Equal(["VirtualMachineUnreachable"], job.Sources.Select(source => source.Error?.Id).OfType<string>());
        Assert.Equal(2, job.Warnings!.Count(warning => warning.Id == nameof(BackupErrorId.GuestNotFrozen) && warning.Message.Contains("group 'web'", StringComparison.Ordinal) && warning.Message.Contains("'vm2' took no part", StringComparison.Ordinal)));
        Assert.DoesNotContain((await ListAsync(agent, "vm1"))[0].Tags, tag => tag.StartsWith(MachineTags.Barrier, StringComparison.Ordinal));

        // One alone has nobody to wait for.
        job = await BackUpAsync(agent, new BackupOrder { Only = ["vm3"] });
        Assert.Equal((JobState.Completed, null), (job.State, job.Warnings));
    }

    [Fact]
    public async Task Under_Mars_the_fourth_on_demand_and_the_third_scheduled_of_a_day_are_refused()
    {
        using var machine = new JobsFixture { Limits = PolicyLimits.Mars };
        BackupAgent agent = await machine.ActivateAsync(MachineName, machine.State, Passphrase);

        // It is noon where the policy is, so that the day does not end meanwhile.
        var schedule = new BackupSchedule([DayOfWeek.Sunday], [TimeSpan.FromHours(21)]) { UtcOffsetMinutes = 720 - (int)DateTime.UtcNow.TimeOfDay.TotalMinutes };
        agent.Policies.Set(Policy(PolicyKind.Files) with { Schedule = schedule, VirtualMachines = [Off("vm1")] });
        for (int i = 0; i < 3; i++)
        {
            await BackUpAsync(agent);
        }

        BackupException refused = await FailAsync(() => BackUpAsync(agent));
        Assert.Equal(BackupErrorId.PolicyLimitExceeded, refused.Id);
        Assert.Contains("on demand in a day' (job): the value is 4; the profile Mars allows 0 to 3", refused.Message, StringComparison.Ordinal);
        await agent.Jobs.RunScheduledAsync(new BackupOrder(), _ => { }, Cancel);
        await agent.Jobs.RunScheduledAsync(new BackupOrder(), _ => { }, Cancel);
        refused = await FailAsync(() => agent.Jobs.RunScheduledAsync(new BackupOrder(), _ => { }, Cancel));
        Assert.Contains("scheduled backups of a virtual machine in a day' (schedule): the value is 3", refused.Message, StringComparison.Ordinal);
        Assert.Equal(5, (await ListAsync(agent, "vm1")).Count);
    }

    [Fact]
    public async Task Twins_get_them_too()
    {
        BackupAgent agent = await ActivateAsync(Off("vm1"));
        await agent.Copies.CreateTwinAsync(_machine["twin"], _machine.Vault, Cancel);
        agent.Policies.Set(agent.Policies.Get(PolicyKind.Files)! with { CopyTo = [_machine["twin"]] });

        JobRecord job = await BackUpAsync(agent);

        Assert.Equal((JobState.Completed, null), (job.State, job.Warnings));
        Assert.Contains(Directory.GetFiles(_machine["twin"], "*", SearchOption.AllDirectories), file => file.Contains(job.RecoveryPointId.ToString()!, StringComparison.Ordinal));
    }

    private VirtualMachineSettings Off(string name)
    {
        if (!File.Exists(_machine[$"{name}.raw"]))
        {
            File.WriteAllBytes(_machine[$"{name}.raw"], [.. Enumerable.Range(0, 1 << 20).Select(index => (byte)(index * 31))]);
        }

        return new VirtualMachineSettings(name, [_machine[$"{name}.raw"]]);
    }

    private VirtualMachineSettings Running(Double machine, string group)
    {
        _machine.Machines[machine.Name] = machine;
        return new VirtualMachineSettings(machine.Name, ["qmp:" + _machine["qmp.sock"]], _machine["agent.sock"], Group: group);
    }

    private async Task<BackupAgent> ActivateAsync(params VirtualMachineSettings[] machines)
    {
        BackupAgent agent = await _machine.ActivateAsync(MachineName, _machine.State, Passphrase);
        agent.Policies.Set(Policy(PolicyKind.Files) with { VirtualMachines = machines });
        return agent;
    }

    private static async Task<RecoveryPointList> ListAsync(BackupAgent agent, string machine)
    {
        using UnlockedVault vault = await agent.OpenEngineAsync(Cancel);
        return await vault.ListPointsAsync(machine, Cancel);
    }

    /// <summary>A machine that comes to the barrier as one under QEMU does, and has one small disk.</summary>
    private sealed class Double(string name) : IVirtualMachine
    {
        private static readonly byte[] _content = [1, 2, 3];

        public string Name => name;

        public string? Uuid => null;

        public string Hypervisor => "double";

        public Task<IReadOnlyList<MachineDisk>> ListDisksAsync(CancellationToken cancellationToken) =>
            Task.FromResult<IReadOnlyList<MachineDisk>>([new MachineDisk("vda", MachineDescription.FileOf("vda"), null, _content.Length, "raw", null, IsReadOnly: false)]);

        public async Task<IMachineMoment> BeginAsync(IReadOnlyList<MachineDisk> disks, MomentOptions options, CancellationToken cancellationToken)
        {
            if (options.Barrier is { } barrier)
            {
                await barrier.ReadyAsync(cancellationToken);
                await barrier.HeldAsync(cancellationToken);
                await barrier.SwitchedAsync(cancellationToken);
                await barrier.ReleasedAsync(name, null, cancellationToken);
            }

            return new Moment(disks[0]);
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;

        private sealed class Moment(MachineDisk disk) : IMachineMoment
        {
            public IReadOnlyList<MomentDisk> Disks { get; } = [new MomentDisk(disk, new Content(), null)];

            public IReadOnlyList<(string Name, byte[] Content)> Files => [];

            public SourceConsistency Consistency => new(ConsistencyLevel.FileSystem, "double");

            public TimeSpan Frozen => TimeSpan.FromMilliseconds(1);

            public void RequireHeld()
            {
            }

            public Task CommitAsync(SessionId session, CancellationToken cancellationToken) => Task.CompletedTask;

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }

        private sealed class Content : ISourceDisk
        {
            public long Length => _content.Length;

            public DiskChanges? Changes => null;

            public bool TryGetDataRun(long offset, out long start, out long length)
            {
                (start, length) = (offset, _content.Length - offset);
                return length > 0;
            }

            public void Read(long offset, Span<byte> destination) => _content.AsSpan((int)offset, destination.Length).CopyTo(destination);

            public void Dispose()
            {
            }
        }
    }
}
