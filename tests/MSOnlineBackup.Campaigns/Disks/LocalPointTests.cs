using System.Diagnostics;
using System.Text.Json;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Engine.Snapshots;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Progress;

namespace MSOnlineBackup.Campaigns.Disks;

/// <summary>Snapshots of a real Btrfs that stay after their backups: restored from without the vault, and removed to the last.</summary>
public sealed class LocalPointTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly Stack<MountedFileSystem> _mounts = [];

    private string Disk => _folder["disk"];

    private string Source => _folder["disk", "source"];

    private string Target => _folder["target"];

    private string Records => _folder["records"];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        while (_mounts.TryPop(out MountedFileSystem? mount))
        {
            mount.Dispose();
        }

        _folder.Dispose();
    }

    [Fact]
    public async Task A_tree_with_subvolumes_is_restored_without_the_vault_and_without_the_source()
    {
        FolderVault vault = await BeginAsync();
        Shell.RunChecked("btrfs", "subvolume", "create", Source + "/nested");
        new SourceTreeBuilder(Source).File("a", 100).File("folder/large", 3 << 20).HardLink("again", "a").Mode("a", 0b110_000_000).File("nested/b", 3 << 20).Sparse("nested/sparse", 16 << 20, (4 << 20, 100)).HardLink("nested/again", "nested/b")
            .Attribute("nested/b", "user.mark", [1, 2, 3]).Link("nested/link", "b");
        Shell.RunChecked("cp", "-a", "--sparse=auto", Source, _folder["expected"]);
        DateTime modified = Directory.GetLastWriteTimeUtc(Disk);
        BackupResult backup = await vault.BackUpAsync(Request(2, Disk));
        Assert.Equal(modified, Directory.GetLastWriteTimeUtc(Disk));

        // The subvolumes cannot go while snapshots stay in them; all that was backed up can.
        Shell.RunChecked("find", Disk, "!", "-path", $"*/{OwnFolders.SnapshotPrefix}*", "!", "-type", "d", "-delete");
        Directory.Delete(Source + "/folder");
        Directory.Move(vault.Folder, _folder["away"]);

        LocalPoint point = Assert.Single(await LocalPoints.ListAsync(Records, Cancel));
        RestoreResult result = await RestoreAsync(point, Target);

        Assert.Equal((backup.Point.SessionId, PointState.Vaulted), (point.Id, point.State));
        Assert.Equal(0, result.Skipped);
        Assert.Empty(TreeComparer.Compare(_folder["expected"], Target + Source));
        Assert.Equal(2, SnapshotsOnDisk().Count());
    }

    // In each later snapshot those before it are empty folders.
    [Fact]
    public async Task The_last_ones_stay_are_in_no_later_point_and_foreign_ones_are_not_touched()
    {
        FolderVault vault = await BeginAsync();
        new SourceTreeBuilder(Disk).File("a", 100).File("folder/b", 100_000);
        Shell.RunChecked("btrfs", "subvolume", "snapshot", "-r", Disk, Disk + "/foreign");
        DateTime modified = Directory.GetLastWriteTimeUtc(Disk);
        var backups = new List<BackupResult>();
        for (int i = 0; i < 4; i++)
        {
            backups.Add(await vault.BackUpAsync(Request(2, Disk)));
        }

        await vault.RestoreAsync(backups[3].Point, Target);
        LocalPoint newest = (await LocalPoints.ListAsync(Records, Cancel))[0];
        await RestoreAsync(newest, _folder["local"]);

        Assert.Equal(2, SnapshotsOnDisk().Count());
        Assert.Equal(modified, Directory.GetLastWriteTimeUtc(Disk));
        Assert.All(backups[1..], backup => Assert.Equal((0, 0, 0), (backup.NewFiles, backup.ChangedFiles, backup.ReadBytes)));
        Assert.All(backups, backup => Assert.Equal(backups[0].Point.Sources[0].Manifest.Entries, backup.Point.Sources[0].Manifest.Entries));
        Assert.Empty(Directory.EnumerateDirectories(Target + Disk, OwnFolders.SnapshotPrefix + "*"));

        // No snapshot can be made in what is read-only: it is in the vault, and said to be missing here.
        Assert.Equal([Disk + "/foreign"], newest.Missing);
        Assert.DoesNotContain(TreeComparer.Compare(Target + Disk, _folder["local"] + Disk), difference => !difference.StartsWith("/foreign", StringComparison.Ordinal));
        Assert.True(Directory.Exists(Disk + "/foreign/folder"));

        await vault.BackUpAsync(Request(0, Disk));
        Assert.Empty(SnapshotsOnDisk());
        Assert.Empty(Directory.GetFileSystemEntries(Records));
        Assert.True(Directory.Exists(Disk + "/foreign/folder"));
    }

    [Fact]
    public async Task One_that_was_deleted_or_made_writable_by_somebody_else_is_forgotten_and_stays_as_it_is()
    {
        FolderVault vault = await BeginAsync();
        new SourceTreeBuilder(Source).File("a", 100);
        for (int i = 0; i < 2; i++)
        {
            await vault.BackUpAsync(Request(3, Source));
        }

        string[] snapshots = [.. SnapshotsOnDisk()];
        Shell.RunChecked("btrfs", "subvolume", "delete", snapshots[0]);
        Shell.RunChecked("btrfs", "property", "set", "-f", snapshots[1], "ro", "false");
        Assert.Empty(await LocalPoints.ListAsync(Records, Cancel));

        await vault.BackUpAsync(Request(3, Source));

        Assert.Single(await LocalPoints.ListAsync(Records, Cancel));
        Assert.Contains(snapshots[1], SnapshotsOnDisk());
        Assert.Equal(2, SnapshotsOnDisk().Count());
    }

    // By name alone it would be taken for ours.
    [Fact]
    public async Task One_that_was_made_again_under_the_name_is_not_ours()
    {
        FolderVault vault = await BeginAsync();
        new SourceTreeBuilder(Source).File("a", 100);
        await vault.BackUpAsync(Request(1, Source));
        string snapshot = Assert.Single(SnapshotsOnDisk());
        Shell.RunChecked("btrfs", "subvolume", "delete", snapshot);
        Shell.RunChecked("btrfs", "subvolume", "snapshot", "-r", Disk, snapshot);

        Assert.Empty(await LocalPoints.ListAsync(Records, Cancel));
        await vault.BackUpAsync(Request(0, Source));

        Assert.Equal([snapshot], SnapshotsOnDisk());
        Assert.Empty(Directory.GetFileSystemEntries(Records));
    }

    [Fact]
    public async Task On_a_volume_that_is_not_there_it_waits_until_that_is_back()
    {
        FolderVault vault = await BeginAsync();
        new SourceTreeBuilder(Source).File("a", 100);
        await vault.BackUpAsync(Request(1, Source));
        _mounts.Pop().Dispose();
        new SourceTreeBuilder(_folder["elsewhere"]).File("a", 10);

        LocalPoint away = Assert.Single(await LocalPoints.ListAsync(Records, Cancel));
        await vault.BackUpAsync(Request(1, _folder["elsewhere"]));
        _mounts.Push(MountedFileSystem.Again(_folder["image"], Disk));
        LocalPoint back = Assert.Single(await LocalPoints.ListAsync(Records, Cancel));
        await RestoreAsync(back, Target);

        Assert.NotNull(away.Obstacle);
        Assert.Null(back.Obstacle);
        Assert.Empty(TreeComparer.Compare(Source, Target + Source));
    }

    [Fact]
    public async Task It_is_restored_over_what_it_was_taken_of()
    {
        FolderVault vault = await BeginAsync();
        new SourceTreeBuilder(Disk).File("a", 100).File("folder/b", 100_000).File("folder/c", 10);
        await vault.BackUpAsync(Request(1, Disk));
        await File.WriteAllTextAsync(Disk + "/a", "later", Cancel);
        File.Delete(Disk + "/folder/b");

        RestoreResult result = await RestoreAsync(Assert.Single(await LocalPoints.ListAsync(Records, Cancel)), "/", RestoreConflict.Overwrite);

        Assert.Equal((2, 1, 0), (result.Files, result.AlreadyThere, result.Skipped));
        Assert.Equal((100, 100_000), (new FileInfo(Disk + "/a").Length, new FileInfo(Disk + "/folder/b").Length));
        Assert.Single(SnapshotsOnDisk());
    }

    [Fact]
    public async Task Held_killed_listed_restored_and_removed_by_the_program()
    {
        MountDisk();
        using var obengine = new Obengine();
        obengine.Variables["MSONLINEBACKUP_STATE"] = _folder["state"];
        await obengine.CreateVaultAsync();
        string[] backup = ["backup", "--vault", obengine.Vault, "--passphrase-file", obengine.PassphraseFile, "--keep-local-snapshots", "2", Source];
        int files = 0;
        AddFiles();
        await RunAsync(backup);
        AddFiles();
        using (Process held = await obengine.HoldBackupAsync(backup, obengine.Vault, () =>
        {
            AddFiles();
            return Task.CompletedTask;
        }))
        {
            JsonElement[] points = [.. (await RunAsync("snapshots", "list", "--json")).Lines()];
            Assert.Equal("Uploading", points[0].GetProperty("state").GetString());
            Assert.Equal("Vaulted", points[1].GetProperty("state").GetString());
            Assert.Contains(
                (await obengine.JsonAsync("points")).Where(line => line.GetProperty("type").GetString() == "point"),
                line => line.GetProperty("state").GetString() == "Uploading");
            Run pending = await RunAsync("restore", "latest", "--from", "local", "--to", Target);
            Assert.Contains("local snapshots", pending.Output + pending.Error, StringComparison.Ordinal);
            Assert.Empty(TreeComparer.Compare(Source, Target + Source));
            held.Kill();
            await held.WaitForExitAsync(Cancel);
        }

        // What was killed is no point, and goes with the next backup.
        Assert.Equal(1, (await RunAsync("snapshots", "list", "--json")).Lines()[^1].GetProperty("count").GetInt32());
        await RunAsync(backup);
        Assert.Equal(2, SnapshotsOnDisk().Count());

        // The vault is away.
        Directory.Move(obengine.Vault, _folder["away"]);
        Run away = await obengine.RunAsync(["points", "--vault", obengine.Vault, "--passphrase-file", obengine.PassphraseFile, "--json"]);
        Assert.Equal(2, away.Lines().Count(line => line.GetProperty("type").GetString() == "point"));
        await RunAsync("restore", "latest", "--vault", obengine.Vault, "--passphrase-file", obengine.PassphraseFile, "--to", _folder["auto"], "--verify");
        Assert.Empty(TreeComparer.Compare(Source, _folder["auto"] + Source));
        Run vaultOnly = await obengine.RunAsync(["restore", "latest", "--vault", obengine.Vault, "--passphrase-file", obengine.PassphraseFile, "--from", "vault", "--to", _folder["none"]]);
        Assert.NotEqual(0, vaultOnly.ExitCode);
        Assert.False(Directory.Exists(_folder["none"]));

        await RunAsync("snapshots", "remove", "--all");
        Assert.Empty(SnapshotsOnDisk());
        Assert.Empty(Directory.GetFileSystemEntries(_folder["state", "snapshots"]));

        void AddFiles()
        {
            for (int i = 0; i < 40; i++)
            {
                new SourceTreeBuilder(Source).File($"f{files++}", 3 << 20);
            }
        }

        async Task<Run> RunAsync(params string[] arguments)
        {
            Run run = await obengine.RunAsync(arguments);
            Assert.True(run.ExitCode == 0, run.ToString());
            return run;
        }
    }

    private void MountDisk()
    {
        Assert.SkipUnless(Shell.IsLinuxRoot && MountedFileSystem.CanMake("btrfs"), "Needs root, mkfs.btrfs, and a kernel that mounts it.");
        _mounts.Push(MountedFileSystem.InImage(_folder["image"], Disk, "btrfs", 2048L << 20));
        Directory.CreateDirectory(Source);
    }

    private async Task<FolderVault> BeginAsync()
    {
        MountDisk();
        return await FolderVault.CreateAsync(_folder["vault"]);
    }

    private BackupRequest Request(int? keep, string source) => new()
    {
        MachineName = "m",
        Sources = [new BackupSource.Tree(source, SourceSelection.Everything)],
        Snapshots = new SnapshotOptions(SnapshotMode.Auto, Records) { Keep = keep },
    };

    private static Task<RestoreResult> RestoreAsync(LocalPoint point, string target, RestoreConflict conflict = RestoreConflict.Skip) => LocalRestore.RestoreAsync(
        point, new RestoreRequest { Point = point.Point, TargetFolder = target, Conflict = conflict, Verify = true }, new JobMonitor(), new VaultOptions(), Cancel);

    private IEnumerable<string> SnapshotsOnDisk() =>
        Directory.EnumerateDirectories(Disk, OwnFolders.SnapshotPrefix + "*")
            .Concat(Directory.Exists(Source + "/nested") ? Directory.EnumerateDirectories(Source + "/nested", OwnFolders.SnapshotPrefix + "*") : [])
            .Order(StringComparer.Ordinal);
}
