using System.Diagnostics;
using System.Globalization;
using MSOnlineBackup.Engine.Tests.Backup;
using MSOnlineBackup.Engine.Views;
using MSOnlineBackup.Mounts.Fuse;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Backup.BackupFixture;

namespace MSOnlineBackup.Engine.Tests.Mounts;

/// <summary>A recovery point that is mounted, by the kernel's own FUSE.</summary>
public sealed class FuseMountTests : IDisposable
{
    private readonly BackupFixture _backups = new();
    private readonly TempFolder _folder = new();
    private readonly List<string> _troubles = [];

    public static bool CanMount => FuseMount.IsAvailable && Environment.IsPrivilegedProcess;

    public void Dispose()
    {
        MountFolder.Clean(_folder["mounted"]);
        _folder.Dispose();
        _backups.Dispose();
    }

    [Theory(SkipUnless = nameof(CanMount), Skip = "Mounting takes /dev/fuse, and root.")]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_mounted_tree_is_the_tree_that_was_backed_up(int seed)
    {
        _backups.Tree.Populate(seed, items: 300)
            .Sparse("sparse", 40L << 20, (1 << 20, 5000), (30 << 20, 2 << 20))
            .File("hard", 5000).HardLink("linked", "hard")
            .Pipe("pipe").Device("device", UnixFileKind.CharacterDevice, 1, 300)
            .Attribute("hard", "user.note", [1, 0, 2]).Mode("hard", 0b101_000_001).Owner("linked", 1234, 4321);
        await using FuseMount mount = await MountAsync();

        Assert.Equal([], TreeComparer.Compare(_backups.Root, mount.Folder + _backups.Root));
        Assert.Empty(_troubles);
    }

    [Fact(SkipUnless = nameof(CanMount), Skip = "Mounting takes /dev/fuse, and root.")]
    public async Task A_folder_of_thousands_is_listed_whole()
    {
        foreach (int i in Enumerable.Range(0, 5000))
        {
            _backups.Tree.File($"many/a file with a name of some length {i:D6}", i % 50);
        }

        await using FuseMount mount = await MountAsync();

        Assert.Equal(5000, Directory.EnumerateFiles(mount.Folder + _backups.Root + "/many").Distinct().Count());
        Assert.Equal("5002", Shell.RunChecked("sh", "-c", $"ls -a '{mount.Folder}{_backups.Root}/many' | wc -l").Trim());
    }

    [Fact(SkipUnless = nameof(CanMount), Skip = "Mounting takes /dev/fuse, and root.")]
    public async Task It_is_only_read_and_seen_by_nobody_else_and_stays_under_whoever_is_in_it()
    {
        _backups.Tree.File("file", 1000);
        await using FuseMount mount = await MountAsync();
        string file = $"{mount.Folder}{_backups.Root}/file";

        Assert.Contains("Read-only", Shell.Run("touch", file + "2").Output, StringComparison.Ordinal);
        Assert.Contains("Read-only", Shell.Run("rm", file).Output, StringComparison.Ordinal);
        Assert.Contains("denied", Shell.Run("setpriv", "--reuid=65534", "--clear-groups", "ls", mount.Folder).Output, StringComparison.Ordinal);
        BackupException twice = Assert.Throws<BackupException>(() => Start(new DamagedListing(null!), mount.Folder));
        Assert.Equal(BackupErrorId.MountFolderInvalid, twice.Id);
        using (File.OpenRead(file))
        {
            BackupException busy = await Assert.ThrowsAsync<BackupException>(() => mount.StopAsync(force: false));
            Assert.Equal(BackupErrorId.MountBusy, busy.Id);
            Assert.Contains($"({Environment.ProcessId})", busy.Message, StringComparison.Ordinal);
            Assert.False(mount.Ended.IsCompleted);
        }

        await mount.StopAsync(force: false);
        Assert.True(mount.Ended.IsCompleted);
        Assert.Empty(Directory.EnumerateFileSystemEntries(mount.Folder));
    }

    [Fact(SkipUnless = nameof(CanMount), Skip = "Mounting takes /dev/fuse, and root.")]
    public async Task A_copy_of_it_in_another_namespace_does_not_keep_it_up()
    {
        _backups.Tree.File("file", 1000);
        await using FuseMount mount = await MountAsync();
        using var elsewhere = Process.Start(new ProcessStartInfo("unshare", ["--mount", "sh", "-c", "echo; exec sleep 600"]) { RedirectStandardOutput = true })!;
        await elsewhere.StandardOutput.ReadLineAsync(Cancel);
        try
        {
            await mount.StopAsync(force: false);

            Assert.False(MountFolder.IsMounted(mount.Folder));
            Assert.False(mount.Ended.IsCompleted);
        }
        finally
        {
            elsewhere.Kill();
        }

        await mount.Ended.WaitAsync(TimeSpan.FromSeconds(30), Cancel);
    }

    [Fact(SkipUnless = nameof(CanMount), Skip = "Mounting takes /dev/fuse, and root.")]
    public async Task Somebody_else_may_take_it_off()
    {
        _backups.Tree.File("file", 1000);
        await using FuseMount mount = await MountAsync();

        Shell.RunChecked("umount", mount.Folder);

        await mount.Ended.WaitAsync(TimeSpan.FromSeconds(30), Cancel);
    }

