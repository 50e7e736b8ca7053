using MSOnlineBackup.Engine;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.VirtualMachines.Backups;
using MSOnlineBackup.VirtualMachines.Images;
using MSOnlineBackup.VirtualMachines.Machines;
using MSOnlineBackup.VirtualMachines.Qemu;
using MSOnlineBackup.VirtualMachines.Tests.Qemu;
using Xunit;

namespace MSOnlineBackup.VirtualMachines.Tests.Backups;

/// <summary>Recovery points of machines that run under a real QEMU.</summary>
public sealed class MachineBackupTests : IDisposable
{
    private const long Size = 64 << 20;
    private const string Passphrase = "a passphrase for tests";

    private readonly TempFolder _folder = new();
    private readonly MemoryVaultStore _vault = new(TimeProvider.System);
    private readonly VaultOptions _options = new() { KeyDerivationIterations = 1000 };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Each_point_has_the_disks_as_they_were_and_only_what_changed_is_read()
    {
        await using TestMachine machine = await TestMachine.StartAsync(_folder, ("vda.qcow2", Size), ("vdb.qcow2", Size));
        await machine.WriteAsync("vda", 1, 0, 20 << 20);
        await machine.WriteAsync("vdb", 2, 5 << 20, 1 << 20);
        MachineBackupResult first = await BackUpAsync(machine);
        await machine.WriteAsync("vda", 3, 7 << 20, 4096);
        await machine.WriteAsync("vdb", 4, 60 << 20, 4096);
        MachineBackupResult second = await BackUpAsync(machine);

        Assert.InRange(second.Backup.ReadBytes, 2 * 4096, 3 << 20);
        Assert.Equal(["drive-vda", "vdb"], second.Disks.Select(disk => disk.Name));
        Assert.Equal(ConsistencyLevel.Crash, second.Backup.Point.Sources[0].Consistency!.Level);
        await AssertRestoresAsync(first, ("drive-vda", [(1, 0, 20 << 20)]), ("vdb", [(2, 5 << 20, 1 << 20)]));
        await AssertRestoresAsync(second, ("drive-vda", [(1, 0, 20 << 20), (3, 7 << 20, 4096)]), ("vdb", [(2, 5 << 20, 1 << 20), (4, 60 << 20, 4096)]));
        MachineDescription description = MachineDescription.Read(await ReadAsync(second, MachineDescription.FileName))!;
        Assert.Equal(("test", "disks/drive-vda.raw", "S-vda", Size), (description.Name, description.Disks[0].File, description.Disks[0].Serial, description.Disks[0].Bytes));
        Assert.Empty(await machine.LeftoversAsync());
    }

    [Fact]
    public async Task Disks_that_have_changed_places_are_not_taken_for_each_other()
    {
        await using (TestMachine machine = await TestMachine.StartAsync(_folder, ("vda.qcow2", Size), ("vdb.qcow2", Size)))
        {
            await machine.WriteAsync("vda", 1, 0, 1 << 20);
            await machine.WriteAsync("vdb", 2, 0, 1 << 20);
            await BackUpAsync(machine);
            await machine.QuitAsync();
        }

        // Each image keeps its record of what changed, and it is of no use under the other's name.
        File.Move(_folder["vda.qcow2"], _folder["other"]);
        File.Move(_folder["vdb.qcow2"], _folder["vda.qcow2"]);
        File.Move(_folder["other"], _folder["vdb.qcow2"]);
        await using TestMachine again = await TestMachine.StartAsync(_folder, ("vda.qcow2", Size), ("vdb.qcow2", Size));

        MachineBackupResult second = await BackUpAsync(again);

        await AssertRestoresAsync(second, ("drive-vda", [(2, 0, 1 << 20)]), ("vdb", [(1, 0, 1 << 20)]));
    }

