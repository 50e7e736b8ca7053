using System.Text;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Verification;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Hostile;

/// <summary>Vaults that are sealed with the right keys and crafted to do harm.</summary>
public sealed class HostileVaultTests
{
    [Fact]
    public async Task A_file_below_a_link_is_not_written_through_it()
    {
        using HostileVault vault = await HostileVault.CreateAsync();
        ChunkId content = await vault.StoreAsync(ChunkKind.Content, "evil"u8.ToArray());
        await vault.CommitAsync("/s", await vault.WriteManifestAsync(
            Folder(""),
            Link("a", vault.Outside),
            FileOf("a/b", content, 4),
            FileOf("a/precious", content, 4),
            Folder("a/folder"),
            FileOf("a/folder/file", content, 4)));
        Assert.NotEmpty(await vault.AssertHarmlessAsync("a link as a folder"));
    }

    [Fact]
    public async Task A_source_that_is_a_link_is_no_way_out()
    {
        using HostileVault vault = await HostileVault.CreateAsync();
        ChunkId content = await vault.StoreAsync(ChunkKind.Content, "evil"u8.ToArray());
        await vault.CommitAsync("/s", await vault.WriteManifestAsync(Link("", vault.Outside), FileOf("precious", content, 4), FileOf("new", content, 4)));
        Assert.NotEmpty(await vault.AssertHarmlessAsync("a link as the root"));
    }

    [Fact]
    public async Task A_hard_link_to_what_is_no_file_leads_nowhere()
    {
        using HostileVault vault = await HostileVault.CreateAsync();
        ChunkId content = await vault.StoreAsync(ChunkKind.Content, "evil"u8.ToArray());
        var shared = new EntryMetadata { Mode = 0x1a4, FileId = 7, DeviceId = 1, LinkCount = uint.MaxValue };
        await vault.CommitAsync("/s", await vault.WriteManifestAsync(
            Folder(""),
            Link("a", Path.Combine(vault.Outside, "precious")) with { Metadata = shared },
            FileOf("b", content, 4) with { Metadata = shared },
            FileOf("c", content, 4) with { Metadata = shared },
            Link("d", vault.Outside) with { Metadata = shared },
            FileOf("d/e", content, 4) with { Metadata = shared }));
        await vault.AssertHarmlessAsync("hard links");
    }

