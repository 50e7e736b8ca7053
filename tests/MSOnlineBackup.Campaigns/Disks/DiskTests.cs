using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Campaigns.Disks;

/// <summary>Disks that fill up, vanish and forbid writing under a vault or a restore; sources that change while they are read.</summary>
public sealed class DiskTests : IDisposable
{
    private const int MiB = 1 << 20;

    private readonly TempFolder _folder = new();
    private MountedFileSystem? _disk;

    private string Source => _folder["source"];

    private string Disk => _folder["disk"];

    private string Target => _folder["target"];

    public void Dispose()
    {
        _disk?.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_vault_whose_disk_is_full_keeps_what_it_has_and_the_next_run_sends_the_rest_only()
    {
        SkipUnlessRoot();
        Directory.CreateDirectory(Disk);
        _disk = MountedFileSystem.InMemory(Disk, "40m");
        using var program = new Obengine { Vault = Disk };
        await program.CreateVaultAsync();
        var tree = new SourceTreeBuilder(Source).File("first", 5 * MiB);
        Assert.Equal(0, (await program.OnVaultAsync("backup", Source, "--quiet")).ExitCode);
        long bytes = 5L * MiB;
        for (int file = 0; file < 6; file++)
        {
            tree.File($"large-{file}", 9 * MiB, file).File($"small-{file}", 20_000, file);
            bytes += (9 * MiB) + 20_000;
        }

        Run full = await program.OnVaultAsync("backup", Source, "--quiet");

        Assert.True(full.ExitCode == 1, full.ToString());
        Assert.Contains("Error id: VaultFull", full.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", full.Error, StringComparison.Ordinal);

        // 3 where there was not even room to say that the job ended: then all that is amiss is that it has no point.
        Run verified = await program.OnVaultAsync("verify", "--read-data", "--quiet");
        Assert.True(verified.ExitCode is 0 or 3, verified.ToString());
        var vault = new FolderVault(Disk);
        RecoveryPoint earlier = Assert.Single(await vault.PointsAsync());
        await vault.RestoreAsync(earlier, Target);
        Assert.Equal(5 * MiB, new FileInfo(Target + Source + "/first").Length);

        _disk.Remount("size=400m");
        int arrived = (await vault.ContentAsync()).Count;
        Run completed = await program.OnVaultAsync("backup", Source, "--quiet");

        Assert.True(completed.ExitCode == 0, completed.ToString());
        Assert.True(arrived > 5, $"{arrived} chunks had arrived.");
        Assert.Equal(bytes, (await vault.ContentAsync()).Sum(chunk => chunk.Length));
        Assert.Empty(await vault.VerifyAsync());
        await vault.RestoreAsync((await vault.PointsAsync())[0], _folder["all"]);
        Assert.Empty(TreeComparer.Compare(Source, _folder["all"] + Source));
    }

    [Fact]
    public async Task A_vault_that_vanishes_in_mid_run_is_unreachable_and_nothing_lands_beneath()
    {
        SkipUnlessRoot();
        _disk = MountedFileSystem.InImage(_folder["image"], Disk, "ext4");
        FolderVault vault = await FolderVault.CreateAsync(Disk + "/vault");
        new SourceTreeBuilder(Source).File("first", MiB);
        await vault.BackUpAsync(Source);
        new SourceTreeBuilder(Source).File("large", 100 * MiB);
        int packs = 0;
        vault.Decorate = store => new WatchedVaultStore(store, name =>
        {
            if (name.Contains("/packs/", StringComparison.Ordinal) && Interlocked.Increment(ref packs) == 3)
            {
                _disk.Dispose();
                _disk = null;
            }
        });

        BackupException failure = await Assert.ThrowsAsync<BackupException>(() => vault.BackUpAsync(Source));

        Assert.Equal(BackupErrorId.VaultUnreachable, failure.Id);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Disk));

        _disk = MountedFileSystem.Again(_folder["image"], Disk);
        vault.Decorate = static store => store;
        Assert.Single(await vault.PointsAsync());
        Assert.Empty(await vault.VerifyAsync());
        await vault.BackUpAsync(Source);
        Assert.Equal(101L * MiB, (await vault.ContentAsync()).Sum(chunk => chunk.Length));
    }

