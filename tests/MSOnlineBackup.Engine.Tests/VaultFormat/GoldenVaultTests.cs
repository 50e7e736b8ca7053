using MSOnlineBackup.Engine.Jobs;
using MSOnlineBackup.Engine.Maintenance;
using MSOnlineBackup.Engine.RecoveryPoints;
using MSOnlineBackup.Engine.Tests.Architecture;
using MSOnlineBackup.Testing;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.VaultFormat;

/// <summary>
/// A vault that the first version made, and that every later one must open: <c>tests/fixtures/golden-vault-1</c>. It is never
/// made anew; where these tests fail, the engine is wrong.
/// </summary>
public sealed class GoldenVaultTests
{
    private static readonly string s_folder = Path.Combine(Repository.Root, "tests", "fixtures", "golden-vault-1");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public void It_is_read_by_the_document_alone() => IndependentReaderTests.AssertHoldsTheSample(s_folder);

    [Fact]
    public async Task It_verifies_to_the_last_byte()
    {
        BackupEngine engine = await BackupEngine.OpenAsync(Load(), SampleVault.Passphrase, new EngineOptions(), Cancel);

        foreach (VerifyLevel level in Enum.GetValues<VerifyLevel>())
        {
            VerifyReport report = await engine.VerifyAsync(level, new JobMonitor(), Cancel);

            Assert.Empty(report.Findings);
            Assert.Equal(2, report.Points);
        }
    }

    [Fact]
    public async Task Its_points_list_what_was_backed_up()
    {
        BackupEngine engine = await BackupEngine.OpenAsync(Load(), SampleVault.Passphrase, new EngineOptions(), Cancel);
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

    [Fact]
    public async Task Its_index_can_be_made_anew_from_its_packs()
    {
        MemoryVaultStore store = Load();
        foreach (string name in store.Names.Where(name => name.Contains("/index/", StringComparison.Ordinal)))
        {
            store.Remove(name);
        }

        BackupEngine engine = await BackupEngine.OpenAsync(store, SampleVault.Passphrase, new EngineOptions(), Cancel);
        await engine.RebuildIndexAsync(new JobMonitor(), Cancel);

        Assert.Empty((await engine.VerifyAsync(VerifyLevel.Data, new JobMonitor(), Cancel)).Findings);
        Assert.Contains(store.Names, name => name.Contains("/index/", StringComparison.Ordinal));
    }

    // Tests must not be able to change it.
    private static MemoryVaultStore Load()
    {
        var store = new MemoryVaultStore();
        foreach (string file in Directory.EnumerateFiles(s_folder, "*", SearchOption.AllDirectories))
        {
            store.SetContent(Path.GetRelativePath(s_folder, file).Replace('\\', '/'), File.ReadAllBytes(file));
        }

        return store;
    }
}
