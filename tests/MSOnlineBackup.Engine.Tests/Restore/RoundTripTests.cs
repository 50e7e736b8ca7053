using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Restore;

/// <summary>Real trees through a vault in memory and back.</summary>
public class RoundTripTests
{
    private const string Passphrase = "correct horse battery staple";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task A_real_tree_comes_back_in_every_respect(int seed)
    {
        using var folder = new TempFolder();
        string source = folder["source"];
        var tree = new SourceTreeBuilder(source);
        tree.Populate(seed, items: 150);
        UnlockedVault engine = await CreateAsync();
        BackupResult backup = await BackUpAsync(engine, source);

        (RestorePlan plan, RestoreResult result) =
            await RestoreAsync(engine, new RestoreRequest { Point = backup.Point, TargetFolder = folder["target"], Verify = true });

        Assert.Empty(TreeComparer.Compare(source, folder["target"] + source));
        Assert.Equal((plan.Files, plan.Directories, plan.Others), (result.Files, result.Directories, result.Others));
        Assert.True(result.Verified > 0);

        (_, RestoreResult again) =
            await RestoreAsync(engine, new RestoreRequest { Point = backup.Point, TargetFolder = folder["target"], Conflict = RestoreConflict.Overwrite });
        Assert.Equal((0, 0), (again.Files, again.FetchedBytes));
        Assert.Empty(TreeComparer.Compare(source, folder["target"] + source));
    }

    [Fact]
    public async Task One_file_comes_back_with_the_folders_above_it()
    {
        using var folder = new TempFolder();
        string source = folder["source"];
        new SourceTreeBuilder(source).Describe(
            """
            d a 751
            d a/b 700
            f a/b/file 300K 640
            f a/other 10
            """);
        UnlockedVault engine = await CreateAsync();
        BackupResult backup = await BackUpAsync(engine, source);

        await RestoreAsync(engine, new RestoreRequest { Point = backup.Point, Paths = [source + "/a/b/file"], TargetFolder = folder["target"] });

        File.Delete(Path.Combine(source, "a/other"));
        Assert.Empty(TreeComparer.Compare(source + "/a/b", folder["target"] + source + "/a/b"));
        Assert.Empty(TreeComparer.Compare(source, folder["target"] + source, TreeAspects.Mode | TreeAspects.Owner));
    }

    private static async Task<UnlockedVault> CreateAsync()
    {
        var objects = new MemoryVaultStore();
        var options = new VaultOptions { KeyDerivationIterations = 1000, Workers = 2 };
        await Vault.CreateAsync(objects, Passphrase, options, Cancel);
        return await TestVault.UnlockAsync(objects, Passphrase, options, Cancel);
    }

    private static Task<BackupResult> BackUpAsync(UnlockedVault engine, string source) => engine.BackUpAsync(
        new BackupRequest { MachineName = "m", Sources = [new BackupSource.Tree(source, SourceSelection.Everything)] },
        new JobMonitor(),
        Cancel);

    private static async Task<(RestorePlan Plan, RestoreResult Result)> RestoreAsync(UnlockedVault engine, RestoreRequest request)
    {
        var skipped = new List<SkippedItem>();
        var monitor = new JobMonitor
        {
            ItemSkipped = item =>
            {
                lock (skipped)
                {
                    skipped.Add(item);
                }
            },
        };
        RestorePlan plan = await engine.PlanRestoreAsync(request, monitor, Cancel);
        RestoreResult result = await engine.RestoreAsync(request, monitor, Cancel);
        Assert.Empty(skipped);
        return (plan, result);
    }
}
