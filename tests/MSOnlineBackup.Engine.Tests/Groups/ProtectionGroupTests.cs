using MSOnlineBackup.Agent.Groups;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Vaults.Errors;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Machine.AgentFixture;

namespace MSOnlineBackup.Engine.Tests.Groups;

public sealed class ProtectionGroupTests : IAsyncLifetime
{
    private readonly GroupFixture _server = new();

    public async ValueTask InitializeAsync() => await _server.CreateAsync();

    public ValueTask DisposeAsync()
    {
        _server.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task A_group_is_in_all_of_its_places_and_another_process_lists_it_as_it_was_made()
    {
        GroupChange made = await _server.MakeAsync();

        Assert.Empty(made.Problems);
        Assert.All([_server.A, _server.B, GroupFixture.Cloud], place => Assert.Single(_server.RecordsIn(place)));
        GroupOverview known = await _server.Groups().ListAsync(Cancel);
        Assert.Empty(known.Problems);
        ProtectionGroup group = Assert.Single(known.Groups);
        Assert.Equivalent(made.Group, group, strict: true);
        Assert.Equal(["m1", "m2"], group.Machines.Select(machine => machine.HostName));
        Assert.Equal(GroupFixture.KeyOf(1), group.Machines[0].HostKey);
        Assert.Equal(("backup", 2222, "0.1.0"), (group.Machines[0].Machine.UserName, group.Machines[0].Machine.Port, group.Machines[0].Agent!.Version));
        Assert.Equal(30, group.CopyRetention!.Days);
        Assert.Equal("web", (await _server.Groups().GetAsync("WEB", Cancel)).Name);
    }

    [Fact]
    public async Task The_key_of_the_vault_is_of_no_use_to_another_machine_and_no_passphrase_is_kept()
    {
        await _server.MakeAsync();
        string state = _server.Machines.StateOf(GroupFixture.Server);
        Assert.DoesNotContain(Directory.EnumerateFiles(state, "*", SearchOption.AllDirectories), file => File.ReadAllText(file).Contains(Passphrase, StringComparison.Ordinal));
        string other = _server.Machines.StateOf("THIEF");
        _server.Open(other).Machine.Update(settings => settings);
        File.Copy(Path.Combine(state, "server.json"), Path.Combine(other, "server.json"));

        GroupOverview stolen = await _server.Groups(other).ListAsync(Cancel);

        Assert.Empty(stolen.Groups);
        Assert.All(stolen.Problems, problem => Assert.Equal(BackupErrorId.KeyFileInvalid, problem.Id));
    }

    public static TheoryData<string, BackupErrorId> Mistakes => new()
    {
        { "no machine", BackupErrorId.ArgumentInvalid },
        { "a machine twice", BackupErrorId.ArgumentInvalid },
        { "no disk vault", BackupErrorId.ArgumentInvalid },
        { "a disk vault twice", BackupErrorId.ArgumentInvalid },
        { "a disk vault far away", BackupErrorId.ArgumentInvalid },
        { "a copy in a disk vault", BackupErrorId.ArgumentInvalid },
        { "a retention for no copy", BackupErrorId.ArgumentInvalid },
        { "a name that is none", BackupErrorId.ArgumentInvalid },
        { "twins in the policy", BackupErrorId.ArgumentInvalid },
        { "no schedule", BackupErrorId.PolicyIncomplete },
        { "another vault", BackupErrorId.VaultNotTwin },
        { "a place that is not there", BackupErrorId.VaultNotFound },
        { "a cloud that is away", BackupErrorId.VaultUnreachable },
        { "a name that is taken", BackupErrorId.GroupExists },
        { "a machine of another group", BackupErrorId.GroupMachineTaken },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public async Task What_cannot_be_is_refused_and_nothing_is_written(string mistake, BackupErrorId id)
    {
        ProtectionGroup draft = _server.Draft("web", "m1");
        switch (mistake)
        {
            case "no machine":
                draft = draft with { Machines = [] };
                break;
            case "a machine twice":
                draft = draft with { Machines = _server.Groups().Describe(["m1", "M1"]) };
                break;
            case "no disk vault":
                draft = draft with { DiskVaults = [] };
                break;
            case "a disk vault twice":
                draft = draft with { DiskVaults = [_server.A, _server.B, $"{_server.A}/"] };
                break;
            case "a disk vault far away":
                draft = draft with { DiskVaults = [GroupFixture.Cloud], CopyTo = [], CopyRetention = null };
                break;
            case "a copy in a disk vault":
                draft = draft with { CopyTo = [_server.B] };
                break;
            case "a retention for no copy":
                draft = draft with { CopyTo = [] };
                break;
            case "a name that is none":
                draft = draft with { Name = "a\nb" };
                break;
            case "twins in the policy":
                draft = draft with { Policy = GroupFixture.Policy with { CopyTo = [GroupFixture.Cloud] } };
                break;
            case "no schedule":
                draft = draft with { Policy = GroupFixture.Policy with { Schedule = null } };
                break;
            case "another vault":
                string other = _server.Machines["another"];
                await _server.Machines.Open("ISSUER").Ownership.CreateVaultAsync(other, "Another", Cancel);
                draft = draft with { DiskVaults = [_server.A, other] };
                break;
            case "a place that is not there":
                draft = draft with { DiskVaults = [_server.A, _server.Machines["nowhere"]] };
                break;
            case "a cloud that is away":
                _server.SetAway(GroupFixture.Cloud, isAway: true);
                break;
            case "a name that is taken":
                await _server.MakeAsync("WEB", "m2");
                break;
            case "a machine of another group":
                await _server.MakeAsync("other", "m1");
                break;
        }

        string[] before = _server.RecordsIn(_server.A);
        BackupException refused = await Assert.ThrowsAsync<BackupException>(() => _server.Groups().CreateAsync(draft, Passphrase, isRehearsal: false, Cancel));

        Assert.Equal(id, refused.Id);
        Assert.NotEmpty(refused.RecommendedAction);
        Assert.Equal(before, _server.RecordsIn(_server.A));
    }

    [Fact]
    public async Task A_machine_without_an_agent_and_a_group_that_is_not_there_are_named()
    {
        Assert.Equal(BackupErrorId.AgentNotInstalled, Assert.Throws<BackupException>(() => _server.Groups().Describe(["m3"])).Id);
        Assert.Equal(BackupErrorId.GroupNotFound, (await Assert.ThrowsAsync<BackupException>(() => _server.Groups().GetAsync("web", Cancel))).Id);
        Assert.Equal(BackupErrorId.GroupNotFound, (await Assert.ThrowsAsync<BackupException>(() => _server.Groups().RemoveAsync("web", Cancel))).Id);
    }

    [Fact]
    public async Task Without_a_passphrase_a_vault_is_opened_by_a_key_that_this_machine_has_and_by_no_other()
    {
        BackupException refused = await Assert.ThrowsAsync<BackupException>(() => _server.Groups().CreateAsync(_server.Draft(), null, isRehearsal: false, Cancel));
        Assert.Equal(BackupErrorId.RecoveryOptionMissing, refused.Id);
        Assert.Equal(BackupErrorId.PassphraseRejected, (await Assert.ThrowsAsync<BackupException>(() => _server.Groups().CreateAsync(_server.Draft(), Other, isRehearsal: false, Cancel))).Id);

        // ALPHA backs up to that vault itself.
        string alpha = _server.Machines.StateOf("ALPHA");
        _server.AddMachine("m1", 1, alpha);
        GroupChange made = await _server.Alpha.Groups.CreateAsync(_server.Draft("web", "m1"), null, isRehearsal: false, Cancel);
        Assert.Empty(made.Problems);
        Assert.Single((await _server.Groups(alpha).ListAsync(Cancel)).Groups);
    }

    [Fact]
    public async Task A_rehearsal_writes_nothing_here_or_there()
    {
        GroupChange foreseen = await _server.Groups().CreateAsync(_server.Draft(), Passphrase, isRehearsal: true, Cancel);

        Assert.Equal("web", foreseen.Group.Name);
        Assert.Empty(_server.RecordsIn(_server.A));
        Assert.False(File.Exists(Path.Combine(_server.Machines.StateOf(GroupFixture.Server), "server.json")));
    }

    [Fact]
    public async Task A_group_is_changed_by_a_new_record_under_the_same_id_and_places_that_it_leaves_are_told()
    {
        GroupChange made = await _server.MakeAsync("web", "m1");

        GroupChange changed = await _server.Groups().ChangeAsync(
            "web", group => group with { Name = "sites", Machines = _server.Groups().Describe(["m1", "m2"]), DiskVaults = [_server.A] }, null, isRehearsal: false, Cancel);

        Assert.Equal(made.Group.Id, changed.Group.Id);
        Assert.All([_server.A, _server.B, GroupFixture.Cloud], place => Assert.Equal(2, _server.RecordsIn(place).Length));
        ProtectionGroup group = Assert.Single((await _server.Groups().ListAsync(Cancel)).Groups);
        Assert.Equal(("sites", 2, 1), (group.Name, group.Machines.Count, group.DiskVaults.Count));
    }

    [Fact]
    public async Task A_place_that_is_away_keeps_no_change_from_being_made_and_gets_it_later()
    {
        await _server.MakeAsync("web", "m1");
        _server.SetAway(_server.B, isAway: true);
        _server.SetAway(GroupFixture.Cloud, isAway: true);

        GroupChange changed = await _server.Groups().ChangeAsync("web", group => group with { Name = "sites" }, null, isRehearsal: false, Cancel);

        Assert.Equal([BackupErrorId.VaultUnreachable, BackupErrorId.VaultUnreachable], changed.Problems.Select(problem => problem.Id));
        GroupOverview known = await _server.Groups().ListAsync(Cancel);
        Assert.Equal("sites", Assert.Single(known.Groups).Name);
        Assert.Equal(BackupErrorId.VaultUnreachable, Assert.Single(known.Problems).Id);
        _server.SetAway(_server.B, isAway: false);
        _server.SetAway(GroupFixture.Cloud, isAway: false);
        Assert.Equal(2, (await _server.Groups().SyncAsync(_server.A, null, isRehearsal: false, Cancel)).RecordsBrought);
        _server.SetAway(_server.A, isAway: true);
        Assert.Equal("sites", Assert.Single((await _server.Groups().ListAsync(Cancel)).Groups).Name);
    }

    [Fact]
    public async Task A_disk_that_a_group_has_left_is_not_asked_any_more()
    {
        await _server.MakeAsync("web", "m1");
        await _server.MakeAsync("db", "m2");
        await _server.Groups().ChangeAsync("web", group => group with { DiskVaults = [_server.A] }, null, isRehearsal: false, Cancel);
        Directory.Delete(_server.B, recursive: true);
        Assert.Equal(BackupErrorId.VaultNotFound, Assert.Single((await _server.Groups().ListAsync(Cancel)).Problems).Id);

        await _server.Groups().ChangeAsync("db", group => group with { DiskVaults = [_server.A] }, null, isRehearsal: false, Cancel);

        Assert.Empty((await _server.Groups().ListAsync(Cancel)).Problems);
        await _server.Groups().RemoveAsync("db", Cancel);
        Assert.Equal("web", Assert.Single((await _server.Groups().ListAsync(Cancel)).Groups).Name);
    }

    [Fact]
    public async Task Where_no_place_can_be_reached_a_change_is_an_error()
    {
        await _server.MakeAsync("web", "m1");
        ProtectionGroups groups = _server.Groups();
        Assert.All([_server.A, _server.B, GroupFixture.Cloud], place => _server.SetAway(place, isAway: true));

        BackupException missing = await Assert.ThrowsAsync<BackupException>(() => groups.RemoveAsync("web", Cancel));

        Assert.Equal(BackupErrorId.GroupNotFound, missing.Id);
        Assert.Contains("is away", missing.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_group_that_is_removed_is_in_no_list_its_name_and_machines_are_free_and_no_point_is_touched()
    {
        await _server.Machines.BackUpAsync(_server.Alpha);
        await _server.MakeAsync();
        int points = Directory.GetFiles(Path.Combine(_server.A, "stores"), "*", SearchOption.AllDirectories).Count(file => file.Contains("/points/", StringComparison.Ordinal));

        Assert.Empty(await _server.Groups().RemoveAsync("WEB", Cancel));

        Assert.Empty((await _server.Groups().ListAsync(Cancel)).Groups);
        await _server.MakeAsync();
        Assert.Single((await _server.Groups().ListAsync(Cancel)).Groups);
        Assert.Equal(points, Directory.GetFiles(Path.Combine(_server.A, "stores"), "*", SearchOption.AllDirectories).Count(file => file.Contains("/points/", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Two_servers_of_one_vault_do_not_make_two_groups_of_one_name()
    {
        await _server.MakeAsync("web", "m1");
        string second = _server.Machines.StateOf("SECOND");
        _server.AddMachine("m2", 2, second);

        BackupException taken = await Assert.ThrowsAsync<BackupException>(() => _server.Groups(second).CreateAsync(_server.Draft("Web", "m2"), Passphrase, isRehearsal: false, Cancel));

        Assert.Equal(BackupErrorId.GroupExists, taken.Id);
    }

    [Fact]
    public async Task Disk_vaults_tell_what_they_have_free_and_those_that_are_not_there_say_why()
    {
        ProtectionGroup group = (await _server.MakeAsync("web", "m1")).Group;
        _server.SetAway(_server.B, isAway: true);

        IReadOnlyList<DiskVault> disks = await _server.Groups().ReadDisksAsync(group, Cancel);

        Assert.Equal([_server.A, _server.B], disks.Select(disk => disk.Path));
        Assert.InRange(disks[0].FreeBytes!.Value, 1, disks[0].TotalBytes!.Value);
        Assert.Null(disks[0].FullOn);
        Assert.Equal((DiskVaultState.Away, BackupErrorId.VaultUnreachable), (disks[1].State, disks[1].Fault!.Id));
    }

    [Fact]
    public async Task When_a_disk_is_full_is_told_once_there_are_points_to_go_by()
    {
        await _server.Machines.BackUpAsync(_server.Alpha);
        for (int day = 1; day <= 3; day++)
        {
            _server.Machines.Clock.Advance(TimeSpan.FromDays(1));
            await File.WriteAllBytesAsync(Path.Combine(_server.Machines["source"], "file"), Enumerable.Range(0, 100_000 * day).Select(number => (byte)(number * number * day)).ToArray(), Cancel);
            await _server.Machines.BackUpAsync(_server.Alpha);
        }

        ProtectionGroup group = (await _server.MakeAsync("web", "m1")).Group with { Policy = GroupFixture.Policy with { Retention = new RetentionPolicy(9999) } };
        DiskVault disk = (await _server.Groups().ReadDisksAsync(group, Cancel))[0];

        // Whatever this machine's disk is: within the reach of the forecast, or not told.
        Assert.True(disk.FullOn is null || disk.FullOn > _server.Machines.Clock.GetUtcNow(), $"{disk.FullOn}");
        Assert.NotEqual(DiskVaultState.Away, disk.State);
    }
}