    [Theory]
    [InlineData("/..")]
    [InlineData("/../outside")]
    [InlineData("/a/../../../outside")]
    [InlineData("../outside")]
    [InlineData("..")]
    [InlineData(".")]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("//outside")]
    [InlineData("/a//b")]
    [InlineData("/a\\x00b")]
    [InlineData("/a\\x2f..\\x2f..\\x2foutside")]
    [InlineData("\\x2e\\x2e/outside")]
    [InlineData("C:\\..\\outside")]
    public async Task The_path_of_a_source_leads_nowhere_else(string path)
    {
        using HostileVault vault = await HostileVault.CreateAsync();
        ChunkId content = await vault.StoreAsync(ChunkKind.Content, "evil"u8.ToArray());
        await vault.CommitAsync(path, await vault.WriteManifestAsync(Folder(""), FileOf("precious", content, 4), FileOf("new", content, 4)));
        await vault.AssertHarmlessAsync(path);
    }

    [Theory]
    [InlineData("..")]
    [InlineData("../outside/new")]
    [InlineData("a/../../outside/new")]
    [InlineData("/etc/evil")]
    [InlineData(".")]
    [InlineData("a/./b")]
    [InlineData("a//b")]
    [InlineData("a/")]
    [InlineData("a\0b")]
    public async Task A_leaf_with_a_name_that_is_none_is_damage(string path)
    {
        using HostileVault vault = await HostileVault.CreateAsync();
        ChunkId content = await vault.StoreAsync(ChunkKind.Content, "evil"u8.ToArray());

        // The encoder writes names as they are: with bytes of the same length in their place, the block decodes but for them.
        var leaf = new LeafEncoder();
        leaf.Add(Folder(""));
        string place = new('q', Encoding.UTF8.GetByteCount(path));
        leaf.Add(FileOf(place, content, 4));
        byte[] block = leaf.Block.ToArray();
        int at = block.AsSpan().IndexOf(Encoding.UTF8.GetBytes(place));
        Assert.True(at > 0);
        Encoding.UTF8.GetBytes(path).CopyTo(block, at);
        await vault.CommitAsync("/s", new ManifestRoot(await vault.StoreAsync(ChunkKind.ManifestLeaf, block), 0, 2, 1, 1, 4));
        Assert.Contains(BackupErrorId.VaultDataCorrupt, await vault.AssertHarmlessAsync(path));
    }

    [Theory]
    [InlineData(VerifyLevel.Structure)]
    [InlineData(VerifyLevel.Data)]
    public async Task A_slice_that_reaches_beyond_its_chunk_is_found_by_every_level_that_reads_manifests(VerifyLevel level)
    {
        using HostileVault vault = await HostileVault.CreateAsync();
        ChunkId content = await vault.StoreAsync(ChunkKind.Content, "evil"u8.ToArray());
        ManifestEntry whole = FileOf("whole", content, 4);
        ManifestEntry beyond = FileOf("beyond", content, 4) with { Content = new EntryContent([new ContentSlice(content, 1, 4)], []) };
        await vault.CommitAsync("/s", await vault.WriteManifestAsync(Folder(""), whole, beyond));

        VerifyFinding finding = Assert.Single(await vault.VerifyAsync(level));

        Assert.Equal(content.ToString(), finding.Object);
        Assert.Equal("/s/beyond", Assert.Single(finding.Affected).Path);
    }

    public static TheoryData<string> Absurdities =>
    [
        "slice beyond its chunk", "hole of all bytes", "manifest as content",
        "content as manifest", "list that is a leaf", "depth without end", "negative depth", "lying totals", "unknown chunk", "leaf as node", "long link", "device of all bits",
    ];

    [Theory]
    [MemberData(nameof(Absurdities))]
    public async Task What_cannot_be_is_refused(string what)
    {
        using HostileVault vault = await HostileVault.CreateAsync();
        ChunkId content = await vault.StoreAsync(ChunkKind.Content, "evil"u8.ToArray());
        ManifestRoot plain = await vault.WriteManifestAsync(Folder(""), FileOf("f", content, 4));
        await vault.CommitAsync("/s", what switch
        {
            "slice beyond its chunk" => await WithAsync(new ContentSlice(content, 2, 1 << 20), 1 << 20),
            "hole of all bytes" => await WithAsync(new ContentSlice(null, 0, long.MaxValue), long.MaxValue),
            "manifest as content" => await WithAsync(new ContentSlice(plain.Id, 0, 4), 4),
            "content as manifest" => plain with { Id = content },
            "list that is a leaf" => await vault.WriteManifestAsync(
                Folder(""), FileOf("f", content, 4) with { Content = new EntryContent([], [new SliceListReference(plain.Id, 4)]) }),
            "depth without end" => plain with { Depth = int.MaxValue },
            "negative depth" => plain with { Depth = -1 },
            "lying totals" => plain with { Entries = long.MaxValue, Files = long.MaxValue, Bytes = long.MaxValue },
            "unknown chunk" => await WithAsync(new ContentSlice(default(ChunkId), 0, 4), 4),
            "leaf as node" => plain with { Depth = 1 },
            "long link" => await vault.WriteManifestAsync(Folder(""), Link("l", new string('x', 60_000))),
            "device of all bits" => await vault.WriteManifestAsync(
                Folder(""),
                new ManifestEntry { Path = EntryPath.Parse("n"), Kind = EntryKind.CharacterDevice, Metadata = new EntryMetadata { Mode = 0xfff, DeviceNumber = ulong.MaxValue } }),
            _ => throw new ArgumentOutOfRangeException(nameof(what)),
        });
        IReadOnlyList<BackupErrorId> refused = await vault.AssertHarmlessAsync(what);
        Assert.True(refused.Count > 0 || what is "lying totals" or "device of all bits", $"{what} was taken for good");

        Task<ManifestRoot> WithAsync(ContentSlice slice, long size) =>
            vault.WriteManifestAsync(Folder(""), FileOf("f", content, 4) with { Size = size, Content = new EntryContent([slice], []) });
    }

    [Theory]
    [InlineData(ChunkKind.ManifestLeaf)]
    [InlineData(ChunkKind.ManifestNode)]
    [InlineData(ChunkKind.SliceList)]
    public async Task Blocks_of_random_damage_do_no_harm(ChunkKind kind)
    {
        foreach (int seed in Enumerable.Range(1, Testing.Campaign.IsFull ? 1000 : 40))
        {
            using HostileVault vault = await HostileVault.CreateAsync();
            ChunkId content = await vault.StoreAsync(ChunkKind.Content, "evil"u8.ToArray());
            ManifestEntry file = FileOf("f", content, 4);
            ManifestRoot plain = await vault.WriteManifestAsync(Entries(vault, content));
            await vault.CommitAsync("/s", kind switch
            {
                ChunkKind.ManifestLeaf => plain with { Id = await vault.StoreAsync(kind, Damage(Leaf(Entries(vault, content)), seed)) },
                ChunkKind.ManifestNode => plain with { Id = await vault.StoreAsync(kind, Damage(Node(plain.Id), seed)), Depth = 1 },
                _ => await vault.WriteManifestAsync(
                    Folder(""),
                    file with { Content = new EntryContent([], [new SliceListReference(await vault.StoreAsync(kind, Damage(SliceList(content), seed)), 4)]) }),
            });
            await vault.AssertHarmlessAsync($"{kind}, seed {seed}");
        }
    }

    [Theory]
    [InlineData(nameof(SealedObjectKind.RecoveryPoint))]
    [InlineData(nameof(SealedObjectKind.Checkpoint))]
    [InlineData(nameof(SealedObjectKind.IndexSegment))]
    public async Task Objects_of_random_damage_do_no_harm(string kindName)
    {
        SealedObjectKind kind = Enum.Parse<SealedObjectKind>(kindName);
        foreach (int seed in Enumerable.Range(1, Testing.Campaign.IsFull ? 1000 : 40))
        {
            using HostileVault vault = await HostileVault.CreateAsync();
            ChunkId content = await vault.StoreAsync(ChunkKind.Content, "evil"u8.ToArray());
            await vault.CommitAsync("/s", await vault.WriteManifestAsync(Entries(vault, content)));
            string model =
                vault.Objects.Names.First(name => name.Contains(kind == SealedObjectKind.IndexSegment ? "/index/" : "/points/", StringComparison.Ordinal));
            byte[] plaintext = SealedObject.Open(vault.Store.Keys, model, vault.Objects.GetContent(model), out _).ToArray();
            var session = SessionId.Create(DateTimeOffset.UtcNow, highest: null);
            string name = kind switch
            {
                SealedObjectKind.Checkpoint => VaultLayout.Checkpoint(vault.Store.StoreId, session, 1),
                SealedObjectKind.IndexSegment when seed % 2 == 0 => VaultLayout.Segment(vault.Store.StoreId, session, 1),
                _ => model,
            };
            vault.Put(kind, name, Damage(plaintext, seed));
            await vault.AssertHarmlessAsync($"{kind}, seed {seed}");
        }
    }

    private static ManifestEntry[] Entries(HostileVault vault, ChunkId content) =>
        [Folder(""), Link("a", vault.Outside), Folder("b"), FileOf("b/c", content, 4), FileOf("b/d", content, 4), Folder("e"), Link("e/f", "..")];

    private static byte[] Leaf(ManifestEntry[] entries)
    {
        var leaf = new LeafEncoder();
        foreach (ManifestEntry entry in entries.OrderBy(entry => entry.Path))
        {
            leaf.Add(entry);
        }

        return leaf.Block.ToArray();
    }

    private static byte[] Node(ChunkId leaf)
    {
        var writer = new BlockWriter();
        NodeBlock.Write(writer, 1, [new ManifestBlock(EntryPath.Root, leaf, new ManifestTotals(7, 2, 3, 8))]);
        return writer.Written.ToArray();
    }

    private static byte[] SliceList(ChunkId content) => SliceListCodec.Encode([new ContentSlice(content, 0, 2), new ContentSlice(content, 2, 2)]).ToArray();

    /// <summary>One to four bytes set to what they should not be; sometimes a piece is cut out, doubled or cut off.</summary>
    private static byte[] Damage(byte[] bytes, int seed)
    {
        var random = new Random(seed);
        byte[] damaged = [.. bytes];
        for (int i = random.Next(1, 5); i > 0; i--)
        {
            damaged[random.Next(damaged.Length)] = random.Next(3) switch
            {
                0 => 0xFF,
                1 => (byte)"/.\0"[random.Next(3)],
                _ => (byte)random.Next(256),
            };
        }

        int at = random.Next(damaged.Length);
        int length = random.Next(damaged.Length - at);
        return random.Next(4) switch
        {
            0 => [.. damaged[..at], .. damaged[(at + length)..]],
            1 => [.. damaged[..(at + length)], .. damaged[at..]],
            _ => damaged,
        };
    }

    private static ManifestEntry Folder(string path) =>
        new() { Path = EntryPath.Parse(path), Kind = EntryKind.Directory, Metadata = new EntryMetadata { Mode = 0x1ed } };

    private static ManifestEntry Link(string path, string target) =>
        new() { Path = EntryPath.Parse(path), Kind = EntryKind.SymbolicLink, LinkTarget = Encoding.UTF8.GetBytes(target), Metadata = new EntryMetadata { Mode = 0x1ff } };

    private static ManifestEntry FileOf(string path, ChunkId chunk, int length) =>
        new()
        {
            Path = EntryPath.Parse(path),
            Kind = EntryKind.File,
            Size = length,
            Metadata = new EntryMetadata { Mode = 0x1a4 },
            Content = new EntryContent([new ContentSlice(chunk, 0, length)], []),
        };
}
