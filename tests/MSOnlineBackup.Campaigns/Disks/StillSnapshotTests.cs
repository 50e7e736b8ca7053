using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Snapshots;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Campaigns.Disks;

/// <summary>
/// Snapshots of what lies below a file system, between scripts: it is held still while they are made, and only then, and only where the scripts' file says so.
/// </summary>
public sealed class StillSnapshotTests : IDisposable
{
    private static readonly string[] _names = ["a", "b"];

    private readonly TempFolder _folder = new();
    private MountedFileSystem? _mount;

    public static TheoryData<string> Kinds => ["ext4", "xfs"];

    private string Disk => _folder["disk"];

    private string Image => _folder["image"];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        Shell.Run("umount", "-l", _folder["copy"]);
        _mount?.Dispose();
        _folder.Dispose();
    }

    // Two files are written one after the other, and nothing is synced.
    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_file_system_that_is_held_still_is_kept_in_order(string kind)
    {
        ScriptFolder scripts = Begin(kind);
        FolderVault vault = await FolderVault.CreateAsync(_folder["vault"]);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        long count = 0;
        Task writing = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                Interlocked.Increment(ref count);
                foreach (string name in _names)
                {
                    using FileStream file = new(Disk + "/" + name, FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
                    file.Write(BitConverter.GetBytes(count));
                }
            }
        }, Cancel);
        while (Interlocked.Read(ref count) < 1000)
        {
            await Task.Delay(5, Cancel);
        }

        var maker = new ImageMaker(Image, _folder["copy"], Disk);
        BackupResult backup = await vault.BackUpAsync(Request(maker, scripts));
        await stop.CancelAsync();
        await writing;

        Assert.True(maker.WasFrozen);
        Assert.Empty(vault.Warnings);
        Assert.Equal((ConsistencyLevel.Application, "Image"), (backup.Point.Consistency!.Level, backup.Point.Consistency.Snapshot));
        await vault.RestoreAsync(backup.Point, _folder["target"]);
        (long first, long second) = (Read("a"), Read("b"));
        Assert.True(first >= 1000, "What was written by then is missing.");
        Assert.InRange(first - second, 0, 1);
        Assert.Equal(["pre", "post"], scripts.ReadLog());

        long Read(string name) => BitConverter.ToInt64(File.ReadAllBytes(_folder["target"] + Disk + "/" + name));
    }

    [Fact]
    public async Task It_is_not_held_where_the_file_says_so_and_then_a_failed_script_leaves_what_the_snapshot_promises()
    {
        ScriptFolder scripts = Begin("ext4");
        scripts.Set("fsFreezeEnabled", false);
        scripts.Write("pre.sh", "exit 1");
        FolderVault vault = await FolderVault.CreateAsync(_folder["vault"]);
        Shell.RunChecked("sync", "-f", Disk);
        var maker = new ImageMaker(Image, _folder["copy"], Disk);
        BackupResult loose = await vault.BackUpAsync(Request(maker, scripts));
        Assert.False(maker.WasFrozen);
        Assert.Equal(ConsistencyLevel.Crash, loose.Point.Consistency!.Level);

        scripts.Set("fsFreezeEnabled", true);
        maker = new ImageMaker(Image, _folder["copy"], Disk);
        BackupResult still = await vault.BackUpAsync(Request(maker, scripts));
        Assert.True(maker.WasFrozen);
        Assert.Equal(ConsistencyLevel.FileSystem, still.Point.Consistency!.Level);
    }

    private ScriptFolder Begin(string kind)
    {
        Assert.SkipUnless(Shell.IsLinuxRoot && MountedFileSystem.CanMake(kind), $"Needs root, mkfs.{kind}, and a kernel that mounts it.");
        _mount = MountedFileSystem.InImage(Image, Disk, kind);
        Directory.CreateDirectory(_folder["copy"]);
        return new ScriptFolder(_folder["scripts"]);
    }

    private BackupRequest Request(ImageMaker maker, ScriptFolder scripts) => new()
    {
        MachineName = "m",
        Sources = [new BackupSource.Tree(Disk, SourceSelection.Everything)],
        Snapshots = new SnapshotOptions(SnapshotMode.Require, _folder["records"]),
        ScriptFile = scripts.File,
        SnapshotKit = new SnapshotKit([maker], (path, selection) => SnapshotKit.ForThisSystem().FindVolumes(path, selection)),
    };

    // Copies the image that the file system lies in, while somebody tries to write.
    private sealed class ImageMaker(string image, string copy, string disk) : ISnapshotMaker
    {
        public bool WasFrozen { get; private set; }

        public string Kind => "Image";

        public ConsistencyLevel Level => ConsistencyLevel.Crash;

        public bool NeedsStillness => true;

        public bool IsOf(SnapshotVolume volume) => true;

        public Task<string?> FindObstacleAsync(SnapshotVolume volume, CancellationToken cancellationToken) => Task.FromResult<string?>(null);

        public SnapshotMark Mark(SnapshotVolume volume, string id, string folder) => new(Kind, EntryName.Escape(volume.Path), volume.Identity, id);

        public Task TakeAsync(IReadOnlyList<WantedSnapshot> snapshots, CancellationToken cancellationToken)
        {
            // One that is frozen cannot be frozen again.
            WasFrozen = Shell.Run("fsfreeze", "--freeze", disk).ExitCode != 0;
            if (!WasFrozen)
            {
                Shell.RunChecked("fsfreeze", "--unfreeze", disk);
            }

            Shell.RunChecked("cp", "--sparse=always", image, image + ".copy");

            // As it is, without the log: what was held still needs none.
            string options = Shell.RunChecked("stat", "-f", "-c", "%T", disk).StartsWith("xfs", StringComparison.Ordinal) ? "norecovery,nouuid" : "noload";
            Shell.RunChecked("mount", "-o", "loop,ro," + options, image + ".copy", copy);
            Assert.Single(snapshots).Succeed(System.Text.Encoding.UTF8.GetBytes(copy));
            return Task.CompletedTask;
        }

        public Task<string?> RemoveAsync(SnapshotMark mark)
        {
            Shell.Run("umount", copy);
            return Task.FromResult<string?>(null);
        }
    }
}
