using System.Collections.Concurrent;
using MSOnlineBackup.Agent.Groups;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Remote;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Registers;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Machine.AgentFixture;

namespace MSOnlineBackup.Engine.Tests.Groups;

/// <summary>Runs of a group whose machines are folders of this one: backed up by the engine itself, into real vaults.</summary>
public sealed class GroupRunTests : IAsyncLifetime
{
    private readonly GroupFixture _server = new();
    private readonly Folders _backups;
    private readonly Dictionary<string, (long? Free, long? Total)> _room = [];

    public GroupRunTests() => _backups = new Folders(_server);

    public async ValueTask InitializeAsync() => await _server.CreateAsync();

    public ValueTask DisposeAsync()
    {
        _server.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Each_machine_has_its_point_on_the_disk_and_then_in_the_cloud()
    {
        await _server.MakeAsync();

        GroupRun run = await RunAsync();

        Assert.True(run.IsComplete);
        Assert.Empty(run.Warnings);
        Assert.Equal([("m1", _server.A), ("m2", _server.A)], run.Machines.Select(machine => (machine.HostName, machine.DiskVault!)));
        Assert.Equal(2, run.Copies.Single().Reports.Sum(report => report.PointsCopied));
        Assert.Equal(await PointsAsync(_server.A), await PointsAsync(GroupFixture.Cloud));
        Assert.Empty(await PointsAsync(_server.B));
        RecoveryPoint point = run.Machines[0].Point!;
        Assert.Contains(point.Tags, tag => tag.Contains("files", StringComparison.OrdinalIgnoreCase));

        // The second one adds what is new, and nothing else.
        GroupRun second = await RunAsync();
        Assert.Equal(point.SessionId, second.Machines[0].Point!.ParentSessionId);
        Assert.Equal(0, second.Machines[0].Point!.NewBytes);
    }

    [Fact]
    public async Task A_machine_that_fails_stops_no_other_and_its_place_and_cause_are_told()
    {
        await _server.MakeAsync();
        _backups.Fails("m1", BackupErrorId.AgentUnreachable);
        var told = new ConcurrentBag<string>();

        GroupRun run = await RunAsync(machine => told.Add(machine.HostName));

        Assert.False(run.IsComplete);
        Assert.Equal((BackupErrorId.AgentUnreachable, _server.A), (run.Machines[0].Failure!.Id, run.Machines[0].DiskVault));
        Assert.NotNull(run.Machines[1].Point);
        Assert.Equal(["m1", "m2"], told.Order());
        Assert.Single(await PointsAsync(GroupFixture.Cloud));
    }

    [Fact]
    public async Task A_cloud_that_is_away_stops_no_backup_and_the_next_run_brings_what_it_lacks()
    {
        await _server.MakeAsync();
        _server.SetAway(GroupFixture.Cloud, isAway: true);

        GroupRun run = await RunAsync();

        Assert.True(run.IsComplete);
        Assert.Equal(BackupErrorId.CopyIncomplete, run.Copies.Single().Failure!.Id);
        Assert.Contains("is away", run.Copies.Single().Failure!.Message, StringComparison.Ordinal);
        _server.SetAway(GroupFixture.Cloud, isAway: false);
        GroupRun next = await RunAsync();
        Assert.Null(next.Copies.Single().Failure);
        Assert.Equal(4, (await PointsAsync(GroupFixture.Cloud)).Count);
    }

    [Fact]
    public async Task A_group_copies_and_ends_points_of_its_own_machines_alone()
    {
        await _server.Machines.BackUpAsync(_server.Alpha);
        await _server.MakeAsync("web", "m1");
        await RunAsync();
        Assert.Equal(["m1"], await MachinesAsync(GroupFixture.Cloud));
        Assert.Equal(["ALPHA", "m1"], await MachinesAsync(_server.A));
        for (int week = 0; week < 3; week++)
        {
            _server.Machines.Clock.Advance(TimeSpan.FromDays(7));
            await _server.Machines.BackUpAsync(_server.Alpha);
            GroupRun run = await RunAsync();
            Assert.Empty(run.Warnings);
        }

        // 10 days on the disk, 30 in the cloud. Files were made just now by the clock of the disk, three weeks ago by that of this test: the newest stays.
        Assert.Equal(1, (await ListAsync(_server.A)).Count(point => point.MachineName == "m1"));
        Assert.Equal(4, (await ListAsync(_server.A)).Count(point => point.MachineName == "ALPHA"));
        Assert.Equal(4, (await PointsAsync(GroupFixture.Cloud)).Count);
    }

    [Fact]
    public async Task Where_a_disk_has_little_room_the_next_one_takes_the_machine_and_keeps_it()
    {
        await _server.MakeAsync("web", "m1");
        await RunAsync();
        _room[_server.A] = (4, 100);

        GroupRun moved = await RunAsync();

        Assert.Equal(_server.B, moved.Machines[0].DiskVault);
        BackupException warning = Assert.Single(moved.Machines[0].Warnings);
        Assert.Equal(BackupErrorId.PoolOverflow, warning.Id);
        Assert.Contains("4 %", warning.Message, StringComparison.Ordinal);
        Assert.Null(moved.Copies.Single().Failure);
        Assert.Equal(2, (await PointsAsync(GroupFixture.Cloud)).Count);
        _room.Remove(_server.A);
        GroupRun stays = await RunAsync();
        Assert.Equal((_server.B, 0), (stays.Machines[0].DiskVault, stays.Machines[0].Warnings.Count));
        Assert.Equal(moved.Machines[0].Point!.SessionId, stays.Machines[0].Point!.ParentSessionId);
        Assert.Single(await PointsAsync(_server.A));
    }

    [Fact]
    public async Task A_disk_that_gets_full_during_a_backup_is_left_for_the_next_one()
    {
        await _server.MakeAsync();
        await RunAsync();
        _backups.FailsIn(_server.A, BackupErrorId.VaultFull);

        GroupRun run = await RunAsync();

        Assert.True(run.IsComplete);
        Assert.All(run.Machines, machine => Assert.Equal((_server.B, BackupErrorId.PoolOverflow), (machine.DiskVault, Assert.Single(machine.Warnings).Id)));
        _backups.FailsIn(_server.B, BackupErrorId.VaultFull);
        GroupRun none = await RunAsync();
        Assert.All(none.Machines, machine => Assert.Equal(BackupErrorId.VaultFull, machine.Failure!.Id));
        Assert.Equal(4, (await PointsAsync(GroupFixture.Cloud)).Count);
    }

    [Fact]
    public async Task A_real_file_system_that_gets_full_is_left_and_one_with_little_room_is_not_begun_on()
    {
        Assert.SkipUnless(Shell.IsLinuxRoot, "Mounting needs root on Linux.");
        string small = Directory.CreateDirectory(_server.Machines["small"]).FullName;
        using MountedFileSystem disk = MountedFileSystem.InMemory(small, "12m");
        string vault = Path.Combine(small, "vault");
        await _server.Alpha.Copies.CreateTwinAsync(vault, _server.A, Cancel);
        await _server.Groups().CreateAsync(_server.Draft("web", "m1") with { DiskVaults = [vault, _server.B] }, Passphrase, isRehearsal: false, Cancel);
        Directory.CreateDirectory(_server.Machines["machine", "m1"]);
        byte[] content = new byte[16 << 20];
        new Random(2).NextBytes(content);
        await File.WriteAllBytesAsync(_server.Machines["machine", "m1", "file"], content, Cancel);

        GroupRun overflowed = await _server.Groups().RunAsync("web", _backups, RoomOf, null, Cancel);

        Assert.Equal(_server.B, overflowed.Machines[0].DiskVault);
        Assert.NotNull(overflowed.Machines[0].Point);
        await _server.Groups().ChangeAsync("web", group => group with { Machines = _server.Groups().Describe(["m2"]) }, null, isRehearsal: false, Cancel);
        await File.WriteAllBytesAsync(Path.Combine(small, "others"), content.AsMemory(0, (int)(DiskVaults.RoomOf(small).Free!.Value * 97 / 100)), Cancel);
        GroupRun low = await _server.Groups().RunAsync("web", _backups, RoomOf, null, Cancel);
        Assert.Equal((_server.B, 0), (low.Machines[0].DiskVault, low.Machines[0].Warnings.Count));
        Assert.Equal(DiskVaultState.LowSpace, (await _server.Groups().ReadDisksAsync(low.Group, Cancel))[0].State);

        // The disk of this machine may be as full as it is.
        (long? Free, long? Total) RoomOf(string place) => place == vault ? DiskVaults.RoomOf(place) : (50, 100);
    }

    [Fact]
    public async Task A_disk_that_is_away_is_named_and_machines_go_on_elsewhere()
    {
        await _server.MakeAsync("web", "m1");
        await RunAsync();
        _server.SetAway(_server.A, isAway: true);

        GroupRun run = await RunAsync();

        Assert.Equal(BackupErrorId.VaultUnreachable, Assert.Single(run.Warnings).Id);
        Assert.Equal(_server.B, run.Machines[0].DiskVault);
        _server.SetAway(_server.B, isAway: true);
        Assert.Equal(BackupErrorId.VaultUnreachable, (await Assert.ThrowsAsync<BackupException>(() => RunAsync())).Id);
    }

    [Fact]
    public async Task A_group_does_not_run_twice_at_once_and_one_that_is_not_there_does_not_run()
    {
        await _server.MakeAsync("web", "m1");
        BackupException? second = null;
        _backups.During = async () => second = await Assert.ThrowsAsync<BackupException>(() => RunAsync());

        GroupRun run = await RunAsync();

        Assert.True(run.IsComplete);
        Assert.Equal(BackupErrorId.JobInProgress, second?.Id);
        Assert.Equal(BackupErrorId.GroupNotFound, (await Assert.ThrowsAsync<BackupException>(() => _server.Groups().RunAsync("db", _backups, Room, null, Cancel))).Id);
    }

    [Fact]
    public async Task A_new_server_goes_on_with_the_groups_that_it_has_found()
    {
        await _server.MakeAsync("web", "m1");
        GroupRun before = await RunAsync();
        string state = _server.Machines.StateOf("NEW");
        await _server.Groups(state).SyncAsync(GroupFixture.Cloud, Passphrase, isRehearsal: false, Cancel);

        GroupRun after = await _server.Groups(state).RunAsync("web", _backups, Room, null, Cancel);

        Assert.Equal(before.Machines[0].Point!.SessionId, after.Machines[0].Point!.ParentSessionId);
        Assert.Equal(0, after.Machines[0].Point!.NewBytes);
    }

    [Fact]
    public void What_a_policy_leaves_out_holds_for_all_of_its_folders()
    {
        BackupPolicy policy = GroupFixture.Policy with { Files = [new("/srv"), new("/etc"), new("/srv/cache", Exclude: true), new("*.tmp", Exclude: true)] };

        (IReadOnlyList<string> paths, SourceSelection selection) = GroupSources.Of(policy);

        Assert.Equal(["/srv", "/etc"], paths);
        Assert.Equal(["*.tmp", "/srv/cache"], selection.Exclude.Order());
        FileSpecification[][] refused = [[new("/srv"), new("/srv/cache", Exclude: true), new("/srv/cache/kept")], [new("/srv"), new("/etc", NonRecursive: true)]];
        Assert.All(refused, files => Assert.Equal(BackupErrorId.PolicyInvalid, Assert.Throws<BackupException>(() => GroupSources.Of(policy with { Files = files })).Id));
    }

    // The original's table for a server: its disk is stopped for its cloud. Ours goes on, and says so.
    [Theory]
    [InlineData(false, VaultSubscription.Active, null)]
    [InlineData(false, VaultSubscription.Expired, BackupErrorId.SubscriptionExpired)]
    [InlineData(false, VaultSubscription.Deprovisioned, BackupErrorId.SubscriptionDeprovisioned)]
    [InlineData(true, VaultSubscription.Active, BackupErrorId.VaultContactLost)]
    [InlineData(true, VaultSubscription.Expired, BackupErrorId.SubscriptionExpired)]
    [InlineData(true, VaultSubscription.Deprovisioned, BackupErrorId.SubscriptionDeprovisioned)]
    public async Task Under_Mars_a_cloud_that_is_silent_for_15_days_or_not_paid_for_stops_the_backups_to_the_disks(bool isLost, VaultSubscription subscription, BackupErrorId? stop)
    {
        _server.Machines.Limits = PolicyLimits.Mars;
        await _server.MakeAsync();
        Assert.Null((await RunAsync()).Copies.Single().Failure);
        await SetAsync(subscription);
        if (subscription != VaultSubscription.Active)
        {
            Assert.Equal(stop, (await Assert.ThrowsAsync<BackupException>(() => RunAsync())).Id);
        }

        if (isLost)
        {
            _server.SetAway(GroupFixture.Cloud, isAway: true);
            _server.Machines.Clock.Advance(TimeSpan.FromDays(15) + TimeSpan.FromSeconds(1));
        }

        int before = (await PointsAsync(_server.A)).Count;
        if (stop is { } id)
        {
            Assert.Equal(id, (await Assert.ThrowsAsync<BackupException>(() => RunAsync())).Id);
        }
        else
        {
            Assert.True((await RunAsync()).IsComplete);
        }

        Assert.Equal(stop is null ? before + 2 : before, (await PointsAsync(_server.A)).Count);
        _server.Machines.Limits = PolicyLimits.Open;
        GroupRun open = await RunAsync();
        Assert.True(open.IsComplete);
        Assert.Equal(isLost && subscription == VaultSubscription.Active ? [BackupErrorId.VaultContactLost] : [], open.Warnings.Select(warning => warning.Id));

        // With the first contact it goes on by itself.
        _server.SetAway(GroupFixture.Cloud, isAway: false);
        await SetAsync(VaultSubscription.Active);
        _server.Machines.Limits = PolicyLimits.Mars;
        GroupRun after = await RunAsync();
        Assert.True(after.IsComplete);
        Assert.Null(after.Copies.Single().Failure);
    }

    private Task<VaultSettings> SetAsync(VaultSubscription subscription) =>
        _server.Machines.Open("ISSUER").Ownership.ChangeSettingsAsync(GroupFixture.Cloud, settings => settings with { Subscription = subscription }, null, Cancel);

    private (long? Free, long? Total) Room(string place) => _room.GetValueOrDefault(place, (50, 100));

    private Task<GroupRun> RunAsync(Action<GroupMachineRun>? told = null)
    {
        _server.Machines.Clock.Advance(TimeSpan.FromMinutes(1));
        return _server.Groups().RunAsync("web", _backups, Room, told, Cancel);
    }

    private async Task<IReadOnlyList<RecoveryPoint>> ListAsync(string place)
    {
        using UnlockedVault vault = await _server.Open().OpenEngineAsync(place, Passphrase, Cancel);
        return [.. await vault.ListPointsAsync(null, Cancel)];
    }

    private async Task<IReadOnlyList<string>> PointsAsync(string place) => [.. (await ListAsync(place)).Select(point => point.SessionId.ToString()).Order()];

    private async Task<IReadOnlyList<string>> MachinesAsync(string place) => [.. (await ListAsync(place)).Select(point => point.MachineName).Distinct().Order()];

    /// <summary>Stands for the way to other machines.</summary>
    private sealed class Folders(GroupFixture server) : IMachineBackups
    {
        private readonly Dictionary<string, BackupErrorId> _failing = [];
        private readonly Dictionary<string, BackupErrorId> _failingIn = [];

        /// <summary>Done while a machine backs up.</summary>
        public Func<Task>? During { get; set; }

        public void Fails(string host, BackupErrorId id) => _failing[host] = id;

        public void FailsIn(string place, BackupErrorId id) => _failingIn[place] = id;

        public async Task<MachineBackup> RunAsync(RemoteMachine machine, MachineBackupOrder order, UnlockedVault vault, CancellationToken cancellationToken)
        {
            Assert.Equal(["/srv"], order.Sources);
            Assert.Equal(("backup", 2222), (machine.UserName, machine.Port));
            if (During is { } during)
            {
                await during();
            }

            if (_failing.TryGetValue(machine.HostName, out BackupErrorId id) || _failingIn.TryGetValue(vault.Vault.Location, out id))
            {
                return new MachineBackup(null, new BackupException(id, "It failed.", "Try again.", machine.HostName), []);
            }

            string folder = Directory.CreateDirectory(server.Machines["machine", machine.HostName]).FullName;
            if (!File.Exists(Path.Combine(folder, "file")))
            {
                await File.WriteAllTextAsync(Path.Combine(folder, "file"), $"what {machine.HostName} has", cancellationToken);
            }

            var request = new BackupRequest { MachineName = order.MachineName, Sources = [new BackupSource.Tree(folder, order.Selection)], Tags = order.Tags };
            try
            {
                return new MachineBackup((await vault.BackUpAsync(request, new JobMonitor(), cancellationToken)).Point, null, []);
            }
            catch (BackupException e)
            {
                return new MachineBackup(null, e, []);
            }
        }
    }
}