    [Fact]
    public async Task A_backup_that_fails_makes_no_point_and_costs_no_record()
    {
        await using TestMachine machine = await TestMachine.StartAsync(_folder, ("vda.qcow2", Size), ("vdb.qcow2", Size));
        await machine.WriteAsync("vda", 1, 0, 8 << 20);
        await BackUpAsync(machine);
        await machine.WriteAsync("vda", 2, 1 << 20, 4096);
        await machine.WriteAsync("vdb", 2, 1 << 20, 4096);
        int before = _vault.Names.Count(name => name.Contains("/points/", StringComparison.Ordinal));
        Assert.Equal(BackupErrorId.VirtualMachineUnfit, (await Assert.ThrowsAsync<BackupException>(() => BackUpAsync(machine, Request() with { Disks = ["vdb", "nowhere"] }))).Id);
        MachineBackupRequest refused = Request() with { Backup = new BackupRequest { MachineName = "vm1", Sources = [], Tags = [new string('x', 2000)] } };
        Assert.Equal(BackupErrorId.ArgumentInvalid, (await Assert.ThrowsAsync<BackupException>(() => BackUpAsync(machine, refused))).Id);
        Assert.Equal(before, _vault.Names.Count(name => name.Contains("/points/", StringComparison.Ordinal)));
        Assert.Empty(await machine.LeftoversAsync());

        MachineBackupResult second = await BackUpAsync(machine);

        Assert.InRange(second.Backup.ReadBytes, 2 * 4096, 3 << 20);
        await AssertRestoresAsync(second, ("drive-vda", [(1, 0, 8 << 20), (2, 1 << 20, 4096)]), ("vdb", [(2, 1 << 20, 4096)]));
    }

    [Fact]
    public async Task A_machine_that_is_off_is_backed_up_by_its_images_and_goes_on_where_it_runs_again()
    {
        await using (TestMachine machine = await TestMachine.StartAsync(_folder, ("vda.raw", Size), ("vdb.qcow2", Size)))
        {
            await machine.WriteAsync("vdb", 1, 0, 8 << 20);
            await BackUpAsync(machine);
            await machine.WriteAsync("vda", 2, 5 << 20, 4096);
            await machine.WriteAsync("vdb", 2, 5 << 20, 4096);
            await machine.QuitAsync();
        }

        MachineImage[] images = [new("drive-vda", _folder["vda.raw"], "raw"), new("vdb", _folder["vdb.qcow2"], "qcow2")];
        MachineBackupResult off = await MachineBackup.RunAsync(await UnlockAsync(), new OfflineMachine("vm1", images), Request(), new JobMonitor(), Stop);
        await AssertRestoresAsync(off, ("drive-vda", [(2, 5 << 20, 4096)]), ("vdb", [(1, 0, 8 << 20), (2, 5 << 20, 4096)]));
        Assert.Equal(ConsistencyLevel.Crash, off.Backup.Point.Sources[0].Consistency!.Level);

        // Of the raw image what has data, of the other what changed.
        Assert.InRange(off.Backup.ReadBytes, 2 * 4096, 4 << 20);
        await using TestMachine again = await TestMachine.StartAsync(_folder, ("vda.raw", Size), ("vdb.qcow2", Size));
        await again.WriteAsync("vdb", 3, 60 << 20, 4096);

        MachineBackupResult on = await BackUpAsync(again);

        Assert.InRange(on.Backup.ReadBytes, 4096, 4 << 20);
        await AssertRestoresAsync(on, ("drive-vda", [(2, 5 << 20, 4096)]), ("vdb", [(1, 0, 8 << 20), (2, 5 << 20, 4096), (3, 60 << 20, 4096)]));
        BackupException used = await Assert.ThrowsAsync<BackupException>(async () => await MachineBackup.RunAsync(await UnlockAsync(), new OfflineMachine("vm1", images), Request(), new JobMonitor(), Stop));
        Assert.Equal(BackupErrorId.VirtualMachineProgramUnusable, used.Id);
        BackupException twice = await Assert.ThrowsAsync<BackupException>(async () => await MachineBackup.RunAsync(await UnlockAsync(), new OfflineMachine("vm1", [images[0], images[0]]), Request(), new JobMonitor(), Stop));
        Assert.Equal(BackupErrorId.VirtualMachineUnfit, twice.Id);
    }

    [Fact]
    public async Task An_image_that_is_written_while_it_is_read_makes_no_point()
    {
        await File.WriteAllBytesAsync(_folder["a.raw"], new byte[4 << 20], Stop);
        await UnlockAsync();
        int before = _vault.Names.Count(name => name.Contains("/points/", StringComparison.Ordinal));
        var store = new WatchedVaultStore(_vault, _ => File.SetLastWriteTimeUtc(_folder["a.raw"], DateTime.UnixEpoch));
        UnlockedVault vault = await TestVault.UnlockAsync(store, Passphrase, _options, Stop);

        BackupException written = await Assert.ThrowsAsync<BackupException>(() => MachineBackup.RunAsync(vault, new OfflineMachine("vm1", [new MachineImage("a", _folder["a.raw"], "raw")]), Request(), new JobMonitor(), Stop));

        Assert.Equal(BackupErrorId.VirtualMachineUnfit, written.Id);
        Assert.Contains("was written while it was read", written.Message, StringComparison.Ordinal);
        Assert.Equal(before, _vault.Names.Count(name => name.Contains("/points/", StringComparison.Ordinal)));
    }

