using System.Text;
using MSOnlineBackup.Engine.Jobs;
using MSOnlineBackup.Engine.Maintenance;
using MSOnlineBackup.Engine.RecoveryPoints;
using MSOnlineBackup.Testing;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.VaultFormat;

/// <summary>
/// The vault of format 1 that every later version must open: <c>tests/fixtures/golden-vault-1</c>, its passphrase and what it holds beside it. It is made once, when the
/// format is frozen, by running these tests with <c>OB_MAKE_GOLDEN_VAULT=1</c>, and never anew; where these tests fail from then on, the engine is wrong. Until then they run on one that they
/// make for themselves.
/// </summary>
public sealed class GoldenVaultTests(GoldenVaultTests.Vault vault) : IClassFixture<GoldenVaultTests.Vault>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public void It_is_read_by_the_document_alone()
    {
        Assert.SkipUnless(ZstandardProgram.IsThere, ZstandardProgram.Missing);
        IndependentReaderTests.AssertHoldsTheSample(vault.Folder);
    }

    [Fact]
    public void Its_packs_are_read_by_their_footers_alone()
    {
        Assert.SkipUnless(ZstandardProgram.IsThere, ZstandardProgram.Missing);
        var reader = new IndependentReader(vault.Folder, SampleVault.Passphrase);
        byte[][] packs = [.. reader.Packs()];

        // One of content and one of metadata for each point.
        Assert.Equal(4, packs.Length);
        Assert.All(packs, pack => Assert.NotEmpty(IndependentReader.ReadPack(reader.Keys, pack)));
    }

    [Fact]
    public async Task A_flipped_bit_of_any_byte_of_a_pack_is_found_without_a_key()
    {
        MemoryVaultStore store = vault.Load();
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

    [Fact]
    public async Task It_verifies_to_the_last_byte()
    {
        BackupEngine engine = await BackupEngine.OpenAsync(vault.Load(), SampleVault.Passphrase, new EngineOptions(), Cancel);

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
        BackupEngine engine = await BackupEngine.OpenAsync(vault.Load(), SampleVault.Passphrase, new EngineOptions(), Cancel);
        RecoveryPointList points = await engine.ListPointsAsync(SampleVault.MachineName, Cancel);

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
    public async Task It_holds_what_the_listing_beside_it_says()
    {
        BackupEngine engine = await BackupEngine.OpenAsync(vault.Load(), SampleVault.Passphrase, new EngineOptions(), Cancel);

        Assert.Equal(vault.Listing, await ListAsync(engine));
    }

    [Fact]
    public async Task Its_index_can_be_made_anew_from_its_packs()
    {
        MemoryVaultStore store = vault.Load();
        foreach (string name in store.Names.Where(name => name.Contains("/index/", StringComparison.Ordinal)))
        {
            store.Remove(name);
        }

        BackupEngine engine = await BackupEngine.OpenAsync(store, SampleVault.Passphrase, new EngineOptions(), Cancel);
        await engine.RebuildIndexAsync(new JobMonitor(), Cancel);

        foreach (VerifyLevel level in Enum.GetValues<VerifyLevel>())
        {
            Assert.Empty((await engine.VerifyAsync(level, new JobMonitor(), Cancel)).Findings);
        }

        Assert.Contains(store.Names, name => name.EndsWith(".end", StringComparison.Ordinal));
        Assert.Contains(store.Names, name => name.Contains("/index/", StringComparison.Ordinal));
    }

    // What the engine finds in it, a line for each entry: point, kind, mode, size, path.
    private static async Task<string> ListAsync(BackupEngine engine)
    {
        var lines = new StringBuilder().Append("passphrase: ").Append(SampleVault.Passphrase).Append('\n');
        foreach (RecoveryPoint point in await engine.ListPointsAsync(null, Cancel))
        {
            await foreach (RecoverableItem item in engine.ListItemsAsync(point, null, recursive: true, Cancel))
            {
                ManifestEntry entry = item.Entry;
                lines.Append(FormattableString.Invariant($"{point.Tags[0]}\t{entry.Kind}\t{Convert.ToString((long)entry.Metadata.Mode, 8)}\t{entry.Size}\t{entry.Path}\n"));
            }
        }

        return lines.ToString();
    }

    /// <summary>The golden vault; while there is none, one that is made for these tests.</summary>
    public sealed class Vault : IAsyncLifetime
    {
        private static readonly string s_golden = Path.Combine(Repository.Root, "tests", "fixtures", "golden-vault-1");

        private readonly TempFolder _made = new();

        public string Folder { get; private set; } = s_golden;

        public string Listing => File.ReadAllText(Folder + ".txt");

        public async ValueTask InitializeAsync()
        {
            bool isWanted = Environment.GetEnvironmentVariable("OB_MAKE_GOLDEN_VAULT") == "1";
            if (!Directory.Exists(s_golden))
            {
                Assert.SkipUnless(OperatingSystem.IsLinux(), "The sample has files that Linux alone can make.");
                Folder = isWanted ? s_golden : _made["golden-vault-1"];
                await SampleVault.MakeAsync(Folder, _made["source"], TimeProvider.System, isWanted ? 600_000 : 1000, CancellationToken.None);
                BackupEngine engine = await BackupEngine.OpenAsync(Load(), SampleVault.Passphrase, new EngineOptions(), CancellationToken.None);
                await File.WriteAllTextAsync(Folder + ".txt", await ListAsync(engine));
            }
        }

        /// <summary>A copy: tests must not be able to change it.</summary>
        internal MemoryVaultStore Load()
        {
            var store = new MemoryVaultStore();
            foreach (string file in Directory.EnumerateFiles(Folder, "*", SearchOption.AllDirectories))
            {
                store.SetContent(Path.GetRelativePath(Folder, file).Replace('\\', '/'), File.ReadAllBytes(file));
            }

            return store;
        }

        public ValueTask DisposeAsync()
        {
            _made.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
