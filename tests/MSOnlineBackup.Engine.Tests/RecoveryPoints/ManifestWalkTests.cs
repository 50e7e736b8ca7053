using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;
using static MSOnlineBackup.Engine.Tests.RecoveryPoints.Manifests;

namespace MSOnlineBackup.Engine.Tests.RecoveryPoints;

public sealed class ManifestWalkTests
{
    private readonly MemoryChunks _chunks = new();

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 1)]
    [InlineData(3, 400)]
    [InlineData(4, 20_000)]
    public async Task A_walk_comes_to_every_entry_in_order(int seed, int count)
    {
        List<ManifestEntry> tree = count == 0 ? [] : RandomTree(seed, count);
        ManifestRoot root = await WriteAsync(_chunks, tree);

        List<string> seen = await WalkAsync(new ManifestWalk(_chunks), root);

        Assert.Equal(tree.Select(entry => entry.Path.ToString()), seen);
    }

    [Fact]
    public async Task What_manifests_share_is_read_once()
    {
        List<ManifestEntry> tree = RandomTree(5, 20_000);
        ManifestRoot first = await WriteAsync(_chunks, tree);
        int changed = tree.FindIndex(10_000, entry => entry.Kind == EntryKind.File);
        tree[changed] = tree[changed] with { Metadata = tree[changed].Metadata with { Modified = new(0, 77) } };
        ManifestRoot second = await WriteAsync(_chunks, tree);
        var walk = new ManifestWalk(_chunks);
        await WalkAsync(walk, first);
        int all = _chunks.Reads;
        _chunks.ResetReads();

        List<string> seen = await WalkAsync(walk, second);

        Assert.InRange(_chunks.Reads, 2, 2 + second.Depth);
        Assert.InRange(all, 10, int.MaxValue);
        Assert.Contains(tree[changed].Path.ToString(), seen);
        _chunks.ResetReads();
        Assert.Empty(await WalkAsync(walk, first));
        Assert.Equal(0, _chunks.Reads);
    }

    [Fact]
    public async Task What_is_not_settled_is_seen_again_and_nothing_else()
    {
        List<ManifestEntry> tree = RandomTree(6, 20_000);
        ManifestRoot root = await WriteAsync(_chunks, tree);
        string wanted = tree[7000].Path.ToString();
        var walk = new ManifestWalk(_chunks);

        await WalkAsync(walk, root, isSettled: path => path != wanted);
        List<string> again = await WalkAsync(walk, root, isSettled: path => path != wanted);

        Assert.Contains(wanted, again);
        Assert.InRange(again.Count, 1, tree.Count / 4);
    }

    [Fact]
    public async Task A_block_that_is_missing_or_lies_is_named_and_the_others_are_read()
    {
        List<ManifestEntry> tree = RandomTree(8, 20_000);
        ManifestRoot root = await WriteAsync(_chunks, tree);
        var walk = new ManifestWalk(_chunks);
        List<ChunkId> leaves = [];
        await foreach (WalkedLeaf leaf in walk.ReadAsync(root, Cancel))
        {
            leaves.Add(leaf.Place.Block.Id);
        }

        // A sound leaf in another's place, and one that ends early.
        _chunks.Replace(leaves[3], _chunks.Get(leaves[5]));
        _chunks.Replace(leaves[8], _chunks.Get(leaves[8])[..^3]);
        var damaged = new List<ChunkId>();
        int whole = 0;
        await foreach (WalkedLeaf leaf in new ManifestWalk(_chunks).ReadAsync(root, Cancel))
        {
            while (leaf.MoveNext())
            {
            }

            if (leaf.Damage is not null)
            {
                damaged.Add(leaf.Place.Block.Id);
            }
            else
            {
                whole++;
            }
        }

        Assert.Equal([leaves[3], leaves[8]], damaged);
        Assert.Equal(leaves.Count - 2, whole);
    }

    [Fact]
    public async Task A_search_finds_in_each_point_what_is_there_and_reads_what_has_nothing_once()
    {
        List<ManifestEntry> tree = RandomTree(9, 10_000);
        tree.Add(File("zzz-wanted", new ContentSlice(Chunk(1), 0, 5)));
        tree.Sort((x, y) => x.Path.CompareTo(y.Path));
        RecoveryPoint one = Point("/src", await WriteAsync(_chunks, tree));
        RecoveryPoint other = Point("/other", one.Sources[0].Manifest);
        var search = new ItemSearch(_chunks, "*-WANTED", ignoreCase: true);
        Assert.Equal(["/src/zzz-wanted"], await FindAsync(search, one));
        int all = _chunks.Reads;
        _chunks.ResetReads();

        Assert.Equal(["/src/zzz-wanted"], await FindAsync(search, one));

        Assert.InRange(_chunks.Reads, 1, 1 + one.Sources[0].Manifest.Depth);
        Assert.InRange(all, 6, int.MaxValue);
        Assert.Equal(["/other/zzz-wanted"], await FindAsync(search, other));

        // A pattern may be about the source's own path: what is settled below one is not below another.
        var paths = new ItemSearch(_chunks, "/other/*-wanted", ignoreCase: false);
        Assert.Empty(await FindAsync(paths, one));
        Assert.Equal(["/other/zzz-wanted"], await FindAsync(paths, other));
    }

    private static async Task<List<string>> FindAsync(ItemSearch search, RecoveryPoint point) =>
        await search.FindAsync(point, null, Cancel).Select(item => item.FullPath).ToListAsync(Cancel);

    private static RecoveryPoint Point(string source, ManifestRoot root) => new()
    {
        SessionId = SessionId.Parse(new string('1', 32)),
        MachineId = MachineId.Parse(new string('2', 32)),
        MachineName = "m",
        OperatingSystem = "o",
        AgentVersion = "0",
        Started = default,
        Ended = default,
        Status = RecoveryPointStatus.Completed,
        Sources = [new RecoveryPointSource { Path = source, Manifest = root }],
    };

    private static async Task<List<string>> WalkAsync(ManifestWalk walk, ManifestRoot root, Func<string, bool>? isSettled = null)
    {
        var paths = new List<string>();
        await foreach (WalkedLeaf leaf in walk.ReadAsync(root, Cancel))
        {
            while (leaf.MoveNext())
            {
                string path = leaf.Current.Path.ToString();
                paths.Add(path);
                leaf.IsSettled &= isSettled?.Invoke(path) ?? true;
            }

            Assert.Null(leaf.Damage);
        }

        return paths;
    }
}
