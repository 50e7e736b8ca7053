using System.Text;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Engine.Snapshots;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Engine.Sources.Rules;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Snapshots;

/// <summary>Snapshots that stay after their backups, by a maker whose snapshots are copies: what stays, what is removed, and what is restored from them.</summary>
public sealed class LocalPointTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Disk => _folder["disk"];

    private string Target => _folder["target"];

    private string Records => _folder["records"];

    private string Copies => _folder["copies"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task What_stays_is_restored_without_the_vault_though_the_source_is_gone()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Sources are read elsewhere only where their paths are.");
        FolderVault vault = await BeginAsync();
        new SourceTreeBuilder(Disk).File("a", 100).File("folder/large", 3 << 20).Link("link", "a").HardLink("again", "folder/large").Sparse("sparse", 8 << 20, (1 << 20, 5)).Pipe("pipe")
            .File("left-out/no", 5).Mode("a", 0b110_000_000).Modified("a", 1_000_000_000);
        BackupResult backup = await vault.BackUpAsync(Request(2));
        Shell.RunChecked("cp", "-a", Disk, _folder["expected"]);
        Directory.Delete(_folder["expected", "left-out"], recursive: true);
        Shell.RunChecked("touch", "-r", Disk, _folder["expected"]);
        Directory.Delete(Disk, recursive: true);
        Directory.Move(vault.Folder, _folder["away"]);

        LocalPoint point = Assert.Single(await ListAsync());
        RestoreResult result = await RestoreAsync(point);

        Assert.Equal((backup.Point.SessionId, PointState.Vaulted, null, null), (point.Id, point.State, point.Failure, point.Obstacle));
        Assert.Equal(ConsistencyLevel.Crash, point.Point.Consistency!.Level);
        Assert.Equal((0, 0), (result.Skipped, result.FetchedBytes));
        Assert.True(result.Verified > 0);
        Assert.Empty(TreeComparer.Compare(_folder["expected"], Target + Disk, TreeAspects.All));
    }

    [Fact]
    public async Task The_last_ones_stay_and_a_backup_without_the_wish_leaves_them()
    {
        FolderVault vault = await BeginAsync();
        var made = new List<string>();
        for (int i = 0; i < 4; i++)
        {
            new SourceTreeBuilder(Disk).File("a", 100 + i);
            made.Add((await vault.BackUpAsync(Request(2))).Point.SessionId.ToString());
        }

        await vault.BackUpAsync(Request(null));
        await vault.BackUpAsync(Request(1, series: "other"));

        IReadOnlyList<LocalPoint> points = await ListAsync();
        Assert.Equal([made[3], made[2]], points.Where(point => point.Series.Length == 0).Select(point => point.Id.ToString()));
        Assert.Equal(3, points.Count);
        Assert.Equal(3, Directory.GetDirectories(Copies).Length);
        Assert.Empty(SnapshotRecord.FindAbandoned(Records));

        await vault.BackUpAsync(Request(0));
        Assert.Equal("other", Assert.Single(await ListAsync()).Series);
        Assert.Single(Directory.GetDirectories(Copies));
    }

    [Fact]
    public async Task Where_the_vault_goes_away_meanwhile_the_snapshots_stay_as_a_local_point_and_the_backup_fails()
    {
        FolderVault vault = await BeginAsync();
        new SourceTreeBuilder(Disk).File("a", 100).File("b", 3 << 20);

        BackupException failure = await Assert.ThrowsAsync<BackupException>(() => vault.BackUpAsync(Request(2, () => Directory.Move(vault.Folder, _folder["away"]))));
        LocalPoint point = Assert.Single(await ListAsync());
        await RestoreAsync(point);

        Assert.True(LocalRestore.StandsIn(failure), failure.ToString());
        Assert.Equal((PointState.Local, failure.Message), (point.State, point.Failure));
        Assert.Empty(TreeComparer.Compare(Disk, Target + Disk));

        // It counts among those that stay, and is no point of the vault.
        Directory.Move(_folder["away"], vault.Folder);
        await vault.BackUpAsync(Request(2));
        Assert.Equal([PointState.Vaulted, PointState.Local], (await ListAsync()).Select(each => each.State));
        Assert.Single(await vault.PointsAsync());
        await vault.BackUpAsync(Request(2));
        Assert.Equal([PointState.Vaulted, PointState.Vaulted], (await ListAsync()).Select(each => each.State));
    }

    [Fact]
    public async Task A_backup_that_is_stopped_leaves_no_point_and_no_snapshot()
    {
        FolderVault vault = await BeginAsync();
        new SourceTreeBuilder(Disk).File("a", 100);
        using var stop = new CancellationTokenSource();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => vault.BackUpAsync(Request(2, stop.Cancel), stop.Token));

        Assert.Empty(await ListAsync());
        Assert.Empty(Directory.GetFileSystemEntries(Copies));
        Assert.Empty(Directory.GetFileSystemEntries(Records));
    }

    [Fact]
    public async Task While_a_backup_is_at_work_its_point_is_on_the_way_and_can_be_restored()
    {
        FolderVault vault = await BeginAsync();
        new SourceTreeBuilder(Disk).File("a", 100);
        var entered = new TaskCompletionSource();
        using var goOn = new ManualResetEventSlim();
        var monitor = new JobMonitor
        {
            PhaseEntered = phase =>
            {
                if (phase == JobPhase.Committing)
                {
                    entered.TrySetResult();
                    goOn.Wait(Cancel);
                }
            },
        };

        Task backup = Task.Run(async () => await (await vault.OpenAsync()).BackUpAsync(Request(1), monitor, Cancel), Cancel);
        await entered.Task.WaitAsync(Cancel);
        LocalPoint point = Assert.Single(await ListAsync());
        await RestoreAsync(point);
        goOn.Set();
        await backup;

        Assert.Equal(PointState.Uploading, point.State);
        Assert.Empty(TreeComparer.Compare(Disk, Target + Disk));
        Assert.Equal(PointState.Vaulted, Assert.Single(await ListAsync()).State);
    }

    // Whenever it is killed: what the second file does not say stays is a left-over, and what it says is none.
    [Fact]
    public async Task A_killed_backup_leaves_what_the_next_one_removes()
    {
        FolderVault vault = await BeginAsync();
        new SourceTreeBuilder(Disk).File("a", 100);
        await vault.BackUpAsync(Request(1));
        LocalPoint kept = Assert.Single(await ListAsync());
        LocalPointFile.Write(kept.Record, kept.Written with { Stays = false });
        Assert.Empty(await ListAsync());
        Assert.Single(Directory.GetDirectories(Copies));

        await vault.BackUpAsync(Request(null));

        Assert.Contains(vault.Notes, note => note.Contains("interrupted", StringComparison.Ordinal));
        Assert.Empty(Directory.GetDirectories(Copies));
        Assert.Empty(Directory.GetFileSystemEntries(Records));
    }

    [Fact]
    public async Task What_a_later_version_wrote_down_is_left_alone()
    {
        FolderVault vault = await BeginAsync();
        new SourceTreeBuilder(Disk).File("a", 100);
        await vault.BackUpAsync(Request(1));
        LocalPoint kept = Assert.Single(await ListAsync());
        LocalPointFile.Write(kept.Record, kept.Written with { Version = 2, Stays = false });

        await vault.BackUpAsync(Request(0));

        Assert.Empty(await ListAsync());
        Assert.Single(Directory.GetDirectories(Copies));
    }

    [Fact]
    public async Task What_somebody_else_removed_or_replaced_is_forgotten_and_not_touched()
    {
        FolderVault vault = await BeginAsync();
        new SourceTreeBuilder(Disk).File("a", 100);
        for (int i = 0; i < 2; i++)
        {
            await vault.BackUpAsync(Request(2));
        }

        string[] copies = Directory.GetDirectories(Copies);
        Directory.Delete(copies[0], recursive: true);
        await File.WriteAllTextAsync(Path.Combine(copies[1], ".id"), "another's", Cancel);
        Assert.Empty(await ListAsync());

        await vault.BackUpAsync(Request(2));

        Assert.Single(await ListAsync());
        Assert.Equal(2, Directory.GetDirectories(Copies).Length);
        Assert.True(Directory.Exists(copies[1]));
        Assert.DoesNotContain(vault.Notes, note => note.Contains("still there", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_cannot_be_removed_keeps_no_other_and_is_tried_again()
    {
        FolderVault vault = await BeginAsync();
        new SourceTreeBuilder(Disk).File("a", 100);
        for (int i = 0; i < 3; i++)
        {
            await vault.BackUpAsync(Request(3));
        }

        string stuck = Path.GetFileName(Directory.GetDirectories(Copies)[0]);
        var maker = new CopyMaker(Copies) { Stuck = stuck };
        await vault.BackUpAsync(Request(0) with { SnapshotKit = KitOf(maker) });
        Assert.Equal([stuck], Directory.GetDirectories(Copies).Select(Path.GetFileName));
        Assert.Contains(vault.Notes, note => note.Contains("it is busy", StringComparison.Ordinal));

        await vault.BackUpAsync(Request(null));
        Assert.Empty(Directory.GetDirectories(Copies));
    }

    [Fact]
    public async Task On_a_volume_that_is_full_what_the_vault_has_gives_way_and_nothing_else()
    {
        FolderVault vault = await BeginAsync();
        new SourceTreeBuilder(Disk).File("a", 100).File("b", 3 << 20);
        await Assert.ThrowsAsync<BackupException>(() => vault.BackUpAsync(Request(5, () => Directory.Move(vault.Folder, _folder["away"]))));
        Directory.Move(_folder["away"], vault.Folder);
        await vault.BackUpAsync(Request(5));

        await vault.BackUpAsync(Request(5) with { SnapshotKit = KitOf(new CopyMaker(Copies), free: 0.01) });

        Assert.Equal(PointState.Local, Assert.Single(await ListAsync()).State);
        Assert.Contains(vault.Notes, note => note.Contains("twentieth", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Conflicts_are_decided_as_in_a_restore_from_the_vault()
    {
        FolderVault vault = await BeginAsync();
        new SourceTreeBuilder(Disk).File("a", 100).File("b", 200).File("c", 300);
        await vault.BackUpAsync(Request(1));
        LocalPoint point = Assert.Single(await ListAsync());
        await RestoreAsync(point);
        await File.WriteAllBytesAsync(Target + Disk + "/b", new byte[200], Cancel);
        File.Delete(Target + Disk + "/c");

        RestoreResult skip = await RestoreAsync(point);
        RestoreResult copy = await RestoreAsync(point, RestoreConflict.Copy);
        Assert.Equal((1, 1, 1), (skip.Files, skip.AlreadyThere, skip.Skipped));
        Assert.Equal((1, 2, 0), (copy.Files, copy.AlreadyThere, copy.Skipped));
        Assert.Equal(["a", "b", "b (restored)", "c"], Directory.GetFiles(Target + Disk).Select(Path.GetFileName).Order(StringComparer.Ordinal));

        File.Delete(Target + Disk + "/b (restored)");
        RestoreResult overwrite = await RestoreAsync(point, RestoreConflict.Overwrite);
        Assert.Equal((1, 2, 0), (overwrite.Files, overwrite.AlreadyThere, overwrite.Skipped));
        Assert.Empty(TreeComparer.Compare(Disk, Target + Disk));
    }

    [Fact]
    public async Task Parts_are_restored_by_their_paths_and_what_was_left_out_is_not_there()
    {
        FolderVault vault = await BeginAsync();
        new SourceTreeBuilder(Disk).File("one/two/a", 10).File("one/two/b", 20).File("one/c", 30).File("left-out/no", 5);
        await vault.BackUpAsync(Request(1));
        LocalPoint point = Assert.Single(await ListAsync());

        RestoreResult result = await RestoreAsync(point, paths: [Disk + "/one/two", Disk + "/one/c"]);
        BackupException leftOut = await Assert.ThrowsAsync<BackupException>(() => RestoreAsync(point, paths: [Disk + "/left-out/no"]));
        BackupException unknown = await Assert.ThrowsAsync<BackupException>(() => RestoreAsync(point, paths: [Disk + "/nothing"]));

        Assert.Equal(3, result.Files);
        Assert.Equal(["a", "b", "c"], Directory.EnumerateFiles(Target, "*", SearchOption.AllDirectories).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal((BackupErrorId.RecoverableItemNotFound, BackupErrorId.RecoverableItemNotFound), (leftOut.Id, unknown.Id));
    }

    [Fact]
    public async Task The_vault_within_the_source_is_not_restored_though_it_is_in_the_snapshot()
    {
        Directory.CreateDirectory(Disk);
        FolderVault vault = await FolderVault.CreateAsync(_folder["disk", "vault"]);
        new SourceTreeBuilder(Disk).File("a", 10);
        await vault.BackUpAsync(Request(1));
        Directory.Move(vault.Folder, _folder["away"]);

        await RestoreAsync(Assert.Single(await ListAsync()));

        Assert.Equal(["a"], Directory.EnumerateFiles(Target, "*", SearchOption.AllDirectories).Select(Path.GetFileName));
    }

    [Fact]
    public async Task What_is_in_no_snapshot_is_named_and_what_cannot_be_read_any_more_is_an_error()
    {
        FolderVault vault = await BeginAsync();
        new SourceTreeBuilder(Disk).File("a", 10);
        new SourceTreeBuilder(_folder["plain"]).File("b", 10);
        await vault.BackUpAsync(Request(1) with
        {
            Sources = [new BackupSource.Tree(Disk, SourceSelection.Everything), new BackupSource.Tree(_folder["plain"], SourceSelection.Everything)],
        });
        LocalPoint point = Assert.Single(await ListAsync());
        Assert.Equal([_folder["plain"]], point.Missing);
        Assert.Equal(1, (await RestoreAsync(point)).Skipped);

        foreach (string copy in Directory.GetDirectories(Copies))
        {
            Directory.Delete(copy, recursive: true);
        }

        BackupException gone = await Assert.ThrowsAsync<BackupException>(() => RestoreAsync(point));
        Assert.Equal(BackupErrorId.SnapshotUnavailable, gone.Id);
    }

    [Fact]
    public async Task Snapshots_of_a_kind_that_cannot_stay_do_not()
    {
        FolderVault vault = await BeginAsync();
        new SourceTreeBuilder(Disk).File("a", 10);

        await vault.BackUpAsync(Request(1) with { SnapshotKit = KitOf(new CopyMaker(Copies) { WhyNotStaying = "They fill up." }) });

        Assert.Empty(await ListAsync());
        Assert.Empty(Directory.GetDirectories(Copies));
        Assert.Empty(Directory.GetFileSystemEntries(Records));
        Assert.Contains("They fill up.", vault.Notes);
    }

    [Fact]
    public async Task They_are_removed_by_hand_but_for_those_that_are_read()
    {
        FolderVault vault = await BeginAsync();
        new SourceTreeBuilder(Disk).File("a", 10);
        await vault.BackUpAsync(Request(2));
        await vault.BackUpAsync(Request(2));
        IReadOnlyList<LocalPoint> points = await ListAsync();
        var notes = new List<string>();

        using (SnapshotRecord.TryShare(points[0].Record))
        {
            Assert.Equal(1, await LocalPoints.RemoveAsync(KitOf(new CopyMaker(Copies)), Records, static _ => true, notes.Add, Cancel));
        }

        Assert.Contains("in use", Assert.Single(notes), StringComparison.Ordinal);
        Assert.Equal(points[0].Id, Assert.Single(await ListAsync()).Id);
        Assert.Equal(1, await LocalPoints.RemoveAsync(KitOf(new CopyMaker(Copies)), Records, static _ => true, notes.Add, Cancel));
        Assert.Empty(Directory.GetFileSystemEntries(Records));
    }

    private async Task<FolderVault> BeginAsync()
    {
        Directory.CreateDirectory(Disk);
        return await FolderVault.CreateAsync(_folder["vault"]);
    }

    private Task<IReadOnlyList<LocalPoint>> ListAsync() => LocalPoints.ListAsync(KitOf(new CopyMaker(Copies)), Records, Cancel);

    private Task<RestoreResult> RestoreAsync(LocalPoint point, RestoreConflict conflict = RestoreConflict.Skip, params string[] paths) => LocalRestore.RestoreAsync(
        KitOf(new CopyMaker(Copies)),
        point,
        new RestoreRequest { Point = point.Point, TargetFolder = Target, Conflict = conflict, Paths = paths, Verify = true },
        new JobMonitor(),
        new VaultOptions(),
        Cancel);

    private BackupRequest Request(int? keep, Action? then = null, string series = "") => new()
    {
        MachineName = "m",
        Sources = [new BackupSource.Tree(Disk, new SourceSelection { Exclude = ["left-out"] })],
        Snapshots = new SnapshotOptions(SnapshotMode.Auto, Records) { Keep = keep, Series = series },

        // A file system in memory stands for any other.
        Rules = SourceRules.Open with { Allowed = [SourceKind.Memory] },
        SnapshotKit = KitOf(new CopyMaker(Copies) { Then = then }),
    };

    private SnapshotKit KitOf(CopyMaker maker, double free = 1) => new(
        [maker],
        (path, _) =>
        {
            var volume = new SnapshotVolume { Path = Encoding.UTF8.GetBytes(path), FileSystem = path == Disk ? "copied" : "other", Device = "none", Identity = path };
            return new SourceVolumes(volume.Path, new VolumePart(EntryPath.Root, volume, null), []);
        })
    {
        FreeShareOf = _ => free,
    };

    // A snapshot is a copy beside; the backup, for which it must be the same folder, reads in place.
    private sealed class CopyMaker(string copies) : ISnapshotMaker
    {
        public Action? Then { get; init; }

        public string? Stuck { get; init; }

        public string? WhyNotStaying { get; init; }

        public string Kind => "Copy";

        public ConsistencyLevel Level => ConsistencyLevel.Crash;

        public bool IsOf(SnapshotVolume volume) => volume.FileSystem == "copied";

        public Task<string?> FindObstacleAsync(SnapshotVolume volume, CancellationToken cancellationToken) => Task.FromResult<string?>(null);

        public SnapshotMark Mark(SnapshotVolume volume, string id, string folder) => new(Kind, EntryName.Escape(volume.Path), volume.Identity, id);

        public async Task TakeAsync(IReadOnlyList<WantedSnapshot> snapshots, CancellationToken cancellationToken)
        {
            foreach (WantedSnapshot snapshot in snapshots)
            {
                string place = Path.Combine(copies, snapshot.Mark.Name);
                Directory.CreateDirectory(place);
                Shell.RunChecked("cp", "-a", Encoding.UTF8.GetString(snapshot.Volume.Path), Path.Combine(place, "tree"));
                await File.WriteAllTextAsync(Path.Combine(place, ".id"), snapshot.Mark.Name, cancellationToken);
                snapshot.Succeed(snapshot.Volume.Path);
            }

            Then?.Invoke();
        }

        public async Task<FoundSnapshot> FindAsync(SnapshotMark mark, CancellationToken cancellationToken)
        {
            string place = Path.Combine(copies, mark.Name);
            string? id = File.Exists(Path.Combine(place, ".id")) ? await File.ReadAllTextAsync(Path.Combine(place, ".id"), cancellationToken) : null;
            return id is not null && (mark.Uuid is null || mark.Uuid == id)
                ? new FoundSnapshot(Encoding.UTF8.GetBytes(Path.Combine(place, "tree")), id, null)
                : new FoundSnapshot(null, null, $"'{mark.Name}' is gone.") { IsGone = true };
        }

        public Task<string?> RemoveAsync(SnapshotMark mark)
        {
            if (mark.Name == Stuck)
            {
                return Task.FromResult<string?>("it is busy");
            }

            if (Directory.Exists(Path.Combine(copies, mark.Name)))
            {
                Directory.Delete(Path.Combine(copies, mark.Name), recursive: true);
            }

            return Task.FromResult<string?>(null);
        }
    }
}
