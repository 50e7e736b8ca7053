using System.Security.Cryptography;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Keys;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Verification;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.VaultFormat;

/// <summary>
/// The vault of format 1 that every later version must open: <c>tests/fixtures/golden-vault-1</c>; beside it its passphrases (<c>.passphrases</c>: of the slot by Argon2id, of the one by PBKDF2) and
/// what it holds (<c>.jsonl</c>: <see cref="VaultListing"/>). It was made once, by running these tests with <c>OB_MAKE_GOLDEN_VAULT=1</c>, which does nothing where it is there; from the release
/// of format 1 on it is never made anew. Where these tests fail, the engine is wrong, and so is a checkout without it.
/// </summary>
public sealed class GoldenVaultTests(GoldenVaultTests.GoldenVault vault) : IClassFixture<GoldenVaultTests.GoldenVault>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public void It_is_read_by_the_document_alone()
    {
        Assert.SkipUnless(ZstandardProgram.IsThere, ZstandardProgram.Missing);
        IndependentReaderTests.AssertHoldsTheSample(vault.Folder);

        AssertSame(vault.Listing, VaultListing.Read(new IndependentReader(vault.Folder, vault.Passphrases[0])));
    }

    [Fact]
    public void Each_of_its_passphrases_opens_it_by_the_document_alone()
    {
        Assert.Equal(2, vault.Passphrases.Length);
        byte[][] keys = [.. vault.Passphrases.Select(passphrase => new IndependentReader(vault.Folder, passphrase).Keys.Derive("packs", 32))];

        Assert.Equal(keys[0], keys[1]);
    }

    [Fact]
    public async Task Each_of_its_passphrases_opens_it()
    {
        foreach ((string passphrase, string kdf) in vault.Passphrases.Zip(["argon2id", "pbkdf2-hmac-sha512"]))
        {
            UnlockedVault engine = await TestVault.UnlockAsync(vault.Load(), passphrase, new VaultOptions(), Cancel);

            Assert.Equal(kdf, Assert.Single(await engine.ListKeysAsync(Cancel), slot => slot.IsCurrent).Kdf);
        }
    }

    // It is from before passphrases came in an order.
    [Fact]
    public async Task Who_writes_to_it_names_its_key_slots_and_each_passphrase_opens_it_as_before()
    {
        MemoryVaultStore store = vault.Load();
        int points = (await (await TestVault.UnlockAsync(store, vault.Passphrases[0], new VaultOptions(), Cancel)).ListPointsAsync(null, Cancel)).Count;
        Assert.DoesNotContain(store.Names, name => name.StartsWith(VaultLayout.KeysOrder, StringComparison.Ordinal));
        for (int i = 0; i < 4; i++)
        {
            using UnlockedVault opened = await TestVault.UnlockAsync(store, vault.Passphrases[i % 2], new VaultOptions(), Cancel, VaultUse.Write);
            Assert.Equal(points, (await opened.ListPointsAsync(null, Cancel)).Count);
        }

        Assert.Equal(
            [.. VaultLayout.KeyOrder(1), .. VaultLayout.KeyOrder(2)], store.Names.Where(name => name.StartsWith(VaultLayout.KeysOrder, StringComparison.Ordinal)));
    }

    [Fact]
    public async Task What_its_owner_has_signed_holds()
    {
        MemoryVaultStore store = vault.Load();
        VaultInfo info = await TestVault.InspectAsync(store, Cancel);
        VaultRecords records = await VaultRecords.ReadAsync((await Vault.OpenAsync(store, new VaultOptions(), Cancel)).Known, await VaultRecords.ListAsync(store, Cancel), Cancel);

        Assert.NotNull(info.Owner);
        Assert.Equal(SampleVault.MachineLimit, info.Settings.MachineLimit);
        Assert.Equal([SampleVault.MachineName], info.Machines);
        Assert.Empty(records.Damage);
        Assert.Equal("example", Assert.Single(records.Unknown).Name);
    }

    [Fact]
    public void Its_packs_are_read_by_their_footers_alone()
    {
        Assert.SkipUnless(ZstandardProgram.IsThere, ZstandardProgram.Missing);
        var reader = new IndependentReader(vault.Folder, vault.Passphrases[0]);
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

        Assert.Empty((await Vault.VerifyPacksAsync(store, new JobMonitor(), Cancel)).Findings);

        // Each only in a full campaign, else one in 13: of each bit of a byte as many.
        for (int at = 0; at < store.GetContent(pack).Length; at += Testing.Campaign.IsFull ? 1 : 13)
        {
            store.FlipBit(pack, at, at % 8);

            Assert.Equal(pack, Assert.Single((await Vault.VerifyPacksAsync(store, new JobMonitor(), Cancel)).Findings).Object);
            store.FlipBit(pack, at, at % 8);
        }
    }

    [Fact]
    public async Task It_verifies_to_the_last_byte()
    {
        UnlockedVault engine = await vault.UnlockAsync(vault.Load());

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
        UnlockedVault engine = await vault.UnlockAsync(vault.Load());
        RecoveryPointList points = await engine.ListPointsAsync(SampleVault.MachineName, Cancel);

        Assert.Equal(["point 2", "point 1"], points.Select(point => Assert.Single(point.Tags)));
        Assert.Equal(4, points[0].Sources.Count);
        string source = points[0].Sources[0].Path;
        List<RecoverableItem> items = await engine.ListItemsAsync(points[0], source, recursive: true, Cancel).ToListAsync(Cancel);
        Dictionary<string, ManifestEntry> files = items.Where(item => item.Entry.Kind == EntryKind.File).ToDictionary(item => item.Entry.Path.ToString(), item => item.Entry);
        Assert.Equal(SampleVault.Files(2).Count + 2, files.Count);
        Assert.All(SampleVault.Files(2), file => Assert.Equal(file.Value.Length, files[file.Key].Size));

        // It has one of everything, so that opening it proves something.
        Assert.True(points[0].Sources[0].Manifest.Depth > 0);
        Assert.True(files["runs"].Content.Lists.Count > 1);
        Assert.Contains(files["sparse"].Content.Slices, slice => slice.Chunk is null);
        Assert.True(files["large"].Content.Slices.Count > 2);
        Assert.Equal(files["folder/one"].Content.Slices[0].Chunk, files["folder/two"].Content.Slices[0].Chunk);
        Assert.NotEmpty(files["folder/one"].Attributes);
    }

    [Fact]
    public void It_has_one_of_everything()
    {
        List<VaultListing.EntryLine> first = [.. VaultListing.Entries(vault.Listing, "point 1")];
        List<VaultListing.EntryLine> second = [.. VaultListing.Entries(vault.Listing, "point 2")];

        Assert.Equal(["block device", "character device", "file", "folder", "pipe", "socket", "symbolic link"], second.Select(entry => entry.Kind).Distinct().Order());
        Assert.Equal([1, 2, 3, 4, 5, 7, 8, 99], second.SelectMany(entry => entry.Attributes).Select(attribute => attribute.Tag).Distinct().Order());
        foreach (EntryFlags flag in (EntryFlags[])[EntryFlags.ChangedWhileRead, EntryFlags.KeptFromEarlier, EntryFlags.Unreadable, EntryFlags.Racy])
        {
            Assert.Contains(second, entry => (entry.Flags & (uint)flag) != 0);
        }

        Assert.Contains(second, entry => entry.Modified is [-2, 999_999_999]);
        Assert.Contains(second, entry => entry.Modified is [10_000_000_000, 1]);
        Assert.Contains(second, entry => entry.Modified is [long.MinValue, 0]);
        Assert.Contains(second, entry => entry.Links > 1);
        Assert.Contains(second, entry => entry.Path == @"not UTF-8 \xff\xfe");
        Assert.DoesNotContain(second, entry => entry.Path.Contains("left out", StringComparison.Ordinal));
        Assert.Contains(first, entry => entry is { Path: "becomes a folder", Kind: "file" });
        Assert.Contains(second, entry => entry is { Path: "becomes a folder", Kind: "folder" });
        Assert.Contains("\"skipped\":", vault.Listing, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_holds_what_the_listing_beside_it_says()
    {
        MemoryVaultStore store = vault.Load();
        UnlockedVault engine = await vault.UnlockAsync(store);

        string listing = string.Concat(vault.Listing.Split('\n').Where(line => line.Length > 0 && !line.StartsWith(VaultListing.Record, StringComparison.Ordinal)).Select(line => line + "\n"));
        AssertSame(listing, await VaultListing.ReadAsync(engine, store, Cancel));
    }

    [Theory]
    [InlineData("point 1")]
    [InlineData("point 2")]
    public async Task What_the_listing_says_is_restored(string tag)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Other systems have no place for all of its names.");
        UnlockedVault engine = await vault.UnlockAsync(vault.Load());
        RecoveryPoint point = Assert.Single(await engine.ListPointsAsync(null, Cancel), found => found.Tags[0] == tag);
        using var folder = new TempFolder();

        await engine.RestoreAsync(new RestoreRequest { Point = point, TargetFolder = folder["restored"], Verify = true, SkipSecurity = true }, new JobMonitor(), Cancel);

        // Devices need root, sockets are made by who listens.
        foreach (VaultListing.EntryLine entry in VaultListing.Entries(vault.Listing, tag).Where(entry => entry.Kind is "file" or "folder" or "symbolic link" or "pipe"))
        {
            byte[] root = UnixFile.Join(UnixFile.Raw(folder["restored"]), EntryName.Unescape(entry.Source.TrimStart('/')));
            byte[] path = UnixFile.Join(root, EntryName.Unescape(entry.Path));
            bool isUnreadable = entry.Kind == "file" && (entry.Flags & (uint)EntryFlags.Unreadable) != 0;
            UnixFileState? found = UnixFile.Find(path);
            Assert.True(found is null == isUnreadable, entry.Path);
            if (found is not { } state)
            {
                continue;
            }

            Assert.Equal(entry.Kind, state.Kind switch { UnixFileKind.Directory => "folder", UnixFileKind.SymbolicLink => "symbolic link", UnixFileKind.Fifo => "pipe", _ => "file" });
            if (entry.Kind == "symbolic link")
            {
                Assert.Equal(entry.Target, EntryName.Escape(UnixFile.ReadLink(path)));
            }
            else if (entry.Kind == "file")
            {
                using FileStream file = UnixFile.Open(path, FileAccess.Read);
                Assert.Equal((entry.Path, entry.Sha256), (entry.Path, Convert.ToHexStringLower(await SHA256.HashDataAsync(file, Cancel))));
            }

            // No file system has all times; all have these.
            if (entry.Modified[0] is >= 0 and <= int.MaxValue)
            {
                Assert.Equal((entry.Path, new ItemTime(entry.Modified[0], entry.Modified[1])), (entry.Path, state.Modified));
            }
        }
    }

    // An update uploads nothing again: neither what an earlier version stored, nor what did not change since.
    [Fact]
    public async Task The_next_backup_into_it_is_incremental()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Other systems have no place for all of its names.");
        UnlockedVault engine = await vault.UnlockAsync(vault.Load());
        RecoveryPoint point = Assert.Single(await engine.ListPointsAsync(null, Cancel), found => found.Tags[0] == "point 2");
        using var folder = new TempFolder();
        await engine.RestoreAsync(new RestoreRequest { Point = point, TargetFolder = folder["restored"], Verify = true, SkipSecurity = true }, new JobMonitor(), Cancel);
        string source = Path.Combine(folder["restored"], point.Sources.MaxBy(source => source.Manifest.Files)!.ShownPath.TrimStart('/'));
        var request = new BackupRequest { MachineName = SampleVault.MachineName, Sources = [new BackupSource.Tree(source, SourceSelection.Everything)] };

        BackupResult first = await engine.BackUpAsync(request, new JobMonitor(), Cancel);
        BackupResult second = await engine.BackUpAsync(request, new JobMonitor(), Cancel);

        long bytes = first.Point.Sources.Sum(source => source.Manifest.Bytes);
        Assert.InRange(bytes, 1 << 20, long.MaxValue);
        Assert.InRange(first.Point.NewBytes, 0, bytes / 10);
        Assert.Equal((0, 0), (second.NewFiles, second.Point.NewBytes));
        Assert.Empty((await engine.VerifyAsync(VerifyLevel.Data, new JobMonitor(), Cancel)).Findings);
    }

    [Fact]
    public async Task Its_index_can_be_made_anew_from_its_packs()
    {
        MemoryVaultStore store = vault.Load();
        int Ends() => store.Names.Count(name => name.EndsWith(".end", StringComparison.Ordinal));
        int ends = Ends();
        foreach (string name in store.Names.Where(name => name.Contains("/index/", StringComparison.Ordinal)))
        {
            store.Remove(name);
        }

        UnlockedVault engine = await vault.UnlockAsync(store);
        await engine.RebuildIndexAsync(new JobMonitor(), Cancel);

        foreach (VerifyLevel level in Enum.GetValues<VerifyLevel>())
        {
            Assert.Empty((await engine.VerifyAsync(level, new JobMonitor(), Cancel)).Findings);
        }

        Assert.Equal(ends + 1, Ends());
        Assert.Contains(store.Names, name => name.Contains("/index/", StringComparison.Ordinal));
    }

    // Line by line: what differs is told, and not two texts of half a megabyte.
    private static void AssertSame(string expected, string actual)
    {
        string[] lines = expected.Split('\n');
        string[] found = actual.Split('\n');
        for (int i = 0; i < Math.Min(lines.Length, found.Length); i++)
        {
            Assert.Equal(lines[i], found[i]);
        }

        Assert.Equal(lines.Length, found.Length);
    }

    /// <summary>The golden vault.</summary>
    public sealed class GoldenVault : IAsyncLifetime
    {
        private UnlockedKey? _key;

        public string Folder { get; } = Path.Combine(Repository.Root, "tests", "fixtures", "golden-vault-1");

        /// <summary>Of the slot by Argon2id, and of the one by PBKDF2.</summary>
        public string[] Passphrases => File.ReadAllLines(Folder + ".passphrases");

        public string Listing => File.ReadAllText(Folder + ".jsonl");

        public async ValueTask InitializeAsync()
        {
            if (!Directory.Exists(Folder) && Environment.GetEnvironmentVariable("OB_MAKE_GOLDEN_VAULT") == "1")
            {
                Assert.SkipUnless(OperatingSystem.IsLinux() && ZstandardProgram.IsThere, "The sample has files that Linux alone can make; its listing is read by the independent reader, which needs zstd.");
                using var source = new TempFolder();
                await SampleVault.MakeAsync(Folder, source["source"], TimeProvider.System, CancellationToken.None);
                await File.WriteAllTextAsync(Folder + ".passphrases", $"{SampleVault.Passphrase}\n{SampleVault.SecondPassphrase}\n");
                await File.WriteAllTextAsync(Folder + ".jsonl", VaultListing.Read(new IndependentReader(Folder, SampleVault.Passphrase)));
            }

            // Not skipped: what must open for ever cannot have been mislaid.
            Assert.True(Directory.Exists(Folder), $"'{Folder}' is missing. It is a part of the sources.");
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

        /// <summary>Opens a copy; its key is derived once for all tests.</summary>
        internal async Task<UnlockedVault> UnlockAsync(MemoryVaultStore copy)
        {
            _key ??= (await TestVault.UnlockAsync(copy, Passphrases[0], new VaultOptions(), Cancel)).Key;
            return await TestVault.UnlockAsync(copy, _key, new VaultOptions(), Cancel);
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