    [Fact]
    public async Task A_vault_on_a_read_only_disk_is_read_and_not_written()
    {
        SkipUnlessRoot();
        _disk = MountedFileSystem.InImage(_folder["image"], Disk, "ext4");
        FolderVault vault = await FolderVault.CreateAsync(Disk + "/vault");
        new SourceTreeBuilder(Source).File("file", MiB);
        BackupResult backup = await vault.BackUpAsync(Source);
        _disk.Remount("ro");

        BackupException failure = await Assert.ThrowsAsync<BackupException>(() => vault.BackUpAsync(Source));

        Assert.Equal(BackupErrorId.VaultAccessDenied, failure.Id);
        Assert.Empty(await vault.VerifyAsync());
        await vault.RestoreAsync(backup.Point, Target);
        Assert.Empty(TreeComparer.Compare(Source, Target + Source));
    }

    [Fact]
    public async Task A_restore_to_a_full_disk_stops_and_a_rerun_with_more_room_completes()
    {
        SkipUnlessRoot();
        FolderVault vault = await FolderVault.CreateAsync(_folder["vault"]);
        var tree = new SourceTreeBuilder(Source);

        // Of one chunk each: whatever pack a chunk lies in, what comes before the disk is full completes files.
        const int Files = 160;
        for (int file = 0; file < Files; file++)
        {
            tree.File($"file-{file}", 200 << 10, file);
        }

        BackupResult backup = await vault.BackUpAsync(Source);
        Directory.CreateDirectory(Target);
        _disk = MountedFileSystem.InMemory(Target, "12m");

        BackupException failure = await Assert.ThrowsAsync<BackupException>(() => vault.RestoreAsync(backup.Point, Target));

        Assert.Equal(BackupErrorId.RestoreTargetFull, failure.Id);
        _disk.Remount("size=64m");
        RestoreResult rerun = await vault.RestoreAsync(backup.Point, Target, RestoreConflict.Overwrite);
        Assert.Equal(Files, rerun.Files + rerun.AlreadyThere);
        Assert.True(rerun.AlreadyThere > 0);
        Assert.Empty(TreeComparer.Compare(Source, Target + Source));
    }

