using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;
using static MSOnlineBackup.Engine.Tests.RecoveryPoints.Manifests;

namespace MSOnlineBackup.Engine.Tests.RecoveryPoints;

public sealed class VersionSearchTests
{
    private readonly MemoryChunks _chunks = new();
    private readonly List<BackupException> _damage = [];

    [Fact]
    public async Task Each_block_is_read_once_however_many_points_have_it()
    {
        var random = new Random(3);
        List<ManifestEntry> tree = RandomTree(3, 20_000);
        var points = new List<RecoveryPoint>();
        for (int i = 0; i < 12; i++)
        {
            points.Add(Point(i, "/src", await WriteAsync(_chunks, tree)));
            int at = tree.FindIndex(random.Next(10_000), entry => entry.Kind == EntryKind.File);
            tree[at] = tree[at] with { Metadata = tree[at].Metadata with { Modified = new(1_800_000_000 + i) } };
        }

        _chunks.ResetReads();

        List<ItemVersion> found = await FindAsync("*", points);

        Assert.Equal(_chunks.Ids.Count, _chunks.Reads);
        Assert.Equal(tree.Select(entry => entry.Path), found.Select(version => version.Item.Entry.Path).Distinct());
        Assert.All(found.GroupBy(version => version.Item.Entry.Path), versions => Assert.Equal(12, versions.Sum(version => version.Points)));
        Assert.InRange(found.Count, tree.Count + 1, tree.Count + 11);
    }

    [Fact]
    public async Task Versions_are_those_of_every_point_looked_at_by_itself()
    {
        var random = new Random(8);
        List<ManifestEntry> all = RandomTree(8, 3000);
        var points = new List<RecoveryPoint>();
        var expected = new List<(string Path, long Size, ItemTime Modified, int Point)>();
        for (int i = 0; i < 6; i++)
        {
            List<ManifestEntry> tree = [.. all.Where(_ => random.Next(3) > 0)];
            points.Add(Point(i, "/src", await WriteAsync(_chunks, tree)));
            expected.AddRange(tree.Where(entry => entry.Kind != EntryKind.Directory && entry.Path.ToString().EndsWith(".cx", StringComparison.Ordinal)).Select(entry => (entry.Path.ToString(), entry.Size, entry.Metadata.Modified, i)));
            for (int at = 0; at < all.Count; at += 7)
            {
                all[at] = all[at] with { Metadata = all[at].Metadata with { Modified = new(random.Next(3)) } };
            }
        }

        List<ItemVersion> found = await FindAsync("*.cx", points);

        Assert.NotEmpty(found);
        Assert.Equal(
            expected.GroupBy(each => (each.Path, each.Size, each.Modified))
                .Select(group => (group.Key.Path, group.Key.Size, group.Key.Modified, group.Min(each => each.Point), group.Max(each => each.Point), group.Count()))
                .OrderBy(each => each.Path, StringComparer.Ordinal).ThenBy(each => each.Item4),
            found.Where(version => version.Item.Entry.Kind != EntryKind.Directory).Select(version => (
                    version.Item.Entry.Path.ToString(),
                    version.Item.Entry.Size,
                    version.Item.Entry.Metadata.Modified,
                    points.IndexOf(version.First),
                    points.IndexOf(version.Last),
                    version.Points))
                .OrderBy(each => each.Item1, StringComparer.Ordinal).ThenBy(each => each.Item4));
    }

    [Fact]
    public async Task A_version_that_went_and_came_back_is_one_and_what_lies_in_another_bundle_too()
    {
        ChunkId one = await _chunks.WriteAsync(ChunkKind.Content, "hello, world"u8.ToArray(), Cancel);
        ChunkId other = await _chunks.WriteAsync(ChunkKind.Content, "world"u8.ToArray(), Cancel);
        ManifestEntry file = File("f", new ContentSlice(one, 7, 5));
        RecoveryPoint[] points =
        [
            Point(0, "/s", await WriteAsync(_chunks, [Folder(""), file])),
            Point(1, "/s", await WriteAsync(_chunks, [Folder(""), File("f", new ContentSlice(one, 0, 5))])),
            Point(2, "/s", await WriteAsync(_chunks, [Folder("")])),
            Point(3, "/s/f", await WriteAsync(_chunks, [File("", new ContentSlice(other, 0, 5))])),
        ];

        Assert.Equal([(0, 3, 2), (1, 1, 1)], (await FindAsync("f", points)).Select(version => (Array.IndexOf(points, version.First), Array.IndexOf(points, version.Last), version.Points)));
        Assert.Equal([(0, 0, 1)], (await FindAsync("/s/f", [points[0], Point(4, "/t", points[1].Sources[0].Manifest)])).Select(version => (Array.IndexOf(points, version.First), Array.IndexOf(points, version.Last), version.Points)));
    }

    [Fact]
    public async Task What_cannot_be_read_is_told_and_the_search_goes_on_behind_it()
    {
        List<ManifestEntry> tree = RandomTree(4, 10_000);
        RecoveryPoint point = Point(0, "/s", await WriteAsync(_chunks, tree));
        var leaves = new List<BlockPlace>();
        await foreach (WalkedLeaf leaf in new ManifestWalk(_chunks).ReadAsync(point.Sources[0].Manifest, Cancel))
        {
            leaves.Add(leaf.Place);
        }

        _chunks.Replace(leaves[1].Block.Id, [9]);

        List<ItemVersion> found = await FindAsync("*", [point]);

        Assert.Equal(tree.Count - leaves[1].Block.Totals.Entries, found.Count);
        Assert.Single(_damage);
    }

    [Fact]
    public async Task Patterns_are_read_as_Windows_writes_paths()
    {
        RecoveryPoint point = Point(0, @"C:\\T\\src", await WriteAsync(_chunks, [Folder(""), File("One.txt")])) is var made
            ? made with { Sources = [made.Sources[0] with { Form = PathForm.Windows }] }
            : throw new InvalidOperationException();

        Assert.Equal([@"C:\T\src\One.txt"], (await FindAsync(@"c:\t\SRC\*.TXT", [point])).Select(version => version.Item.FullPath));
    }

    private Task<List<ItemVersion>> FindAsync(string pattern, IEnumerable<RecoveryPoint> points) =>
        new VersionSearch(_chunks, pattern, ignoreCase: false, _damage.Add).FindAsync(points, Cancel).ToListAsync(Cancel).AsTask();

    private static RecoveryPoint Point(int number, string source, ManifestRoot root) => new()
    {
        SessionId = SessionId.Parse($"{number + 1:x12}{new string('1', 20)}"),
        MachineId = MachineId.Parse(new string('2', 32)),
        MachineName = "m",
        OperatingSystem = "o",
        AgentVersion = "0",
        Started = default,
        Ended = default,
        Status = RecoveryPointStatus.Completed,
        Sources = [new RecoveryPointSource { Path = source, Manifest = root }],
    };
}
