using System.Diagnostics;
using System.Text.Json;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Snapshots;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Engine.Sources.Rules;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Campaigns.Disks;

/// <summary>Backups that read snapshots of a real Btrfs, and what they leave: nothing.</summary>
public sealed class SnapshotTests : IDisposable
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
    public async Task A_snapshot_is_read_and_recorded_and_removed()
    {
        FolderVault vault = await BeginAsync();
        new SourceTreeBuilder(Source).File("a", 100).File("folder/large", 3 << 20).Link("link", "a").HardLink("again", "a");
        var changing = new ChangingMaker(() => File.WriteAllText(Source + "/a", "later"));

        BackupResult backup = await vault.BackUpAsync(Request(changing, Source));
        BackupResult again = await vault.BackUpAsync(Request(new ChangingMaker(), Source));
        await vault.RestoreAsync(backup.Point, Target);

        RecoveryPointSource source = Assert.Single(backup.Point.Sources);
        Assert.Equal((Source, "btrfs"), (source.Path, source.FileSystem));
        Assert.Equal(new SourceConsistency(ConsistencyLevel.Crash, "Btrfs"), source.Consistency);
        Assert.Equal(100, new FileInfo(Target + Source + "/a").Length);
        Assert.Equal((0, 2), (again.NewFiles, again.ChangedFiles));
        Assert.Equal("later", await File.ReadAllTextAsync(Source + "/a", Cancel));
        Assert.Empty(vault.Skipped);
        AssertNothingIsLeft();
    }

    [Fact]
    public async Task What_is_unchanged_is_not_read_again_whether_it_was_read_in_place_before_or_from_a_snapshot()
    {
        FolderVault vault = await BeginAsync();
        new SourceTreeBuilder(Disk).File("a", 100).File("folder/b", 100_000).Link("link", "a").HardLink("again", "a");
        DateTime modified = Directory.GetLastWriteTimeUtc(Disk);

        BackupResult[] backups =
        [
            await vault.BackUpAsync(Disk),
            await vault.BackUpAsync(Request(new ChangingMaker(), Disk)),
            await vault.BackUpAsync(Request(new ChangingMaker(), Disk)),
            await vault.BackUpAsync(Disk),
        ];

        Assert.All(backups[1..], backup => Assert.Equal((0, 0, 0), (backup.NewFiles, backup.ChangedFiles, backup.ReadBytes)));
        Assert.All(backups, backup => Assert.Equal(backups[0].Point.Sources[0].Manifest.Entries, backup.Point.Sources[0].Manifest.Entries));
        Assert.Equal(modified, Directory.GetLastWriteTimeUtc(Disk));
        await vault.RestoreAsync(backups[2].Point, Target);
        Assert.Empty(TreeComparer.Compare(Disk, Target + Disk));
    }

    [Fact]
    public async Task Subvolumes_below_the_source_are_read_from_snapshots_of_their_own()
    {
        FolderVault vault = await BeginAsync();
        MakeSubvolume(Source);
        MakeSubvolume(Source + "/nested");
        Directory.CreateDirectory(Source + "/nested/folder");
        MakeSubvolume(Source + "/nested/folder/inner");
        MakeSubvolume(Source + "/left-out");
        MakeSubvolume(Disk + "/beside");
        new SourceTreeBuilder(Source).File("a", 10).File("nested/b", 10).File("nested/folder/inner/c", 10).File("nested/folder/z", 10).File("zz", 10).File("left-out/no", 10);
        new SourceTreeBuilder(Disk).File("beside/no", 10);
        Shell.RunChecked("btrfs", "subvolume", "snapshot", "-r", Source + "/nested", Source + "/kept");
        var changing = new ChangingMaker(() =>
        {
            File.WriteAllText(Source + "/nested/b", "later");
            File.WriteAllText(Source + "/nested/folder/inner/c", "later");
        });

        BackupResult backup = await vault.BackUpAsync(Request(changing, Source, exclude: "left-out"));
        await vault.RestoreAsync(backup.Point, Target);

        Assert.Equal(["inner", "nested", "source"], changing.Taken.Select(path => Path.GetFileName(path)).Order());
        RecoveryPointSource source = Assert.Single(backup.Point.Sources);
        Assert.Equal((ConsistencyLevel.Crash, "Btrfs"), (source.Consistency!.Level, source.Consistency.Snapshot));
        Assert.Contains("3 volumes", source.Consistency.Reason, StringComparison.Ordinal);
        Assert.Equal(
            ["a", "kept/b", "kept/folder/inner", "kept/folder/z", "nested/b", "nested/folder/inner/c", "nested/folder/z", "zz"],
            Directory.EnumerateFileSystemEntries(Target + Source, "*", SearchOption.AllDirectories)
                .Where(path => File.Exists(path) || Directory.GetFileSystemEntries(path).Length == 0)
                .Select(path => Path.GetRelativePath(Target + Source, path)).Order(StringComparer.Ordinal));
        Assert.Equal((10, 10), (new FileInfo(Target + Source + "/nested/b").Length, new FileInfo(Target + Source + "/nested/folder/inner/c").Length));
        Assert.Empty(vault.Skipped);
        AssertNothingIsLeft();
        Assert.True(Directory.Exists(Source + "/kept/folder"));
    }

    // The walk holds few folders open, and comes back to those above it by their names.
    [Fact]
    public async Task The_walk_finds_back_through_subvolumes_however_deep_it_was()
    {
        FolderVault vault = await BeginAsync();
        string deep = string.Concat(Enumerable.Repeat("/d", 90));
        Directory.CreateDirectory(Source + deep);
        MakeSubvolume(Source + deep + "/nested");
        Directory.CreateDirectory(Source + deep + "/nested" + deep);
        MakeSubvolume(Source + deep + "/nested" + deep + "/inner");
        SourceTreeBuilder tree = new SourceTreeBuilder(Source).File(deep[1..] + "/nested" + deep + "/inner" + deep + "/f", 10);
        for (string path = deep[1..] + "/nested" + deep + "/inner" + deep; path.Length > 0; path = Path.GetDirectoryName(path)!)
        {
            tree.File(path + "/z", 10);
        }

        BackupResult backup = await vault.BackUpAsync(Request(new ChangingMaker(), Source));
        await vault.RestoreAsync(backup.Point, Target);

        Assert.Empty(vault.Skipped);
        Assert.Empty(TreeComparer.Compare(Source, Target + Source));
        Assert.Equal(0, (await vault.BackUpAsync(Request(new ChangingMaker(), Source))).ReadBytes);
    }

    [Fact]
    public async Task What_is_mounted_below_is_read_too_and_the_point_says_how()
    {
        FolderVault vault = await BeginAsync();
        new SourceTreeBuilder(Source).File("a", 10).File("mounted/beneath", 10).File("other/beneath", 10).Directory("bound");
        _mounts.Push(MountedFileSystem.InMemory(Source + "/mounted", "1m"));
        _mounts.Push(MountedFileSystem.InImage(_folder["image2"], Source + "/other", "btrfs"));
        await File.WriteAllTextAsync(Source + "/mounted/in-memory", "x", Cancel);
        await File.WriteAllTextAsync(Source + "/other/on-disk", "x", Cancel);
        var changing = new ChangingMaker(() => File.WriteAllText(Source + "/other/on-disk", "later"));

        BackupResult all = await vault.BackUpAsync(Request(changing, Source, cross: true));
        await vault.RestoreAsync(all.Point, Target);
        BackupResult own = await vault.BackUpAsync(Request(new ChangingMaker(), Source));
        await vault.RestoreAsync(own.Point, _folder["target2"]);

        Assert.Equal(2, changing.Taken.Count);
        SourceConsistency consistency = all.Point.Sources[0].Consistency!;
        Assert.Equal((ConsistencyLevel.None, "Btrfs"), (consistency.Level, consistency.Snapshot));
        Assert.Contains(Source + "/mounted", consistency.Reason, StringComparison.Ordinal);
        Assert.Equal(["a", "in-memory", "on-disk"], FilesBelow(Target));
        Assert.Equal("x", await File.ReadAllTextAsync(Target + Source + "/other/on-disk", Cancel));
        Assert.Equal(ConsistencyLevel.Crash, own.Point.Consistency!.Level);
        Assert.Equal(["a"], FilesBelow(_folder["target2"]));
        Assert.True(Directory.Exists(_folder["target2"] + Source + "/mounted"));
        Assert.Empty(Directory.GetDirectories(Source + "/other", OwnFolders.SnapshotPrefix + "*"));
        AssertNothingIsLeft();
    }

    [Fact]
    public async Task Sources_of_one_volume_share_a_snapshot_and_links_and_single_files_are_found_in_it()
    {
        FolderVault vault = await BeginAsync();
        new SourceTreeBuilder(Disk).File("one/a", 10).File("two/b", 10).File("three/c", 10).Link("to-two", "two").File("d", 10);
        var changing = new ChangingMaker(() =>
        {
            Directory.Delete(Disk + "/one", recursive: true);
            Directory.Delete(Disk + "/three", recursive: true);
            File.WriteAllText(Disk + "/d", "later");
        });

        BackupResult backup = await vault.BackUpAsync(Request(changing, Disk + "/to-two", Disk + "/d", Disk + "/gone"));
        await vault.RestoreAsync(backup.Point, Target);

        Assert.Single(changing.Taken);
        Assert.Equal([Disk + "/to-two", Disk + "/d"], backup.Point.Sources.Select(source => source.Path));
        Assert.All(backup.Point.Sources, source => Assert.Equal("Btrfs", source.Consistency!.Snapshot));
        Assert.Equal(BackupErrorId.SourceNotFound, Assert.Single(backup.LostSources).Failure.Id);
        Assert.Equal((10, 10), (new FileInfo(Target + Disk + "/to-two/b").Length, new FileInfo(Target + Disk + "/d").Length));
        AssertNothingIsLeft();
    }

    [Fact]
    public async Task The_backups_own_folders_are_left_out_of_snapshots_too()
    {
        MountDisk();
        MakeSubvolume(Disk + "/nested");
        FolderVault vault = await FolderVault.CreateAsync(Disk + "/nested/vault");
        new SourceTreeBuilder(Disk).File("a", 10).File("state/secret", 10).File("nested/b", 10);

        BackupResult backup = await vault.BackUpAsync(Request(new ChangingMaker(), Disk) with { OwnFolders = [Disk + "/state"] });

        Assert.Equal(2, vault.Notes.Count(note => note.Contains("belongs to the backup itself", StringComparison.Ordinal)));
        await vault.RestoreAsync(backup.Point, Target);
        Assert.Equal(["a", "b"], FilesBelow(Target));
    }

    [Fact]
    public async Task A_volume_that_cannot_be_written_needs_no_snapshot()
    {
        FolderVault vault = await BeginAsync();
        new SourceTreeBuilder(Source).File("a", 10);
        _mounts.Peek().Remount("ro");
        var maker = new ChangingMaker();

        BackupResult backup = await vault.BackUpAsync(Request(maker, SnapshotMode.Require, Source));

        Assert.Empty(maker.Taken);
        SourceConsistency consistency = backup.Point.Sources[0].Consistency!;
        Assert.Equal((ConsistencyLevel.FileSystem, null), (consistency.Level, consistency.Snapshot));
        Assert.Contains("read-only", consistency.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_snapshots_the_point_says_so_and_where_they_are_required_there_is_none()
    {
        FolderVault vault = await BeginAsync("ext4");
        new SourceTreeBuilder(Source).File("a", 10);

        BackupResult never = await vault.BackUpAsync(Request(new ChangingMaker(), SnapshotMode.Never, Source));
        BackupResult auto = await vault.BackUpAsync(Request(new ChangingMaker(), Source));
        BackupException refused = await Assert.ThrowsAsync<BackupException>(() => vault.BackUpAsync(Request(new ChangingMaker(), SnapshotMode.Require, Source)));

        Assert.Equal(new SourceConsistency(ConsistencyLevel.None, Reason: "Snapshots are switched off."), never.Point.Consistency);
        Assert.Equal(ConsistencyLevel.None, auto.Point.Consistency!.Level);
        Assert.Contains("ext4", auto.Point.Consistency.Reason, StringComparison.Ordinal);
        Assert.Equal((BackupErrorId.SnapshotUnavailable, Source), (refused.Id, refused.Target));
        Assert.Equal(2, (await vault.PointsAsync()).Count);
        Assert.False(Directory.Exists(Records));
    }

    [Fact]
    public async Task Nothing_is_left_by_a_backup_that_fails_or_is_stopped_and_foreign_snapshots_stay()
    {
        FolderVault vault = await BeginAsync();
        new SourceTreeBuilder(Source).File("a", 10);
        Shell.RunChecked("btrfs", "subvolume", "snapshot", "-r", Disk, Disk + "/foreign");
        Directory.CreateDirectory(Disk + "/" + OwnFolders.SnapshotPrefix + "no-snapshot");
        using var stop = new CancellationTokenSource();

        await Assert.ThrowsAsync<InvalidOperationException>(() => vault.BackUpAsync(Request(new ChangingMaker(() => throw new InvalidOperationException("a bug")), Source)));
        await Assert.ThrowsAsync<OperationCanceledException>(() => vault.BackUpAsync(Request(new ChangingMaker(stop.Cancel), Source), stop.Token));

        Assert.Equal([OwnFolders.SnapshotPrefix + "no-snapshot", "foreign", "source"], Directory.GetDirectories(Disk).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Empty(Directory.GetFiles(Records));
    }

    [Fact]
    public async Task What_a_killed_backup_leaves_the_next_one_removes()
    {
        MountDisk();
        using var obengine = new Obengine();
        obengine.Variables["MSONLINEBACKUP_STATE"] = _folder["state"];
        await obengine.CreateVaultAsync();
        string[] backup = ["backup", "--vault", obengine.Vault, "--passphrase-file", obengine.PassphraseFile, Source];
        int files = 0;
        AddFiles();
        using (Process held = await obengine.HoldBackupAsync(backup, obengine.Vault, () =>
        {
            AddFiles();
            return Task.CompletedTask;
        }))
        {
            Assert.Single(Directory.GetDirectories(Disk, OwnFolders.SnapshotPrefix + "*"));

            // One that runs beside it leaves alone what is in use, and reads no snapshot of the other's.
            Run beside = await obengine.RunAsync([.. backup, "--machine", "other"]);
            Assert.True(beside.ExitCode == 0, beside.ToString());
            Assert.Single(Directory.GetDirectories(Disk, OwnFolders.SnapshotPrefix + "*"));
            held.Kill();
            await held.WaitForExitAsync(Cancel);
        }

        Assert.Single(Directory.GetDirectories(Disk, OwnFolders.SnapshotPrefix + "*"));
        IReadOnlyList<JsonElement> next = await obengine.JsonAsync("backup", Source);
        Assert.Contains(next, line => line.GetProperty("type").GetString() == "note" && line.GetProperty("message").GetString()!.Contains("interrupted", StringComparison.Ordinal));
        Assert.Equal("Crash", next[^1].GetProperty("consistency").GetString());
        Assert.Empty(Directory.GetDirectories(Disk, OwnFolders.SnapshotPrefix + "*"));
        Assert.Empty(Directory.GetFiles(_folder["state", "snapshots"]));

        void AddFiles()
        {
            for (int end = files + 40; files < end; files++)
            {
                new SourceTreeBuilder(Source).File($"{files}", 2 << 20);
            }
        }
    }

    // Its volume is away; what is recorded of it is kept until it is back.
    [Fact]
    public async Task A_remainder_on_a_volume_that_is_not_there_is_removed_when_it_is_back()
    {
        FolderVault vault = await BeginAsync();
        var maker = new BtrfsSnapshots();
        SnapshotVolume volume = SnapshotKit.ForThisSystem().FindVolumes(Disk, SourceSelection.Everything)!.Root.Volume!;
        using (SnapshotRecord record = SnapshotRecord.Create(Records))
        {
            var wanted = new WantedSnapshot(volume, maker.Mark(volume, SnapshotRecord.NewId(), record.Folder));
            record.Write([wanted.Mark]);
            await maker.TakeAsync([wanted], Cancel);
            Assert.NotNull(wanted.Place);
        }

        _mounts.Pop().Dispose();
        new SourceTreeBuilder(_folder["elsewhere"]).File("a", 10);
        await vault.BackUpAsync(Request(new ChangingMaker(), _folder["elsewhere"]));
        Assert.Contains(vault.Notes, note => note.Contains("tries again", StringComparison.Ordinal));
        Assert.Single(Directory.GetFiles(Records));

        _mounts.Push(MountedFileSystem.Again(_folder["image"], Disk));
        Assert.Single(Directory.GetDirectories(Disk, OwnFolders.SnapshotPrefix + "*"));
        await vault.BackUpAsync(Request(new ChangingMaker(), _folder["elsewhere"]));
        AssertNothingIsLeft();
    }

    // As a database does: two files are always written and synced one after the other. Whoever sees both at one moment sees the same number, or one that is ahead by one.
    [Fact]
    public async Task Files_that_a_program_keeps_in_step_are_in_step_in_every_point()
    {
        int rounds = Campaign.IsFull ? 50 : 12;
        FolderVault vault = await BeginAsync();
        new SourceTreeBuilder(Source).File("filler", 2 << 20);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        long count = 0;
        Write(0);
        Task writing = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                Write(++count);
            }
        }, Cancel);

        var points = new List<RecoveryPoint>();
        for (int i = 0; i < rounds; i++)
        {
            points.Add((await vault.BackUpAsync(Request(new ChangingMaker(), Source))).Point);
        }

        RecoveryPoint inPlace = (await vault.BackUpAsync(Request(new ChangingMaker(), SnapshotMode.Never, Source))).Point;
        await stop.CancelAsync();
        await writing;

        Assert.Equal(ConsistencyLevel.None, inPlace.Consistency!.Level);
        foreach (RecoveryPoint point in points)
        {
            Assert.Equal((ConsistencyLevel.Crash, RecoveryPointStatus.Completed), (point.Consistency!.Level, point.Status));
            await vault.RestoreAsync(point, Target);
            (long first, long second) = (Read(Target + Source + "/a-first"), Read(Target + Source + "/z-second"));
            Assert.InRange(first - second, 0, 1);
            Directory.Delete(Target, recursive: true);
        }

        AssertNothingIsLeft();

        void Write(long number)
        {
            foreach (string name in new[] { "a-first", "z-second" })
            {
                // Eight bytes at once: a reader sees the number before or the one after.
                using FileStream file = new(Source + "/" + name, FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
                file.Write(BitConverter.GetBytes(number));
                file.Flush(flushToDisk: true);
            }
        }

        static long Read(string path) => BitConverter.ToInt64(File.ReadAllBytes(path));
    }

    private void MountDisk(string kind = "btrfs")
    {
        Assert.SkipUnless(Shell.IsLinuxRoot && MountedFileSystem.CanMake(kind), $"Needs root, mkfs.{kind}, and a kernel that mounts it.");
        _mounts.Push(MountedFileSystem.InImage(_folder["image"], Disk, kind));
        Directory.CreateDirectory(Source);
    }

    private async Task<FolderVault> BeginAsync(string kind = "btrfs")
    {
        MountDisk(kind);
        return await FolderVault.CreateAsync(_folder["vault"]);
    }

    private static void MakeSubvolume(string path)
    {
        if (Directory.Exists(path))
        {
            Directory.Delete(path);
        }

        Shell.RunChecked("btrfs", "subvolume", "create", path);
    }

    private BackupRequest Request(ChangingMaker maker, params string[] paths) => Request(maker, SnapshotMode.Auto, paths);

    private BackupRequest Request(ChangingMaker maker, SnapshotMode mode, params string[] paths) => new()
    {
        MachineName = "m",
        Sources = [.. paths.Select(path => new BackupSource.Tree(path, SourceSelection.Everything))],
        Snapshots = new SnapshotOptions(mode, Records),

        // A file system in memory stands for any that has no snapshots.
        Rules = SourceRules.Open with { Allowed = [SourceKind.Memory] },
        SnapshotKit = new SnapshotKit([maker], (path, selection) => SnapshotKit.ForThisSystem().FindVolumes(path, selection)),
    };

    private BackupRequest Request(ChangingMaker maker, string path, bool cross = false, string? exclude = null) => Request(maker) with
    {
        Sources = [new BackupSource.Tree(path, new SourceSelection { CrossMountPoints = cross, Exclude = exclude is null ? [] : [exclude] })],
    };

    private static IEnumerable<string?> FilesBelow(string folder) =>
        Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Select(Path.GetFileName).Order(StringComparer.Ordinal);

    private void AssertNothingIsLeft()
    {
        Assert.Empty(Directory.GetFileSystemEntries(Disk, OwnFolders.SnapshotPrefix + "*", SearchOption.AllDirectories));
        Assert.Empty(Directory.GetFileSystemEntries(Records));
    }

    // Snapshots of Btrfs, and what happens on the machine right after they were taken.
    private sealed class ChangingMaker(Action? then = null) : ISnapshotMaker
    {
        private readonly BtrfsSnapshots _maker = new();

        public List<string> Taken { get; } = [];

        public string Kind => _maker.Kind;

        public ConsistencyLevel Level => _maker.Level;

        public bool IsOf(SnapshotVolume volume) => _maker.IsOf(volume);

        public Task<string?> FindObstacleAsync(SnapshotVolume volume, CancellationToken cancellationToken) => _maker.FindObstacleAsync(volume, cancellationToken);

        public SnapshotMark Mark(SnapshotVolume volume, string id, string folder) => _maker.Mark(volume, id, folder);

        public async Task TakeAsync(IReadOnlyList<WantedSnapshot> snapshots, CancellationToken cancellationToken)
        {
            await _maker.TakeAsync(snapshots, cancellationToken);
            Taken.AddRange(snapshots.Select(snapshot => snapshot.Mark.Volume));
            then?.Invoke();
        }

        public Task<string?> RemoveAsync(SnapshotMark mark) => _maker.RemoveAsync(mark);
    }
}