    [Fact]
    public async Task A_restore_into_a_file_is_refused()
    {
        SkipUnlessLinux();
        FolderVault vault = await FolderVault.CreateAsync(_folder["vault"]);
        new SourceTreeBuilder(Source).File("file", 10);
        BackupResult backup = await vault.BackUpAsync(Source);
        await File.WriteAllTextAsync(Target, "mine", TestContext.Current.CancellationToken);

        BackupException failure = await Assert.ThrowsAsync<BackupException>(() => vault.RestoreAsync(backup.Point, Target));

        Assert.Equal(BackupErrorId.RestoreTargetInvalid, failure.Id);
        Assert.Equal("mine", await File.ReadAllTextAsync(Target, TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData(RestoreConflict.Skip, "mine", null)]
    [InlineData(RestoreConflict.Overwrite, "the vault's", null)]
    [InlineData(RestoreConflict.Copy, "mine", "the vault's")]
    public async Task What_exists_at_the_target_is_treated_as_asked(RestoreConflict conflict, string there, string? beside)
    {
        SkipUnlessLinux();
        FolderVault vault = await FolderVault.CreateAsync(_folder["vault"]);
        new SourceTreeBuilder(Source).File("folder/file", "the vault's"u8).File("folder/other", 10);
        BackupResult backup = await vault.BackUpAsync(Source);
        string restored = Target + Source + "/folder/file";
        new SourceTreeBuilder(Path.GetDirectoryName(restored)!).File("file", "mine"u8);

        RestoreResult result = await vault.RestoreAsync(backup.Point, Target, conflict);

        Assert.Equal(there, await File.ReadAllTextAsync(restored, TestContext.Current.CancellationToken));
        Assert.Equal(
            beside,
            File.Exists(restored + " (restored)") ? await File.ReadAllTextAsync(restored + " (restored)", TestContext.Current.CancellationToken) : null);
        Assert.Equal(10, new FileInfo(Target + Source + "/folder/other").Length);
        Assert.Equal(conflict == RestoreConflict.Skip ? [BackupErrorId.RestoreItemExists] : [], vault.Skipped.Select(item => item.Id));
        Assert.Equal(conflict == RestoreConflict.Skip ? 1 : 2, result.Files);
    }

    [Fact]
    public async Task A_source_that_is_not_there_makes_no_point()
    {
        SkipUnlessLinux();
        FolderVault vault = await FolderVault.CreateAsync(_folder["vault"]);

        BackupException failure = await Assert.ThrowsAsync<BackupException>(() => vault.BackUpAsync(Source));

        Assert.Equal(BackupErrorId.SourceNotFound, failure.Id);
        Assert.Empty(await vault.PointsAsync());
        Assert.Empty(await vault.VerifyAsync());
    }

    [Theory]
    [InlineData("appended to")]
    [InlineData("shortened")]
    [InlineData("rewritten")]
    [InlineData("deleted")]
    public async Task A_file_that_changes_while_it_is_read_is_named_and_the_others_are_whole(string change)
    {
        SkipUnlessLinux();
        FolderVault vault = await FolderVault.CreateAsync(_folder["vault"]);
        var tree = new SourceTreeBuilder(Source).File("a-large", 128 * MiB).File("z-small", 1000);
        string large = Source + "/a-large";
        int packs = 0;
        vault.Decorate = store => new WatchedVaultStore(store, name =>
        {
            // The first pack is on its way: the file is being read, and cannot be read to its end before packs go.
            if (name.Contains("/packs/", StringComparison.Ordinal) && Interlocked.Increment(ref packs) == 1)
            {
                Change(large, change);
            }
        });

        BackupResult backup = await vault.BackUpAsync(Source);

        Assert.Equal((RecoveryPointStatus.CompletedWithWarnings, 1), (backup.Point.Status, backup.Point.SkippedCount));
        SkippedItem skipped = Assert.Single(vault.Skipped);
        Assert.Equal((large, BackupErrorId.SourceItemChanged), (skipped.Path, skipped.Id));
        vault.Decorate = static store => store;
        Assert.Empty(await vault.VerifyAsync());
        await vault.RestoreAsync(backup.Point, Target);
        Assert.Empty(vault.Skipped);
        Assert.Equal(1000, new FileInfo(Target + Source + "/z-small").Length);
        Assert.InRange(new FileInfo(Target + large).Length, change == "shortened" ? 8 * MiB : 128 * MiB, 128 * MiB);

        if (change != "deleted")
        {
            // The next run takes it as it is now, without a word.
            BackupResult next = await vault.BackUpAsync(Source);
            Assert.Equal(RecoveryPointStatus.Completed, next.Point.Status);
            await vault.RestoreAsync(next.Point, _folder["next"]);
            Assert.Empty(TreeComparer.Compare(Source, _folder["next"] + Source));
        }
    }

    [Fact]
    public async Task Files_that_vanish_before_they_are_read_are_named_and_not_in_the_point()
    {
        SkipUnlessLinux();
        FolderVault vault = await FolderVault.CreateAsync(_folder["vault"]);
        var tree = new SourceTreeBuilder(Source).File("a-large", 128 * MiB).File("z-file", 10).File("z-folder/file", 10).File("z-stays", 10);
        int packs = 0;
        vault.Decorate = store => new WatchedVaultStore(store, name =>
        {
            if (name.Contains("/packs/", StringComparison.Ordinal) && Interlocked.Increment(ref packs) == 1)
            {
                tree.Delete("z-file").Delete("z-folder");
            }
        });

        BackupResult backup = await vault.BackUpAsync(Source);

        Assert.Equal((RecoveryPointStatus.CompletedWithWarnings, 2), (backup.Point.Status, backup.Point.SkippedCount));
        Assert.Equal([Source + "/z-file", Source + "/z-folder"], vault.Skipped.Select(item => item.Path).Order(StringComparer.Ordinal));
        Assert.All(vault.Skipped, item => Assert.Equal(BackupErrorId.SourceItemVanished, item.Id));
        await vault.RestoreAsync(backup.Point, Target);
        Assert.Empty(TreeComparer.Compare(Source, Target + Source, TreeAspects.All & ~TreeAspects.Times));
    }

    private static void Change(string file, string change)
    {
        byte[] path = UnixFile.Raw(file);
        switch (change)
        {
            case "shortened":
                UnixFile.Truncate(path, 8 * MiB);
                break;
            case "deleted":
                UnixFile.Delete(path);
                break;
            default:
                using (FileStream stream = UnixFile.Open(path, FileAccess.ReadWrite))
                {
                    stream.Position = change == "rewritten" ? 120 * MiB : stream.Length;
                    stream.Write(new byte[MiB]);
                }

                break;
        }
    }

    private static void SkipUnlessLinux() => Assert.SkipUnless(OperatingSystem.IsLinux(), "Trees are built and compared with Linux's calls.");

    private static void SkipUnlessRoot() => Assert.SkipUnless(Shell.IsLinuxRoot, "Mounting needs root on Linux.");
}
