using MSOnlineBackup.Engine.Jobs;
using MSOnlineBackup.Engine.Maintenance;
using MSOnlineBackup.Engine.RecoveryPoints;
using MSOnlineBackup.Testing;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.VaultFormat;

/// <summary>
/// Vaults of format 1 that every later version must open: <c>tests/fixtures/golden-vault-1</c>, with contents in Brotli, and
/// <c>golden-vault-1-zstandard</c>. They are never made anew; where these tests fail, the engine is wrong.
/// </summary>
public sealed class GoldenVaultTests
{
    private const string First = "golden-vault-1";
    private const string Zstandard = "golden-vault-1-zstandard";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(First)]
    [InlineData(Zstandard)]
    public void It_is_read_by_the_document_alone(string vault)
    {
        Assert.SkipUnless(vault == First || ZstandardProgram.IsThere, ZstandardProgram.Missing);
        IndependentReaderTests.AssertHoldsTheSample(FolderOf(vault));
    }

    [Theory]
    [InlineData(First)]
    [InlineData(Zstandard)]
    public async Task It_verifies_to_the_last_byte(string vault)
    {
        BackupEngine engine = await BackupEngine.OpenAsync(Load(vault), SampleVault.Passphrase, new EngineOptions(), Cancel);

        foreach (VerifyLevel level in Enum.GetValues<VerifyLevel>())
        {
            VerifyReport report = await engine.VerifyAsync(level, new JobMonitor(), Cancel);

            Assert.Empty(report.Findings);
            Assert.Equal(2, report.Points);
        }
    }

    [Theory]
    [InlineData(First)]
    [InlineData(Zstandard)]
    public async Task Its_points_list_what_was_backed_up(string vault)
    {
        BackupEngine engine = await BackupEngine.OpenAsync(Load(vault), SampleVault.Passphrase, new EngineOptions(), Cancel);
        IReadOnlyList<RecoveryPoint> points = await engine.ListPointsAsync(SampleVault.MachineName, Cancel);

        Assert.Equal(["point 2", "point 1"], points.Select(point => Assert.Single(point.Tags)));
        List<RecoverableItem> items = await engine.ListItemsAsync(points[0], null, recursive: true, Cancel).ToListAsync(Cancel);
        Dictionary<string, ManifestEntry> files = items.Where(item => item.Entry.Kind == EntryKind.File).ToDictionary(item => item.Entry.Path.ToString(), item => item.Entry);
        Assert.Equal(SampleVault.Files(2).Count + 1, files.Count);
        Assert.All(SampleVault.Files(2), file => Assert.Equal(file.Value.Length, files[file.Key].Size));

        // It has one of everything, so that opening it proves something.
        Assert.True(points[0].Sources[0].Manifest.Depth > 0);
        Assert.NotEmpty(files["runs"].Content.Lists);
        Assert.Contains(files["sparse"].Content.Slices, slice => slice.Chunk is null);
        Assert.True(files["large"].Content.Slices.Count > 1);
        Assert.Equal(files["folder/one"].Content.Slices[0].Chunk, files["folder/two"].Content.Slices[0].Chunk);
        Assert.NotEmpty(files["folder/one"].Attributes);
    }

    [Theory]
    [InlineData(First)]
    [InlineData(Zstandard)]
    public async Task Its_index_can_be_made_anew_from_its_packs(string vault)
    {
        MemoryVaultStore store = Load(vault);
        foreach (string name in store.Names.Where(name => name.Contains("/index/", StringComparison.Ordinal)))
        {
            store.Remove(name);
        }

        BackupEngine engine = await BackupEngine.OpenAsync(store, SampleVault.Passphrase, new EngineOptions(), Cancel);
        await engine.RebuildIndexAsync(new JobMonitor(), Cancel);

        Assert.Empty((await engine.VerifyAsync(VerifyLevel.Data, new JobMonitor(), Cancel)).Findings);
        Assert.Contains(store.Names, name => name.Contains("/index/", StringComparison.Ordinal));
    }

    private static string FolderOf(string vault) => Path.Combine(Repository.Root, "tests", "fixtures", vault);

    // Tests must not be able to change it.
    private static MemoryVaultStore Load(string vault)
    {
        var store = new MemoryVaultStore();
        string folder = FolderOf(vault);
        foreach (string file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
        {
            store.SetContent(Path.GetRelativePath(folder, file).Replace('\\', '/'), File.ReadAllBytes(file));
        }

        return store;
    }
}
