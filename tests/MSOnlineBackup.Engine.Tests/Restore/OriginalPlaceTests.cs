using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Progress;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Restore;

/// <summary>Real trees that come back to where they were, or elsewhere without what decides who may do what.</summary>
public sealed class OriginalPlaceTests : IDisposable
{
    private const string Passphrase = "correct horse battery staple";

    private readonly TempFolder _folder = new();

    public OriginalPlaceTests() => new SourceTreeBuilder(Source).Describe(
        """
        d a 751
        d a/b 700
        f a/b/file 300K 640
        f a/b/tool 10 4755
        f other 20 600
        l link -> other
        """);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Source => _folder["source"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_tree_that_is_gone_comes_back_to_its_place()
    {
        (UnlockedVault engine, BackupResult backup) = await BackUpAsync();
        Shell.RunChecked("cp", "-a", Source, _folder["copy"]);
        Directory.Delete(Source, recursive: true);

        RestoreResult result =
            await RestoreAsync(engine, new RestoreRequest { Point = backup.Point, TargetFolder = "/", Conflict = RestoreConflict.Overwrite });

        Assert.Equal(0, result.Skipped);
        Assert.Empty(TreeComparer.Compare(_folder["copy"], Source));
    }

    [Fact]
    public async Task Folders_on_the_way_to_an_item_keep_what_they_have_when_it_comes_back_to_its_place()
    {
        (UnlockedVault engine, BackupResult backup) = await BackUpAsync();
        Shell.RunChecked("chmod", "777", Source + "/a");
        File.Delete(Source + "/a/b/file");

        await RestoreAsync(engine, new RestoreRequest
        {
            Point = backup.Point,
            Paths = [Source + "/a/b/file"],
            TargetFolder = "/",
            Conflict = RestoreConflict.Overwrite,
        });

        Assert.Equal(300 << 10, new FileInfo(Source + "/a/b/file").Length);
        Assert.Equal("777", Mode(Source + "/a"));
    }

    [Fact]
    public async Task Without_security_items_have_the_owner_and_mode_of_new_ones_but_their_content_and_times()
    {
        if (Shell.IsLinuxRoot)
        {
            Shell.RunChecked("chown", "-R", "65534:65534", Source);
        }

        (UnlockedVault engine, BackupResult backup) = await BackUpAsync();
        Directory.CreateDirectory(_folder["fresh"] + "/folder");
        await File.WriteAllTextAsync(_folder["fresh"] + "/file", "", Cancel);

        RestoreResult result = await RestoreAsync(engine, new RestoreRequest
        {
            Point = backup.Point,
            Paths = [Source + "/a", Source + "/link"],
            TargetFolder = _folder["target"],
            Layout = RestoreLayout.ItemName,
            SkipSecurity = true,
        });

        Assert.Equal(0, result.Skipped);
        Assert.All(["/a", "/a/b"], path => Assert.Equal(Access(_folder["fresh"] + "/folder"), Access(_folder["target"] + path)));
        Assert.All(["/a/b/file", "/a/b/tool"], path => Assert.Equal(Access(_folder["fresh"] + "/file"), Access(_folder["target"] + path)));
        Assert.All(["/a", "/a/b", "/a/b/file", "/a/b/tool", "/link"], path => Assert.Equal(Time(Source + path), Time(_folder["target"] + path)));
        Assert.Equal(await File.ReadAllBytesAsync(Source + "/a/b/file", Cancel), await File.ReadAllBytesAsync(_folder["target"] + "/a/b/file", Cancel));
    }

    private static string Mode(string path) => Shell.RunChecked("stat", "-c", "%a", path).Trim();

    private static string Access(string path) => Shell.RunChecked("stat", "-c", "%u %g %a", path);

    private static string Time(string path) => Shell.RunChecked("stat", "-c", "%y", path);

    private async Task<(UnlockedVault Engine, BackupResult Backup)> BackUpAsync()
    {
        var store = new MemoryVaultStore();
        var options = new VaultOptions { KeyDerivationIterations = 1000, Workers = 2 };
        await Vault.CreateAsync(store, Passphrase, options, Cancel);
        UnlockedVault engine = await TestVault.UnlockAsync(store, Passphrase, options, Cancel);
        var request = new BackupRequest { MachineName = "m", Sources = [new BackupSource.Tree(Source, SourceSelection.Everything)] };
        return (engine, await engine.BackUpAsync(request, new JobMonitor(), Cancel));
    }

    private static async Task<RestoreResult> RestoreAsync(UnlockedVault engine, RestoreRequest request)
    {
        var monitor = new JobMonitor();
        return await engine.RestoreAsync(request, monitor, Cancel);
    }
}
