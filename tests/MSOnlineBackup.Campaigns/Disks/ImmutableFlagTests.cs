using System.Text.Json;
using MSOnlineBackup.Engine;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Repair;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Campaigns.Disks;

/// <summary>A vault that is immutable, on file systems that have flags for it: what root may not do to it, and what maintenance does all the same.</summary>
public sealed class ImmutableFlagTests : IDisposable
{
    private static readonly VaultOptions _options = new() { KeyDerivationIterations = 1000, Workers = 2 };

    private readonly Obengine _obengine = new();
    private readonly KeptOwner _owner = new();
    private string _passphrase = Obengine.Passphrase;
    private MountedFileSystem? _mount;

    public static TheoryData<string> Kinds => ["ext4", "xfs", "btrfs"];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string Folder => _obengine.Vault;

    private string Source => _obengine.Source;

    private IEnumerable<string> Objects => Directory.EnumerateFiles(Folder, "*", SearchOption.AllDirectories).Where(file => !file.Contains("/.tmp/", StringComparison.Ordinal));

    public void Dispose()
    {
        _mount?.Dispose();
        _obengine.Dispose();
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Root_cannot_harm_what_is_locked_and_the_vault_works_as_before(string kind)
    {
        await MakeAsync(kind);
        new SourceTreeBuilder(Source).Populate(seed: 1, items: 20, largestFile: 100_000);
        RecoveryPoint first = await BackUpAsync();
        Assert.Equal(0, (await MaintainAsync()).Locks.Changed);
        await SetAsync(VaultImmutability.On);

        MaintenanceReport report = await MaintainAsync();

        Assert.Null(report.Locks.Obstacle);
        Assert.NotEqual(0, report.Locks.Changed);
        Assert.Equal(Objects.Where(IsToBeLocked).Order(), Objects.Where(IsFlagged).Order());
        Assert.Equal(0, (await MaintainAsync()).Locks.Changed);
        AssertNothingCanBeHarmed();

        // A machine adds as before, and what it adds cannot be taken out of its folder, locked or not yet.
        new SourceTreeBuilder(Source).File("more", 300_000, seed: 2);
        RecoveryPoint second = await BackUpAsync();
        string added = Objects.Single(file => file.EndsWith($"/{second.SessionId}", StringComparison.Ordinal) && file.Contains("/points/", StringComparison.Ordinal));
        Assert.False(IsFlagged(added));
        Assert.NotEqual(0, Shell.Run("rm", "-f", added).ExitCode);
        await MaintainAsync();
        Assert.True(IsFlagged(added));
        await CheckAsync(first, second);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task What_may_go_goes_wherever_the_run_before_was_killed(string kind)
    {
        await MakeAsync(kind);
        var tree = new SourceTreeBuilder(Source).File("large", 3 << 20, seed: 1);
        RecoveryPoint first = await BackUpAsync();
        tree.Delete("large").File("other", 2 << 20, seed: 2);
        RecoveryPoint second = await BackUpAsync();
        MakeOld(first);
        await SetAsync(VaultImmutability.On);
        await MaintainAsync();
        string[] before = [.. Objects.Where(file => file.Contains("/packs/", StringComparison.Ordinal))];
        await (await OpenedVault.OpenAsync(new FolderVaultStore(Folder), _passphrase, Stop)).EndAsync(first, Stop);

        // Killed after a pack's flag was cleared, and its folder's, and before it was deleted.
        Shell.RunChecked("chattr", "-a", Path.GetDirectoryName(before[0])!);
        Shell.RunChecked("chattr", "-i", before[0]);
        MaintenanceReport report = await MaintainAsync(new MaintenanceRequest { ShutOutAfter = TimeSpan.Zero });

        Assert.NotEqual(0, report.Packs.Deleted);
        Assert.Empty(report.Locks.Kept);
        Assert.DoesNotContain(Objects, file => file.EndsWith($"/{first.SessionId}", StringComparison.Ordinal) && file.Contains("/points/", StringComparison.Ordinal));
        Assert.Equal(Objects.Where(IsToBeLocked).Order(), Objects.Where(IsFlagged).Order());
        AssertNothingCanBeHarmed();
        IReadOnlyList<string> untidy = await (await OpenedVault.OpenAsync(new FolderVaultStore(Folder), _passphrase, Stop)).FindUntidyAsync(Stop);
        Assert.True(untidy.Count == 0, string.Join('\n', untidy));
        await CheckAsync(second);
    }

    [Fact]
    public async Task Maintenance_that_is_killed_at_any_moment_is_followed_by_one_that_goes_on()
    {
        await MakeAsync("ext4");
        var tree = new SourceTreeBuilder(Source);
        RecoveryPoint? last = null;
        await SetAsync(VaultImmutability.On);
        var random = new Random(20261129);
        int killed = 0;
        for (int round = 0; killed < Testing.Campaign.Rounds(usual: 2, full: 40); round++)
        {
            Assert.True(round < 400, $"Of {round} maintenances only {killed} could be killed.");
            tree.File("large", 2 << 20, seed: round).File($"f{round % 5}", 300_000, seed: round);
            RecoveryPoint point = await BackUpAsync();
            if (last is not null)
            {
                MakeOld(last);
                await (await OpenedVault.OpenAsync(new FolderVaultStore(Folder), _passphrase, Stop)).EndAsync(last, Stop);
            }

            last = point;
            using System.Diagnostics.Process process = _obengine.StartOnVault("maintain", "--max-unused", "0", "--shut-out-after", "0s", "--quiet");
            Task<Run> running = Obengine.FinishAsync(process);
            await Task.WhenAny(running, Task.Delay(random.Next(300, 1500), Stop));
            killed += process.HasExited ? 0 : 1;
            Shell.Run("kill", "-KILL", $"{process.Id}");
            await running;
            await CheckAsync(point);
        }

        await MaintainAsync(new MaintenanceRequest { ShutOutAfter = TimeSpan.Zero });
        MaintenanceReport report = await MaintainAsync(new MaintenanceRequest { ShutOutAfter = TimeSpan.Zero });
        Assert.Empty(report.Locks.Kept);
        Assert.Equal(Objects.Where(IsToBeLocked).Order(), Objects.Where(IsFlagged).Order());
        IReadOnlyList<string> untidy = await (await OpenedVault.OpenAsync(new FolderVaultStore(Folder), _passphrase, Stop)).FindUntidyAsync(Stop);
        Assert.True(untidy.Count == 0, string.Join('\n', untidy));
        await CheckAsync(last!);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task It_is_repaired_its_points_are_undeleted_its_keys_change_and_it_is_unlocked_again(string kind)
    {
        await MakeAsync(kind);
        new SourceTreeBuilder(Source).Populate(seed: 3, items: 20, largestFile: 100_000);
        RecoveryPoint first = await BackUpAsync();
        new SourceTreeBuilder(Source).File("more", 300_000, seed: 2);
        RecoveryPoint second = await BackUpAsync();
        MakeOld(first);
        await SetAsync(VaultImmutability.On);
        await MaintainAsync();

        // Undelete.
        using (UnlockedVault vault = await OpenAsync())
        {
            await vault.Deletions.DeleteAsync(first, "a test", Stop);
            await vault.Deletions.RestoreAsync(first.SessionId.ToString(), null, Stop);
        }

        // Repair of a segment and of a pack that somebody with the right to has damaged.
        string segment = Objects.First(file => file.Contains("/index/", StringComparison.Ordinal));
        string pack = Objects.First(file => file.Contains("/packs/", StringComparison.Ordinal));
        foreach (string file in (string[])[segment, pack])
        {
            Shell.RunChecked("chattr", "-i", file);
            Shell.RunChecked("chmod", "600", file);
            using (FileStream damaged = File.Open(file, FileMode.Open, FileAccess.ReadWrite))
            {
                damaged.Position = damaged.Length / 2;
                int at = damaged.ReadByte();
                damaged.Position--;
                damaged.WriteByte((byte)(at ^ 1));
            }

            Shell.RunChecked("chattr", "+i", file);
        }

        using (UnlockedVault vault = await OpenAsync())
        {
            RepairReport repaired = await vault.RepairAsync(new RepairRequest(), new JobMonitor(), Stop);
            Assert.NotEmpty(repaired.Packs);
            Assert.False(File.Exists(segment));
        }

        await BackUpAsync();
        await MaintainAsync();
        Assert.False(File.Exists(pack));

        // A new passphrase, and the slot of the old one is gone; a new master key.
        int slots = CountSlots();
        using (UnlockedVault vault = await OpenAsync())
        {
            await vault.ChangeKeyAsync(_passphrase = "another passphrase for tests", Stop);
        }

        Assert.Equal(slots, CountSlots());
        using (UnlockedVault vault = await OpenAsync())
        {
            await vault.RotateKeyAsync(_passphrase, Stop);
        }

        await MaintainAsync(new MaintenanceRequest { ReencryptBytes = long.MaxValue });
        Assert.Equal(Objects.Where(IsToBeLocked).Order(), Objects.Where(IsFlagged).Order());
        await CheckAsync(second);

        await SetAsync(VaultImmutability.Off);
        Assert.NotEqual(0, (await MaintainAsync()).Locks.Changed);
        Assert.DoesNotContain(Objects, IsFlagged);
        await CheckAsync(second);
        Directory.Delete(Folder, recursive: true);
    }

    [Fact]
    public async Task Without_the_capability_it_is_said_once_and_the_rest_is_done()
    {
        Assert.SkipUnless(Shell.IsLinuxRoot && File.Exists("/usr/bin/setpriv"), "needs root, Linux and setpriv");
        await MakeAsync("ext4");
        new SourceTreeBuilder(Source).File("large", 3 << 20, seed: 1);
        RecoveryPoint first = await BackUpAsync();
        new SourceTreeBuilder(Source).Delete("large").File("other", 100_000, seed: 2);
        RecoveryPoint second = await BackUpAsync();
        MakeOld(first);
        await SetAsync(VaultImmutability.On);
        using var unable = new Obengine("setpriv", "--bounding-set", "-linux_immutable") { Vault = Folder };

        JsonElement unlocked = (await unable.JsonAsync("maintain"))[^1];

        Assert.Equal(0, unlocked.GetProperty("locksChanged").GetInt32());
        Assert.Contains("CAP_LINUX_IMMUTABLE", unlocked.GetProperty("lockObstacle").GetString(), StringComparison.Ordinal);

        // What others have locked is named, and waits for them.
        await MaintainAsync();
        await (await OpenedVault.OpenAsync(new FolderVaultStore(Folder), _passphrase, Stop)).EndAsync(first, Stop);
        IReadOnlyList<JsonElement> lines = await unable.JsonAsync("maintain", "--shut-out-after", "0s");
        Assert.NotEqual(0, lines[^1].GetProperty("kept").GetInt32());
        Assert.Contains(lines, line => line.TryGetProperty("object", out JsonElement name) && name.GetString()!.Contains("/points/", StringComparison.Ordinal));
        Assert.Equal(0, lines[^1].GetProperty("findings").GetInt32());
        await CheckAsync(second);
        MaintenanceReport report = await MaintainAsync(new MaintenanceRequest { ShutOutAfter = TimeSpan.Zero });
        Assert.Empty(report.Locks.Kept);
        Assert.NotEqual(0, report.Packs.Deleted);
    }

    private async Task MakeAsync(string kind)
    {
        Assert.SkipUnless(Shell.IsLinuxRoot && MountedFileSystem.CanMake(kind), $"mounts a file system: needs root, Linux and mkfs.{kind}");
        string disk = _obengine.Folder["disk"];
        _mount = MountedFileSystem.InImage(_obengine.Folder["image"], disk, kind);
        _obengine.Vault = disk + "/vault";
        await Vault.CreateAsync(FolderVaultStore.Create(Folder), _passphrase, _options, Stop, _owner.Keep);
    }

    private Task<UnlockedVault> OpenAsync() => TestVault.UnlockAsync(new FolderVaultStore(Folder), _passphrase, _options, Stop);

    private async Task SetAsync(VaultImmutability immutability) => await TestVault.ChangeSettingsAsync(
        new FolderVaultStore(Folder), _owner.Key, settings => settings with { Immutability = immutability, ImmutableDays = 5 }, Stop);

    private async Task<RecoveryPoint> BackUpAsync()
    {
        using UnlockedVault vault = await OpenAsync();
        var request = new BackupRequest { MachineName = "m", Sources = [new BackupSource.Tree(Source, new())] };
        return (await vault.BackUpAsync(request, new JobMonitor(), Stop)).Point;
    }

    private async Task<MaintenanceReport> MaintainAsync(MaintenanceRequest? request = null)
    {
        using UnlockedVault vault = await OpenAsync();
        return await vault.MaintainAsync(request ?? new MaintenanceRequest(), new JobMonitor(), Stop);
    }

    // Its immutability is over, by the clock of the file system.
    private void MakeOld(RecoveryPoint point)
    {
        string file = Objects.Single(file => file.EndsWith($"/{point.SessionId}", StringComparison.Ordinal) && file.Contains("/points/", StringComparison.Ordinal));
        Shell.RunChecked("chattr", "-i", file);
        File.SetLastWriteTimeUtc(file, DateTime.UtcNow.AddDays(-10));
    }

    private async Task CheckAsync(params RecoveryPoint[] points)
    {
        using UnlockedVault vault = await OpenAsync();
        Assert.Empty((await vault.VerifyAsync(MSOnlineBackup.Vaults.Verification.VerifyLevel.Data, new JobMonitor(), Stop)).Findings);
        string target = _obengine.Folder[$"target-{Guid.NewGuid():n}"];
        RecoveryPoint newest = points[^1];
        await vault.RestoreAsync(new RestoreRequest { Point = newest, TargetFolder = target, Verify = true }, new JobMonitor(), Stop);
        Assert.Empty(TreeComparer.Compare(Source, target + Source));
    }

    private int CountSlots() => Objects.Count(file => VaultLayout.KindOf(Path.GetRelativePath(Folder, file), out _) == StoredKind.KeySlot);

    private bool IsToBeLocked(string file) => VaultLayout.KindOf(Path.GetRelativePath(Folder, file), out _)
        is StoredKind.Header or StoredKind.KeySlot or StoredKind.KeyEpoch or StoredKind.Settings or StoredKind.Pack or StoredKind.Segment or StoredKind.Point;

    private static bool IsFlagged(string path) => Shell.RunChecked("lsattr", "-d", path).Split(' ')[0].Contains('i', StringComparison.Ordinal);

    private void AssertNothingCanBeHarmed()
    {
        foreach (string file in Objects.Where(IsToBeLocked).ToList())
        {
            byte[] before = File.ReadAllBytes(file);
            string folder = Path.GetDirectoryName(file)!;
            foreach (string attempt in (string[])[$"rm -f '{file}'", $"truncate -s 0 '{file}'", $"printf x > '{file}'", $"printf x >> '{file}'", $"mv '{file}' '{Folder}/elsewhere'", $"touch -d 2001-01-01 '{file}'"])
            {
                (int exitCode, string said) = Shell.Run("sh", "-c", attempt);
                Assert.True(exitCode != 0 && said.Contains("not permitted", StringComparison.Ordinal), $"{attempt}: {exitCode} {said}");
            }

            if (folder != Folder)
            {
                Assert.NotEqual(0, Shell.Run("rm", "-rf", folder).ExitCode);
                Assert.NotEqual(0, Shell.Run("mv", folder, _obengine.Folder.Path).ExitCode);
            }

            Assert.Equal(before, File.ReadAllBytes(file));
        }
    }
}