    [Fact(SkipUnless = nameof(CanMount), Skip = "Mounting takes /dev/fuse, and root.")]
    public async Task What_is_damaged_is_an_error_where_it_is_read_and_is_told()
    {
        _backups.Tree.File("good", 100_000, seed: 1);
        await _backups.BackUpAsync();
        string[] before = [.. _backups.Packs];
        _backups.Tree.File("bad", 3_000_000, seed: 2);
        await _backups.BackUpAsync();
        string pack = _backups.Packs.Except(before).MaxBy(name => _backups.Objects.GetContent(name).Length)!;
        _backups.Objects.Damage(pack, bytes => [.. bytes[..1000], .. new byte[bytes.Length - 1000]]);
        await using FuseMount mount = await MountAsync(backsUp: false);
        string root = mount.Folder + _backups.Root;

        Assert.Contains("Input/output error", Shell.Run("cat", root + "/bad").Output, StringComparison.Ordinal);
        Assert.Equal(await File.ReadAllBytesAsync(_backups.Root + "/good", Cancel), await File.ReadAllBytesAsync(root + "/good", Cancel));
        Assert.Contains(_backups.Root + "/bad", _troubles);
    }

    [Fact(SkipUnless = nameof(CanMount), Skip = "Mounting takes /dev/fuse, and root.")]
    public async Task A_folder_whose_list_is_damaged_shows_what_can_be_read_and_then_an_error()
    {
        foreach (int i in Enumerable.Range(0, 3000))
        {
            _backups.Tree.File($"{i % 3}/a file with a name of some length {i:D6}", 10);
        }

        RecoveryPoint point = (await _backups.BackUpAsync()).Point;
        using UnlockedVault vault = await _backups.OpenAsync();
        using IItemView view = await (await vault.IndexAsync(Cancel)).OpenViewAsync(point, new ViewOptions(), Cancel);
        var damaging = new DamagedListing(view);
        await using FuseMount mount = Start(damaging, _folder["mounted"]);

        (int exitCode, string output) = Shell.Run("ls", mount.Folder + _backups.Root + "/1");

        Assert.NotEqual(0, exitCode);
        Assert.Contains("Input/output error", output, StringComparison.Ordinal);
        Assert.Equal(1000, output.Split('\n').Count(line => line.StartsWith("a file", StringComparison.Ordinal)));
        Assert.NotEmpty(_troubles);
    }

    [Fact(SkipUnless = nameof(CanMount), Skip = "Mounting takes /dev/fuse, and root.")]
    public async Task A_layer_takes_what_is_written_and_goes_with_it()
    {
        _backups.Tree.File("file", "before"u8).File("other", 10);
        await _backups.BackUpAsync();
        using UnlockedVault vault = await _backups.OpenAsync();
        using IItemView view = await (await vault.IndexAsync(Cancel)).OpenViewAsync(await vault.GetPointAsync("latest", null, Cancel), new ViewOptions(), Cancel);
        string layer = _folder["layer"];
        string folder = _folder["mounted"];
        MountLayer writable = MountLayer.Prepare(layer, folder);
        await using (FuseMount mount = Start(view, writable.Below))
        {
            writable.Lay();
            await File.WriteAllTextAsync($"{folder}{_backups.Root}/file", "after", Cancel);
            File.Delete($"{folder}{_backups.Root}/other");
            Assert.Equal("after", await File.ReadAllTextAsync($"{folder}{_backups.Root}/file", Cancel));
            Assert.True(File.Exists($"{writable.Below}{_backups.Root}/other"));
            await writable.LiftAsync(force: false, TimeProvider.System);
            await mount.StopAsync(force: true);
        }

        MountLayer.Clean(layer);
        Assert.False(Directory.Exists(layer));
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder));
    }

    private FuseMount Start(IItemView view, string folder) => FuseMount.Start(view, folder, new FuseOptions { Threads = 3 }, TimeProvider.System, (path, _) =>
    {
        lock (_troubles)
        {
            _troubles.Add(path);
        }
    });

    private async Task<FuseMount> MountAsync(bool backsUp = true)
    {
        if (backsUp)
        {
            await _backups.BackUpAsync();
        }

        UnlockedVault vault = await _backups.OpenAsync();
        return Start(await (await vault.IndexAsync(Cancel)).OpenViewAsync(await vault.GetPointAsync("latest", null, Cancel), new ViewOptions(), Cancel), _folder["mounted"]);
    }

    /// <summary>A view in whose folders something could not be read.</summary>
    private sealed class DamagedListing(IItemView view) : IItemView
    {
        public ViewItem Root => view.Root;

        public void Dispose()
        {
        }

        public ValueTask<ViewItem> GetAsync(ulong id, CancellationToken cancellationToken) => view.GetAsync(id, cancellationToken);

        public ValueTask<ViewItem?> FindAsync(ulong folder, ReadOnlyMemory<byte> name, CancellationToken cancellationToken) => view.FindAsync(folder, name, cancellationToken);

        public async ValueTask<ViewPage> ListAsync(ulong folder, ulong after, int most, CancellationToken cancellationToken)
        {
            ViewPage page = await view.ListAsync(folder, after, most, cancellationToken);
            return after == 0 ? page with { Damage = new BackupException(BackupErrorId.VaultDataCorrupt, "Damaged.", "None: a test.", after.ToString(CultureInfo.InvariantCulture)) } : page;
        }

        public ValueTask<int> ReadAsync(ulong id, long offset, Memory<byte> destination, CancellationToken cancellationToken) => view.ReadAsync(id, offset, destination, cancellationToken);

        public ValueTask<ViewExtent> MeasureAsync(ulong id, long offset, long most, CancellationToken cancellationToken) => view.MeasureAsync(id, offset, most, cancellationToken);

        public ValueTask<long?> SeekAsync(ulong id, long offset, bool isHole, CancellationToken cancellationToken) => view.SeekAsync(id, offset, isHole, cancellationToken);

        public TimeSpan Lasts(ulong folder) => view.Lasts(folder);
    }
}
