using MSOnlineBackup.Engine.Jobs;
using MSOnlineBackup.Engine.Maintenance;
using MSOnlineBackup.Engine.RecoveryPoints;
using MSOnlineBackup.Testing;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.VaultFormat;

/// <summary>
/// A vault of format 1 that every later version must open: <c>tests/fixtures/golden-vault-1</c>, made when the format is frozen, and never
/// anew. Where these tests fail, the engine is wrong.
/// </summary>
public sealed class GoldenVaultTests
{
    private const string First = "golden-vault-1";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(First)]
    public void It_is_read_by_the_document_alone(string vault)
    {
        Assert.SkipUnless(ZstandardProgram.IsThere, ZstandardProgram.Missing);
        IndependentReaderTests.AssertHoldsTheSample(FolderOf(vault));
    }

    [Theory]
    [InlineData(First, 2)]
    public void Its_packs_are_read_by_their_footers_alone(string vault, byte version)
    {
        Assert.SkipUnless(ZstandardProgram.IsThere, ZstandardProgram.Missing);
        var reader = new IndependentReader(FolderOf(vault), SampleVault.Passphrase);
        byte[][] packs = [.. reader.Packs()];

        Assert.Equal(5, packs.Length);
        Assert.All(packs, pack => Assert.Equal(version, pack[4]));
        Assert.All(packs, pack => Assert.NotEmpty(IndependentReader.ReadPack(reader.Keys, pack)));
    }

    [Theory]
    [InlineData(First)]
    public async Task A_flipped_bit_of_any_byte_of_a_pack_is_found_without_a_key(string vault)
    {
        MemoryVaultStore store = Load(vault);
        string pack = store.Names.Where(name => name.Contains("/packs/", StringComparison.Ordinal)).MinBy(name => store.GetContent(name).Length)!;
        foreach (string other in store.Names.Where(name => name != pack && name != "vault.json"))
        {
            store.Remove(other);
        }

        Assert.Empty((await ClosedVault.VerifyPacksAsync(store, new JobMonitor(), Cancel)).Findings);
        for (int at = 0; at < store.GetContent(pack).Length; at++)
        {
            store.FlipBit(pack, at, at % 8);

            Assert.Equal(pack, Assert.Single((await ClosedVault.VerifyPacksAsync(store, new JobMonitor(), Cancel)).Findings).Object);
            store.FlipBit(pack, at, at % 8);
        }
    }

    [Theory]
    [InlineData(First)]
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

    private static string FolderOf(string vault)
    {
        string folder = Path.Combine(Repository.Root, "tests", "fixtures", vault);
        Assert.SkipUnless(Directory.Exists(folder), "The format is not frozen yet: there is no golden vault.");
        return folder;
    }

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