    [Fact]
    public void The_33rd_disk_and_the_33rd_tebibyte_are_refused()
    {
        MachineDisk[] disks = [.. Enumerable.Range(0, 33).Select(index => Disk($"vd{index}", 1 << 20))];

        Assert.Contains("33 disks; at most 32", Refusal(disks).Message, StringComparison.Ordinal);
        Assert.Equal(32, MachineBackup.Choose("vm1", disks, Request() with { ExcludedDisks = ["vd7"] }).Count);
        Assert.Contains("at most 32 TiB", Refusal([Disk("big", 33L << 40)]).Message, StringComparison.Ordinal);
        Assert.Single(MachineBackup.Choose("vm1", [Disk("big", 32L << 40)], Request()));
        Assert.Contains("no disk that would be", Refusal([]).Message, StringComparison.Ordinal);

        BackupException Refusal(MachineDisk[] all)
        {
            BackupException error = Assert.Throws<BackupException>(() => MachineBackup.Choose("vm1", all, Request()));
            Assert.Equal(BackupErrorId.VirtualMachineUnfit, error.Id);
            return error;
        }
    }

    [Theory]
    [InlineData("vda", "disks/vda.raw")]
    [InlineData("drive-virtio0", "disks/drive-virtio0.raw")]
    [InlineData("a/../b", "disks/a%2F..%2Fb.raw")]
    [InlineData("..", "disks/%2E..raw")]
    [InlineData("ä", "disks/%C3%A4.raw")]
    public void A_disks_file_has_its_name_and_no_way_out_of_the_folder(string name, string file) => Assert.Equal(file, MachineDescription.FileOf(name));

    private static MachineDisk Disk(string name, long size) => new(name, MachineDescription.FileOf(name), null, size, "raw", null, IsReadOnly: false);

    private MachineBackupRequest Request() => new()
    {
        Backup = new BackupRequest { MachineName = "vm1", Sources = [] },
        Moment = new MomentOptions { WorkFolder = _folder.Path },
    };

    private async Task<MachineBackupResult> BackUpAsync(TestMachine machine, MachineBackupRequest? request = null)
    {
        await using QemuMachine monitor = await QemuMachine.ConnectAsync(machine.Monitor, null, Stop);
        return await MachineBackup.RunAsync(await UnlockAsync(), monitor, request ?? Request(), new JobMonitor(), Stop);
    }

    private async Task<UnlockedVault> UnlockAsync()
    {
        if (_vault.Names.Count == 0)
        {
            await Vault.CreateAsync(_vault, Passphrase, _options, Stop, new KeptOwner().Keep);
        }

        return await TestVault.UnlockAsync(_vault, Passphrase, _options, Stop);
    }

    private async Task AssertRestoresAsync(MachineBackupResult backup, params (string Disk, (byte Pattern, int Start, int Length)[] Written)[] disks)
    {
        foreach ((string disk, (byte Pattern, int Start, int Length)[] written) in disks)
        {
            byte[] expected = new byte[Size];
            foreach ((byte pattern, int start, int length) in written)
            {
                expected.AsSpan(start, length).Fill(pattern);
            }

            byte[] restored = await ReadAsync(backup, MachineDescription.FileOf(disk));
            Assert.True(expected.AsSpan().SequenceEqual(restored), disk);
        }
    }

    private async Task<byte[]> ReadAsync(MachineBackupResult backup, string file)
    {
        using var target = new TempFolder();
        IndexedVault vault = await (await UnlockAsync()).IndexAsync(Stop);
        RestoreResult result = await vault.RestoreAsync(
            new RestoreRequest { Point = backup.Backup.Point, Paths = ["vm1/" + file], TargetFolder = target.Path, Verify = true }, new JobMonitor(), Stop);
        Assert.Equal((1, 0), (result.Files, result.Skipped));
        return await File.ReadAllBytesAsync(target["vm1/" + file], Stop);
    }
}
