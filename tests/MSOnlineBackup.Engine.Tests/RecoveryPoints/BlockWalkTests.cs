using System.Collections.Concurrent;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;
using static MSOnlineBackup.Engine.Tests.RecoveryPoints.Manifests;

namespace MSOnlineBackup.Engine.Tests.RecoveryPoints;

public sealed class BlockWalkTests
{
    private readonly CountingChunks _chunks = new();

    [Theory]
    [InlineData(1, 0, 4)]
    [InlineData(2, 1, 4)]
    [InlineData(3, 400, 1)]
    [InlineData(4, 20_000, 1)]
    [InlineData(5, 20_000, 8)]
    public async Task A_walk_comes_to_every_entry_once(int seed, int count, int workers)
    {
        List<ManifestEntry> tree = count == 0 ? [] : RandomTree(seed, count);
        ManifestRoot root = await WriteAsync(_chunks.Inner, tree);
        var walk = new BlockWalk(_chunks, workers);

        List<string> seen = await WalkAsync(walk, [root]);

        Assert.Equal(tree.Select(entry => entry.Path.ToString()).Order(StringComparer.Ordinal), seen.Order(StringComparer.Ordinal));
        Assert.True(walk.IsAllSettled);
    }

    [Fact]
    public async Task A_block_that_many_manifests_have_is_read_once()
    {
        List<ManifestRoot> roots = [];
        List<ManifestEntry> tree = RandomTree(6, 20_000);
        for (int i = 0; i < 30; i++)
        {
            int changed = tree.FindIndex(i * 600, entry => entry.Kind == EntryKind.File);
            tree[changed] = tree[changed] with { Metadata = tree[changed].Metadata with { Modified = new(0, 77 + i) } };
            roots.Add(await WriteAsync(_chunks.Inner, tree));
        }

        List<string> seen = await WalkAsync(new BlockWalk(_chunks, 8), roots);

        Assert.All(_chunks.Reads, read => Assert.Equal(1, read.Value));
        Assert.InRange(seen.Count, tree.Count, 4 * tree.Count);
        Assert.Superset(tree.Select(entry => entry.Path.ToString()).ToHashSet(), seen.ToHashSet());
    }

    [Fact]
    public async Task A_block_that_cannot_be_read_is_told_once_and_the_others_are_visited()
    {
        List<ManifestEntry> tree = RandomTree(8, 20_000);
        ManifestRoot root = await WriteAsync(_chunks.Inner, tree);
        var leaves = new ConcurrentBag<BlockPlace>();
        await new BlockWalk(_chunks, 4).RunAsync(Roots([root, root]), (leaf, _) => Add(leaves, leaf.Place), Cancel);
        List<BlockPlace> inOrder = [.. leaves.OrderBy(place => place.Block.FirstPath)];
        _chunks.Inner.Replace(inOrder[3].Block.Id, _chunks.Inner.Get(inOrder[5].Block.Id));
        _chunks.Inner.Replace(inOrder[8].Block.Id, _chunks.Inner.Get(inOrder[8].Block.Id)[..^3]);
        var damaged = new ConcurrentBag<ChunkId>();
        var walk = new BlockWalk(_chunks, 4);

        await walk.RunAsync(
            Roots([root, root]),
            (leaf, _) =>
            {
                while (leaf.MoveNext())
                {
                }

                return leaf.Damage is null ? ValueTask.CompletedTask : Add(damaged, leaf.Place.Block.Id);
            },
            Cancel);

        Assert.Equal(new[] { inOrder[3], inOrder[8] }.Select(place => place.Block.Id).Order(), damaged.Order());
        Assert.False(walk.IsAllSettled);
        Assert.Equal(inOrder.Count - 2, inOrder.Count(walk.IsSettledLeaf));

        // Who asks for the order afterwards comes to these two alone, in each manifest that has them.
        var ordered = new ManifestWalk(_chunks, walk.IsSettledLeaf);
        for (int i = 0; i < 2; i++)
        {
            Assert.Equal(
                [inOrder[3].Block.Id, inOrder[8].Block.Id], await ordered.ReadAsync(root, Cancel).Select(leaf => leaf.Place.Block.Id).ToListAsync(Cancel));
        }
    }

    [Fact]
    public async Task What_the_visitor_throws_ends_the_walk()
    {
        ManifestRoot root = await WriteAsync(_chunks.Inner, RandomTree(9, 20_000));
        var failure = new BackupException(BackupErrorId.VaultUnreachable, "Away.", "Wait.");

        BackupException thrown =
            await Assert.ThrowsAsync<BackupException>(() => new BlockWalk(_chunks, 4).RunAsync(Roots([root]), (_, _) => throw failure, Cancel));

        Assert.Same(failure, thrown);
    }

    private static async Task<List<string>> WalkAsync(BlockWalk walk, List<ManifestRoot> roots)
    {
        var paths = new ConcurrentBag<string>();
        await walk.RunAsync(
            Roots(roots),
            (leaf, _) =>
            {
                while (leaf.MoveNext())
                {
                    paths.Add(leaf.Current.Path.ToString());
                }

                Assert.Null(leaf.Damage);
                return ValueTask.CompletedTask;
            },
            Cancel);
        return [.. paths];
    }

    private static IAsyncEnumerable<ManifestRoot> Roots(IEnumerable<ManifestRoot> roots) => roots.ToAsyncEnumerable();

    private static ValueTask Add<T>(ConcurrentBag<T> bag, T item)
    {
        bag.Add(item);
        return ValueTask.CompletedTask;
    }

    private sealed class CountingChunks : IChunkReader
    {
        public MemoryChunks Inner { get; } = new();

        public ConcurrentDictionary<ChunkId, int> Reads { get; } = new();

        public bool Contains(ChunkId id) => Inner.Contains(id);

        public ValueTask<ReadOnlyMemory<byte>> ReadAsync(ChunkKind kind, ChunkId id, CancellationToken cancellationToken)
        {
            Reads.AddOrUpdate(id, 1, (_, before) => before + 1);
            return Inner.ReadAsync(kind, id, cancellationToken);
        }
    }
}
