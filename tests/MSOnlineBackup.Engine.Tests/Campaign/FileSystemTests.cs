using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Jobs;
using MSOnlineBackup.Engine.Maintenance;
using MSOnlineBackup.Engine.RecoveryPoints;
using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Engine.Storage;
using MSOnlineBackup.Engine.Tests.Sources;
using MSOnlineBackup.Testing;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Campaign;

/// <summary>Round trips on real volumes: source, vault and target all lie on the file system that is tested.</summary>
public sealed class FileSystemTests : IDisposable
{
    private const string Passphrase = "correct horse battery staple";
    private const long MiB = 1 << 20;
    private const long GiB = 1 << 30;

    private readonly TempFolder _folder = new();
    private MountedFileSystem? _volume;

    public static TheoryData<string> Kinds => ["ext4", "xfs", "btrfs"];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string Source => _folder["volume", "source"];

    private string Target => _folder["volume", "target"];

    private string Vault => _folder["volume", "vault"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Everything_that_a_volume_can_hold_comes_back(string kind)
    {
        SourceTreeBuilder tree = Mount(kind);
        string longName = new('n', 255);
        tree.Describe(
            $"""
            f content/small 10
            f content/bundled 60000
            f content/chunked 3M 4755
            f content/empty 0 0
            d content/empty-folder 1777
            f content/{longName} 100
            f content/\xff\xfe\x0a 100
            d \xc3\x28
            f \xc3\x28/inside 20 600
            l links/dangling -> ../nowhere/\xff
            l links/loop -> loop
            l links/up -> ..
            h links/hard1 = content/bundled
            h links/hard2 = content/bundled
            h content/hard = content/chunked
            p nodes/pipe
            s sparse/front 8M 100K@0
            s sparse/back 8M 100K@8000K
            s sparse/middle 8M 64K@1M 64K@4M
            """);
        tree.Device("nodes/null", UnixFileKind.CharacterDevice, 1, 3).Device("nodes/loop", UnixFileKind.BlockDevice, 7, 200);
        tree.HardLink("nodes/pipe-too", "nodes/pipe");
        tree.Attribute("content/small", "user.note", [1, 0, 255]).Attribute("content", "user.empty", []).Attribute("content/bundled", "trusted.x", [7]);
        tree.Attribute("content/empty", "system.posix_acl_access", TestAcl.ForUser(1234));
        tree.Attribute("content/empty-folder", "system.posix_acl_default", TestAcl.ForUser(1235));
        tree.Owner("content/small", 1000, 1001).Owner("links/dangling", 4_000_000_000, 7).Owner("nodes/null", 5, 6).Owner("content", 12, 13);
        tree.Attribute("content/small", "security.capability", TestAcl.NetBindCapability);
        tree.Modified("content/small", -1_000_000_001).Modified("links/dangling", 1_234_567_890_987_654_321).Modified("nodes/pipe", 1).Modified("content", 4_000_000_000_000_000_007);

        BackupEngine engine = await CreateAsync();
        BackupResult backup = await BackUpAsync(engine);
        Assert.Equal(RecoveryPointStatus.Completed, backup.Point.Status);
        RestoreResult restored = await RestoreAsync(engine, backup.Point);
        Assert.Equal(0, restored.Skipped);

        // A file with several names is read once.
        Assert.Equal(restored.Files - 3, restored.Verified);
        Assert.Empty(TreeComparer.Compare(Source, Target + Source));
        Assert.Empty((await engine.VerifyAsync(VerifyLevel.Data, new JobMonitor(), Stop)).Findings);

        BackupResult again = await BackUpAsync(engine);
        Assert.Equal((0, 0), (again.NewFiles, again.ReadBytes));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_sparse_file_costs_its_data_only_and_data_behind_4_GiB_come_back(string kind)
    {
        SourceTreeBuilder tree = Mount(kind);
        tree.Sparse("huge", 10 * GiB, (0, 4096), ((5 * GiB) + 4096, MiB - 8192), ((10 * GiB) - 4096, 4096));
        BackupEngine engine = await CreateAsync();
        BackupResult backup = await BackUpAsync(engine);
        Assert.InRange(backup.ReadBytes, MiB, 2 * MiB);
        Assert.InRange(backup.Point.StoredBytes, MiB, 2 * MiB);

        await RestoreAsync(engine, backup.Point, verify: false);
        byte[] restored = UnixFile.Raw(Target + Source + "/huge");
        UnixFileState state = UnixFile.Stat(restored);
        Assert.Equal(10 * GiB, state.Size);
        Assert.InRange(state.AllocatedBytes, MiB, 2 * MiB);
        using FileStream expected = UnixFile.Open(tree.PathOf("huge"), FileAccess.Read);
        using FileStream actual = UnixFile.Open(restored, FileAccess.Read);
        byte[] expectedBytes = new byte[2 * MiB];
        byte[] actualBytes = new byte[2 * MiB];
        foreach (long offset in new[] { 0, (4 * GiB) - MiB, (5 * GiB) - MiB, (10 * GiB) - (2 * MiB) })
        {
            (expected.Position, actual.Position) = (offset, offset);
            await expected.ReadExactlyAsync(expectedBytes, Stop);
            await actual.ReadExactlyAsync(actualBytes, Stop);
            Assert.True(expectedBytes.AsSpan().SequenceEqual(actualBytes), $"at {offset}");
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_file_of_more_than_4_GiB_of_data_comes_back(string kind)
    {
        Assert.SkipUnless(Testing.Campaign.IsFull, "It takes minutes and 14 GiB: OB_CAMPAIGN=full.");
        SourceTreeBuilder tree = Mount(kind, 20 * GiB);
        tree.File("large", (9 * GiB) / 2);
        BackupEngine engine = await CreateAsync();
        await RestoreAsync(engine, (await BackUpAsync(engine)).Point);
        Assert.Empty(TreeComparer.Compare(Source, Target + Source));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Paths_longer_than_the_system_takes_come_back(string kind)
    {
        SourceTreeBuilder tree = Mount(kind);
        const string Deepen =
            """
            use strict; chdir($ARGV[0]) or die; for (1..$ARGV[1]) { mkdir($ARGV[2]) or die; chdir($ARGV[2]) or die; }
            open(my $f, '>', 'bottom') or die; print $f 'deep'; close $f;
            """;
        foreach ((int depth, int length) in new[] { (16, 250), (40, 200), (600, 20) })
        {
            Shell.RunChecked("perl", "-e", Deepen, Source, $"{depth}", new string('d', length));
        }

        BackupEngine engine = await CreateAsync();
        BackupResult backup = await BackUpAsync(engine);
        Assert.Equal(RecoveryPointStatus.Completed, backup.Point.Status);
        Assert.Equal(0, (await RestoreAsync(engine, backup.Point)).Skipped);

        // No tool compares such trees by their paths: the copy is backed up as well, and must look the same.
        BackupResult copy = await BackUpAsync(engine, source: Target + Source);
        OpenedVault vault = await OpenedVault.OpenAsync(new FolderVaultStore(Vault), Passphrase, Stop);
        SortedDictionary<string, string> expected = await vault.ReadFirstSourceAsync(backup.Point, Stop);
        Assert.Contains(expected.Keys, path => path.Length > 8000);
        Assert.Equal(expected, await vault.ReadFirstSourceAsync(copy.Point, Stop));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Mount_points_are_not_crossed_unless_asked_for_and_pseudo_file_systems_never(string kind)
    {
        SourceTreeBuilder tree = Mount(kind);
        tree.Describe("f file 10");
        using MountedFileSystem inner = MountedFileSystem.InMemory(Path.Combine(Source, "inner"), "1m");
        tree.Describe("f inner/other 10");
        string proc = Directory.CreateDirectory(Path.Combine(Source, "proc")).FullName;
        Shell.RunChecked("mount", "-t", "proc", "proc", proc);
        try
        {
            BackupEngine engine = await CreateAsync();
            Assert.Equal(["", "file", "inner", "proc"], await ListAsync((await BackUpAsync(engine)).Point));
            BackupResult crossing = await BackUpAsync(engine, SourceSelection.Everything with { CrossMountPoints = true });
            Assert.Equal(["", "file", "inner", "inner/other", "proc"], await ListAsync(crossing.Point));
        }
        finally
        {
            Shell.RunChecked("umount", "-l", proc);
        }
    }

    public void Dispose()
    {
        _volume?.Dispose();
        _folder.Dispose();
    }

    private SourceTreeBuilder Mount(string kind, long size = 512 * MiB)
    {
        Assert.SkipUnless(Shell.IsLinuxRoot, "Only root mounts volumes.");
        Assert.SkipUnless(MountedFileSystem.CanMake(kind), $"mkfs.{kind} is not installed.");
        _volume = MountedFileSystem.InImage(_folder["image"], _folder["volume"], kind, size);
        return new SourceTreeBuilder(Source);
    }

    private async Task<BackupEngine> CreateAsync()
    {
        IVaultStore store = FolderVaultStore.Create(Vault);
        await BackupEngine.CreateVaultAsync(store, Passphrase, Options(), Stop);
        return await BackupEngine.OpenAsync(store, Passphrase, Options(), Stop);
    }

    private Task<BackupResult> BackUpAsync(BackupEngine engine, SourceSelection? selection = null, string? source = null) => engine.BackUpAsync(
        new BackupRequest
        {
            MachineName = "m",
            Sources = [new BackupSource.Tree(source ?? Source, selection ?? SourceSelection.Everything)],
        },
        new JobMonitor(),
        Stop);

    private async Task<RestoreResult> RestoreAsync(BackupEngine engine, RecoveryPoint point, bool verify = true)
    {
        var request = new RestoreRequest { Point = point, TargetFolder = Target, Verify = verify };
        RestorePlan plan = await engine.PlanRestoreAsync(request, new JobMonitor(), Stop);
        return await engine.RestoreAsync(plan, new JobMonitor(), Stop);
    }

    private async Task<IEnumerable<string>> ListAsync(RecoveryPoint point) =>
        (await (await OpenedVault.OpenAsync(new FolderVaultStore(Vault), Passphrase, Stop)).ReadFirstSourceAsync(point, Stop)).Keys;

    // An hour late: what was written within the last two seconds would be read again next time.
    private static EngineOptions Options() => new() { Workers = 2, KeyDerivationIterations = 1, TimeProvider = new FakeClock(DateTimeOffset.UtcNow.AddHours(1)) };
}
