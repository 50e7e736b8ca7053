using MSOnlineBackup.Disks.Tests.Lvm;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Images;
using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Engine.Tests.Backup;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Backup.BackupFixture;

namespace MSOnlineBackup.Engine.Tests.Images;

/// <summary>Files out of disks of recovery points.</summary>
public sealed class DiskImageTests : IDisposable
{
    private readonly DiskFixture _disks = new();
    private readonly TempFolder _target = new();

    public void Dispose()
    {
        _target.Dispose();
        _disks.Dispose();
    }

    [Theory]
    [InlineData("vda", "vda", null, null)]
    [InlineData("vda:2", "vda", "2", null)]
    [InlineData("vda:vg0-root:/etc/a:b", "vda", "vg0-root", "/etc/a:b")]
    [InlineData("/srv/a.img:1:/", "/srv/a.img", "1", "/")]
    [InlineData(@"C:\images\a.img:0:/x", @"C:\images\a.img", "0", "/x")]
    [InlineData("vda:2:", "vda", "2", null)]
    public void A_place_has_a_disk_a_part_and_a_path(string text, string disk, string? part, string? path) =>
        Assert.Equal(new DiskPath(disk, part, path), DiskPath.Parse(text));

    [Theory]
    [InlineData("")]
    [InlineData("a\0b")]
    public void What_is_no_place_is_refused(string text) => Assert.Equal(BackupErrorId.ArgumentInvalid, Assert.Throws<BackupException>(() => DiskPath.Parse(text)).Id);

    [Theory]
    [InlineData("vda")]
    [InlineData("vm1/vda")]
    [InlineData("vm1/disks/vda.raw")]
    public async Task A_disk_is_found_by_its_name_and_by_its_path(string name)
    {
        (IndexedVault vault, RecoveryPoint point) = await _disks.BackUpAsync(_disks.MakeDisk());

        using DiskImage image = await vault.OpenDiskAsync(point, name, Cancel);

        Assert.Equal("vm1/disks/vda.raw", image.Item.FullPath);
        Assert.Equal(("0", "ext4"), (Assert.Single(image.Parts).Name, image.Parts[0].Content.Kind));
        Assert.Equal(["vda", "vdb"], (await vault.ListDisksAsync(point, Cancel).ToListAsync(Cancel)).Select(DiskImage.NameOf));
    }

    [Fact]
    public async Task A_disk_a_part_or_a_path_that_is_not_there_is_told_as_such()
    {
        (IndexedVault vault, RecoveryPoint point) = await _disks.BackUpAsync(_disks.MakeDisk());
        using DiskImage image = await vault.OpenDiskAsync(point, "vda", Cancel);
        using DiskImage empty = await vault.OpenDiskAsync(point, "vdb", Cancel);

        Assert.Equal(BackupErrorId.VolumeItemNotFound, (await Assert.ThrowsAsync<BackupException>(() => vault.OpenDiskAsync(point, "vdz", Cancel))).Id);
        Assert.Equal(BackupErrorId.VolumeItemNotFound, Assert.Throws<BackupException>(() => image.FindVolume("9")).Id);
        Assert.Equal(BackupErrorId.VolumeUnsupported, Assert.Throws<BackupException>(() => empty.FindVolume("0")).Id);
        Assert.Equal(BackupErrorId.VolumeItemNotFound, (await Assert.ThrowsAsync<BackupException>(() => DiskImage.FindAsync(image.FindVolume("0"), "/etc/passwd/x", Cancel))).Id);
    }

