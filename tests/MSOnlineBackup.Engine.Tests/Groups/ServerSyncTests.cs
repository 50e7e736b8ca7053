using MSOnlineBackup.Agent.Groups;
using MSOnlineBackup.Agent.Remote;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Vaults.Copies;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Progress;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Machine.AgentFixture;

namespace MSOnlineBackup.Engine.Tests.Groups;

/// <summary>The server is lost, and its disks are: all is found again.</summary>
public sealed class ServerSyncTests : IAsyncLifetime
{
    private readonly GroupFixture _server = new();

    private string New => _server.Machines.StateOf("NEW");

    public async ValueTask InitializeAsync() => await _server.CreateAsync();

    public ValueTask DisposeAsync()
    {
        _server.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task A_new_state_folder_has_groups_machines_points_and_pins_again_and_a_second_sync_changes_nothing()
    {
        await _server.Machines.BackUpAsync(_server.Alpha);
        ProtectionGroup made = (await _server.MakeAsync()).Group;

        ServerSyncReport first = await _server.Groups(New).SyncAsync(_server.A, Passphrase, isRehearsal: false, Cancel);

        Assert.Empty(first.Problems);
        Assert.Equal([_server.A, _server.B, GroupFixture.Cloud], first.Places);
        Assert.Equal((1, true), (first.Points, first.HasChanged));
        Assert.Equal(["ALPHA"], first.Machines);
        Assert.Equal(["m1", "m2"], first.MachinesRestored);
        Assert.Equivalent(made, Assert.Single(first.Groups), strict: true);
        Assert.Equivalent(made, Assert.Single((await _server.Groups(New).ListAsync(Cancel)).Groups), strict: true);
        RemoteAgent agent = _server.Open(New).Remotes.List()[0];
        Assert.Equal(("m1", "linux-x64", "0.1.0", "/home/backup/.local/lib/obengine/obengine", "backup", 2222), (agent.Machine.HostName, agent.Platform, agent.Version, agent.Program, agent.Machine.UserName, agent.Machine.Port));
        Assert.Equal(GroupFixture.KeyOf(2), _server.Records(New).FindKey("m2"));

        string[] before = Files();
        ServerSyncReport second = await _server.Groups(New).SyncAsync(_server.A, null, isRehearsal: false, Cancel);
        Assert.Equal((false, 0, 0), (second.HasChanged, second.RecordsBrought, second.MachinesRestored.Count));
        Assert.Equal(before, Files());

        string[] Files() => [.. Directory.EnumerateFiles(_server.Machines[""], "*", SearchOption.AllDirectories).Where(file => !file.EndsWith(".lock", StringComparison.Ordinal) && !file.Contains("/cache/", StringComparison.Ordinal)).Select(file => $"{file} {Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(file)))}").Order()];
    }

    [Fact]
    public async Task A_rehearsal_tells_and_changes_nothing()
    {
        await _server.MakeAsync();

        ServerSyncReport foreseen = await _server.Groups(New).SyncAsync(_server.A, Passphrase, isRehearsal: true, Cancel);

        Assert.Equal(("web", false), (Assert.Single(foreseen.Groups).Name, foreseen.HasChanged));
        Assert.False(Directory.Exists(New));
    }

    [Fact]
    public async Task A_damaged_record_hides_no_other_and_another_place_has_it_whole()
    {
        await _server.MakeAsync("web", "m1");
        await _server.MakeAsync("db", "m2");
        string struck = _server.RecordsIn(_server.A)[0];
        byte[] content = await File.ReadAllBytesAsync(struck, Cancel);
        content[70] ^= 1;
        await File.WriteAllBytesAsync(struck, content, Cancel);

        ServerSyncReport report = await _server.Groups(New).SyncAsync(_server.A, Passphrase, isRehearsal: false, Cancel);

        Assert.Equal(["db", "web"], report.Groups.Select(group => group.Name));
        Assert.Equal(BackupErrorId.VaultDataCorrupt, Assert.Single(report.Problems).Id);
        Assert.Equal(["db", "web"], (await _server.Groups(New).ListAsync(Cancel)).Groups.Select(group => group.Name));
    }

    [Fact]
    public async Task Any_one_place_is_enough_and_those_that_are_gone_are_named()
    {
        await _server.MakeAsync();
        Directory.Delete(_server.A, recursive: true);
        _server.SetAway(_server.B, isAway: true);

        ServerSyncReport report = await _server.Groups(New).SyncAsync(GroupFixture.Cloud, Passphrase, isRehearsal: false, Cancel);

        Assert.Equal(["m1", "m2"], Assert.Single(report.Groups).Machines.Select(machine => machine.HostName));
        Assert.Equal([BackupErrorId.VaultNotFound, BackupErrorId.VaultUnreachable], report.Problems.Select(problem => problem.Id));
    }

    [Fact]
    public async Task A_key_that_is_pinned_here_is_never_replaced()
    {
        await _server.MakeAsync();
        _server.AddMachine("m1", 9, New);

        ServerSyncReport report = await _server.Groups(New).SyncAsync(_server.A, Passphrase, isRehearsal: false, Cancel);

        BackupException differs = Assert.Single(report.Problems);
        Assert.Equal(BackupErrorId.VaultHostUntrusted, differs.Id);
        Assert.Contains(GroupFixture.KeyOf(9).Fingerprint, differs.Message, StringComparison.Ordinal);
        Assert.Contains(GroupFixture.KeyOf(1).Fingerprint, differs.Message, StringComparison.Ordinal);
        Assert.Equal(GroupFixture.KeyOf(9), _server.Records(New).FindKey("m1"));
        Assert.Equal(["m2"], report.MachinesRestored);
    }

    [Fact]
    public async Task Without_the_passphrase_or_with_another_nothing_is_told()
    {
        await _server.MakeAsync();

        await FailsAsync(BackupErrorId.RecoveryOptionMissing, null, () => _server.Groups(New).SyncAsync(_server.A, null, isRehearsal: false, Cancel));
        Assert.Equal(BackupErrorId.PassphraseRejected, (await Assert.ThrowsAsync<BackupException>(() => _server.Groups(New).SyncAsync(_server.A, Other, isRehearsal: false, Cancel))).Id);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_emptied_disk_is_made_anew_from_the_cloud_and_the_next_backup_adds_less_than_a_fiftieth(bool inPlace)
    {
        string source = Directory.CreateDirectory(_server.Machines["source"]).FullName;
        byte[] content = new byte[8 << 20];
        new Random(1).NextBytes(content);
        await File.WriteAllBytesAsync(Path.Combine(source, "large"), content, Cancel);
        BackupResult full = await _server.Machines.BackUpAsync(_server.Alpha);
        await _server.MakeAsync();
        await _server.Alpha.Copies.CopyAsync(null, GroupFixture.Cloud, null, null, new VaultCopyRequest(), new JobMonitor(), Cancel);
        Directory.Delete(_server.A, recursive: true);
        Directory.Delete(_server.B, recursive: true);
        string place = inPlace ? _server.A : _server.Machines["new", "disk"];
        Directory.CreateDirectory(Path.GetDirectoryName(place)!);

        ServerSyncReport report = await _server.Groups(New).ReallocateAsync(GroupFixture.Cloud, inPlace ? null : place, Passphrase, new JobMonitor(), Cancel);

        Assert.Equal((1, true), (report.PointsCopied, report.BytesCopied >= content.Length));
        ProtectionGroup group = Assert.Single((await _server.Groups(New).ListAsync(Cancel)).Groups);
        Assert.Equal(inPlace ? [_server.A, _server.B] : [place], group.DiskVaults);
        Assert.All(await _server.Groups(New).ReadDisksAsync(group, Cancel), disk => Assert.NotEqual(DiskVaultState.Away, disk.State));

        // The machine goes on: to the same place, or, for this test, with the new disk mounted where the old one was.
        if (!inPlace)
        {
            Directory.Move(place, _server.A);
        }

        await File.WriteAllTextAsync(Path.Combine(source, "small"), "one more", Cancel);
        BackupResult next = await _server.Machines.BackUpAsync(_server.Alpha);
        Assert.Equal(full.Point.SessionId, next.Point.ParentSessionId);
        Assert.InRange(next.Point.StoredBytes, 1, full.Point.StoredBytes / 50);
    }

    [Fact]
    public async Task Where_no_disk_vault_is_missing_or_the_place_is_taken_nothing_is_made()
    {
        await _server.MakeAsync();
        await FailsAsync(BackupErrorId.ArgumentInvalid, null, () => _server.Groups(New).ReallocateAsync(GroupFixture.Cloud, null, Passphrase, new JobMonitor(), Cancel));

        string taken = Directory.CreateDirectory(_server.Machines["taken"]).FullName;
        await File.WriteAllTextAsync(Path.Combine(taken, "letter.txt"), "a stranger's", Cancel);
        await FailsAsync(BackupErrorId.VaultExists, null, () => _server.Groups(New).ReallocateAsync(GroupFixture.Cloud, taken, Passphrase, new JobMonitor(), Cancel));
        Assert.Equal(["letter.txt"], Directory.EnumerateFileSystemEntries(taken).Select(Path.GetFileName));
    }

    [Fact]
    public async Task A_reallocation_that_was_interrupted_goes_on()
    {
        await _server.Machines.BackUpAsync(_server.Alpha);
        await _server.MakeAsync();
        await _server.Alpha.Copies.CopyAsync(null, GroupFixture.Cloud, null, null, new VaultCopyRequest(), new JobMonitor(), Cancel);
        Directory.Delete(_server.A, recursive: true);
        _server.SetAway(_server.A, isAway: true);
        await Assert.ThrowsAsync<BackupException>(() => _server.Groups(New).ReallocateAsync(GroupFixture.Cloud, null, Passphrase, new JobMonitor(), Cancel));
        _server.SetAway(_server.A, isAway: false);

        ServerSyncReport report = await _server.Groups(New).ReallocateAsync(GroupFixture.Cloud, _server.A, Passphrase, new JobMonitor(), Cancel);

        Assert.Equal((1, 1), (report.PointsCopied, report.Points));
        Assert.Empty(report.Problems);
    }
}