    [Fact]
    public async Task Logical_volumes_are_listed_and_their_files_not_read_where_the_options_say_so()
    {
        using (var lvm = new LvmDisks(_target, 24 << 20))
        {
            lvm.Run("pvcreate", [.. lvm.Devices]);
            lvm.Run("vgcreate", ["-s", "1M", "group", .. lvm.Devices]);
            lvm.Create("group", "root", 4);
        }

        (IndexedVault vault, RecoveryPoint point) = await _disks.BackUpAsync(await File.ReadAllBytesAsync(_target["disk0"], Cancel));
        using DiskImage open = await vault.OpenDiskAsync(point, "vda", Cancel);
        Assert.Equal(BackupErrorId.VolumeUnsupported, Assert.Throws<BackupException>(() => open.FindVolume("group-root")).Id);
        VaultOptions options = _disks.Backups.Options with { ReadsLogicalVolumes = false };
        IndexedVault limited = await (await TestVault.UnlockAsync(_disks.Backups.Objects, BackupFixture.Passphrase, options, Cancel)).IndexAsync(Cancel);
        using DiskImage image = await limited.OpenDiskAsync(point, "vda", Cancel);

        Assert.Equal(["0", "group-root"], image.Parts.Select(part => part.Name));
        BackupException refused = Assert.Throws<BackupException>(() => image.FindVolume("group-root"));
        Assert.Equal(BackupErrorId.PolicyLimitExceeded, refused.Id);
        Assert.Contains("profile Mars reads files of partitions only", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_comes_back_with_what_is_in_it_and_twice_is_once()
    {
        (IndexedVault vault, RecoveryPoint point) = await _disks.BackUpAsync(_disks.MakeDisk());
        using DiskImage image = await vault.OpenDiskAsync(point, "vda", Cancel);

        RestoreResult result = await RestoreAsync(image, point, "/etc");
        RestoreResult again = await RestoreAsync(image, point, "/etc");

        // What has two names is read once.
        Assert.Equal((4, 0, 3), (result.Files, result.Skipped, result.Verified));
        Assert.Equal((0, 0, 4), (again.Files, again.Skipped, again.AlreadyThere));

        // mkfs.ext4 -d writes times in whole seconds.
        Assert.Empty(TreeComparer.Compare(Path.Combine(_disks.Root, "etc"), _target["etc"], TreeAspects.All & ~TreeAspects.Times));
        Assert.Equal(
            new DateTimeOffset(File.GetLastWriteTimeUtc(Path.Combine(_disks.Root, "etc/passwd"))).ToUnixTimeSeconds(),
            new DateTimeOffset(File.GetLastWriteTimeUtc(_target["etc/passwd"])).ToUnixTimeSeconds());
    }

    [Fact]
    public async Task All_of_a_part_comes_back_and_a_single_file()
    {
        (IndexedVault vault, RecoveryPoint point) = await _disks.BackUpAsync(_disks.MakeDisk());
        using DiskImage image = await vault.OpenDiskAsync(point, "vda", Cancel);
        Directory.CreateDirectory(_target["all"]);

        Assert.Equal(0, (await RestoreAsync(image, point, "/", "all")).Skipped);
        Assert.Equal((1, 0), (await RestoreAsync(image, point, "/etc/deep/random", "one") is var one ? one.Files : 0, one.Skipped));

        Assert.Equal(["etc", "link", "lost+found", "many"], Directory.GetFileSystemEntries(_target["all"]).Select(Path.GetFileName).Order());
        Assert.Equal(300, Directory.GetFiles(_target["all/many"]).Length);
        Assert.Equal("etc/passwd", new FileInfo(_target["all/link"]).LinkTarget);
        Assert.Equal(await File.ReadAllBytesAsync(Path.Combine(_disks.Root, "etc/deep/random"), Cancel), await File.ReadAllBytesAsync(_target["one/random"], Cancel));
    }

    [Fact]
    public async Task What_is_damaged_is_left_out_and_listed_and_the_rest_comes_back()
    {
        byte[] disk = _disks.MakeDisk();
        int block = disk.AsSpan().IndexOf("file-000"u8) & ~1023;
        disk.AsSpan(block, 1024).Fill(0xEE);
        (IndexedVault vault, RecoveryPoint point) = await _disks.BackUpAsync(disk);
        using DiskImage image = await vault.OpenDiskAsync(point, "vda", Cancel);

        RestoreResult result = await RestoreAsync(image, point, "/");

        Assert.InRange(result.Skipped, 1, 2);
        Assert.Equal("root:x:0:0\n", await File.ReadAllTextAsync(_target["etc/passwd"], Cancel));
        var damage = new List<BackupException>();
        Assert.Contains("vda:0:/etc/passwd", (await image.ListAsync("0", "/", recursive: true, damage.Add, Cancel).ToListAsync(Cancel)).Select(item => item.FullPath));
        Assert.Single(damage);
    }

    [Fact]
    public async Task What_a_file_system_in_use_may_lack_is_told_with_all_that_is_read_of_it()
    {
        (IndexedVault vault, RecoveryPoint point) = await _disks.BackUpAsync(_disks.MakeDiskInUse(), ConsistencyLevel.Crash);
        using DiskImage image = await vault.OpenDiskAsync(point, "vda", Cancel);
        var damage = new List<BackupException>();

        await image.ListAsync("0", "/", recursive: true, damage.Add, Cancel).ToListAsync(Cancel);
        RestoreResult result = await RestoreAsync(image, point, "/");
        BackupException missing = await Assert.ThrowsAsync<BackupException>(() => RestoreAsync(image, point, "/later"));

        Assert.Equal(BackupErrorId.VolumeInUse, Assert.Single(damage).Id);
        Assert.Equal(1, result.Skipped);
        Assert.Equal(BackupErrorId.VolumeItemNotFound, missing.Id);
        Assert.Contains("was in use", missing.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_a_file_system_that_was_held_still_nothing_is_in_doubt()
    {
        (IndexedVault vault, RecoveryPoint point) = await _disks.BackUpAsync(_disks.MakeDiskInUse(), ConsistencyLevel.FileSystem);
        using DiskImage image = await vault.OpenDiskAsync(point, "vda", Cancel);

        Assert.NotNull(image.FindVolume("0").Note);
        Assert.Null(image.DoubtOf("0"));
        Assert.Equal(0, (await RestoreAsync(image, point, "/")).Skipped);
    }

    [Fact]
    public async Task A_machine_without_one_of_its_disks_is_no_point()
    {
        (_, RecoveryPoint point) = await _disks.BackUpAsync(_disks.MakeDisk());
        var broken = new FakeDisk(4 << 20) { Reading = _ => throw new BackupException(BackupErrorId.SourceItemUnreadable, "The line broke.", "None: a test.") };
        var request = new BackupRequest
        {
            MachineName = BackupFixture.Machine,
            Sources = [new BackupSource.Composed("vm1", [new ComposedFile("disks/vda.raw", new FakeDisk(1 << 20)), new ComposedFile("disks/vdb.raw", broken.Write(0, new byte[] { 1 }))])],
        };

        BackupException error = await _disks.Backups.FailAsync(request with { IsWhole = true });

        Assert.Equal(BackupErrorId.SourceUnreadable, error.Id);
        Assert.Contains("vm1/disks/vdb.raw", error.Message, StringComparison.Ordinal);
        Assert.Single(_disks.Backups.Points);

        // Where files are backed up, the others are worth having.
        Assert.Equal(1, (await _disks.Backups.BackUpAsync(request)).Point.SkippedCount);
        Assert.NotEqual(default, point.SessionId);
    }

    private async Task<RestoreResult> RestoreAsync(DiskImage image, RecoveryPoint point, string path, string target = "") => await image.RestoreAsync(
        "0", path, new RestoreRequest { Point = point, TargetFolder = target.Length == 0 ? _target.Path : _target[target], Verify = true, Conflict = RestoreConflict.Overwrite }, new JobMonitor(), Cancel);
}
