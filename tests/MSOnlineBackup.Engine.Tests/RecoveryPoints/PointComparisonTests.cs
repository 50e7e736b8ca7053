using System.Text;
using FsCheck;
using FsCheck.Fluent;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;
using static MSOnlineBackup.Engine.Tests.RecoveryPoints.Manifests;

namespace MSOnlineBackup.Engine.Tests.RecoveryPoints;

public sealed class PointComparisonTests
{
    private readonly MemoryChunks _chunks = new();
    private readonly List<BackupException> _damage = [];

    [Fact]
    public async Task What_two_points_share_is_not_read()
    {
        List<ManifestEntry> tree = RandomTree(1, 40_000);
        ManifestRoot before = await WriteAsync(_chunks, tree);
        int at = tree.FindIndex(20_000, entry => entry.Kind == EntryKind.File);
        tree[at] = tree[at] with { Metadata = tree[at].Metadata with { Mode = 0x40 } };
        ManifestRoot after = await WriteAsync(_chunks, tree);
        _chunks.ResetReads();

        PointDifference only = Assert.Single(await CompareAsync(Point("/src", before), Point("/src", after)));

        Assert.Equal((PointChange.Changed, ItemAspects.Mode, tree[at].Path), (only.Change, only.Aspects, only.Item.Entry.Path));
        Assert.InRange(_chunks.Reads, 2, 2 * (1 + after.Depth));
        Assert.InRange(_chunks.Ids.Count, 40, int.MaxValue);
        _chunks.ResetReads();
        Assert.Empty(await CompareAsync(Point("/src", after), Point("/src", after)));
        Assert.Equal(0, _chunks.Reads);
    }

    // The vault may be far away.
    [Fact]
    public async Task Leaves_that_differ_are_asked_for_ahead_and_no_others()
    {
        List<ManifestEntry> tree = RandomTree(3, 60_000);
        ManifestRoot before = await WriteAsync(_chunks, tree);
        for (int i = 2000; i < tree.Count; i += 4000)
        {
            tree[i] = tree[i] with { Metadata = tree[i].Metadata with { Mode = tree[i].Metadata.Mode ^ 1 } };
        }

        ManifestRoot after = await WriteAsync(_chunks, tree);
        HashSet<ChunkId> leaves = [.. (await LeavesAsync(before)).Select(leaf => leaf.Block.Id)];
        leaves.SymmetricExceptWith((await LeavesAsync(after)).Select(leaf => leaf.Block.Id));
        Assert.InRange(leaves.Count, 16, int.MaxValue);
        var chunks = new GatheringChunks(_chunks, wanted: 10);

        List<PointDifference> differences = await new PointComparison(chunks, Point("/src", before), Point("/src", after), null, _damage.Add).ReadAsync(Cancel).ToListAsync(Cancel);

        Assert.Equal(15, differences.Count);
        Assert.Equal(leaves, chunks.Leaves.ToHashSet());
        Assert.Equal(leaves.Count, chunks.Leaves.Count);
    }

    // Where a folder comes or goes, the blocks behind it are cut as before, and those around it are not.
    [Theory]
    [InlineData(1)]
    [InlineData(700)]
    public async Task Blocks_that_are_cut_differently_are_read_and_those_behind_them_are_not(int count)
    {
        List<ManifestEntry> tree = RandomTree(2, 40_000);
        ManifestRoot before = await WriteAsync(_chunks, tree);
        ManifestEntry[] added = [.. Enumerable.Range(0, count).Select(i => File($"{tree[15_000].Path.Parent}/zz{i:d4}").WithPath(tree[15_000].Path.Parent, $"zz{i:d4}"))];
        ManifestRoot after = await WriteAsync(_chunks, [.. tree.Concat(added).OrderBy(entry => entry.Path)]);
        _chunks.ResetReads();

        List<PointDifference> differences = await CompareAsync(Point("/src", before), Point("/src", after));

        Assert.Equal(added.Select(entry => (PointChange.Added, entry.Path)), differences.Select(each => (each.Change, each.Item.Entry.Path)));
        Assert.InRange(_chunks.Reads, 2, 24);
        _chunks.ResetReads();
        Assert.All(await CompareAsync(Point("/src", after), Point("/src", before)), each => Assert.Equal(PointChange.Gone, each.Change));
        Assert.InRange(_chunks.Reads, 2, 24);
    }

    [Fact]
    public void The_comparison_of_any_two_trees_is_that_of_every_path_with_every_other() =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(40), Prop.ForAll<int, PositiveInt>((seed, size) =>
        {
            var random = new Random(seed);
            List<ManifestEntry> before = RandomTree(seed, 1 + (size.Get * 13 % 3000));
            List<ManifestEntry> after = random.Next(4) == 0 ? RandomTree(seed + 1, 1 + random.Next(2000)) : Altered(before, random);
            return Task.Run(async () =>
            {
                var chunks = new MemoryChunks();
                RecoveryPoint one = Point("/src", await WriteAsync(chunks, before));
                RecoveryPoint other = Point("/src", await WriteAsync(chunks, after));
                List<PointDifference> found = await new PointComparison(chunks, one, other, null, _ => { }).ReadAsync(Cancel).ToListAsync(Cancel);
                Assert.Equal(await CompareNaivelyAsync(chunks, before, after), found.Select(each => (each.Item.Entry.Path.ToString(), each.Change, each.Aspects)));
                return true;
#pragma warning disable VSTHRD002 // Nothing in a test has a context to block.
            }).GetAwaiter().GetResult();
#pragma warning restore VSTHRD002
        }));

    [Fact]
    public async Task Sources_are_compared_by_full_paths()
    {
        ManifestEntry[] home = [Folder(""), File("a"), Folder("anna"), File("anna/x"), File("anna/y"), File("z")];
        ManifestEntry[] anna = [Folder(""), File("x") with { Metadata = new EntryMetadata { Mode = 1 } }, File("new")];
        RecoveryPoint before = Point("/home", await WriteAsync(_chunks, home));
        RecoveryPoint after = Point("/home/anna", await WriteAsync(_chunks, [.. anna.OrderBy(entry => entry.Path)]));

        Assert.Equal(
            ["Gone /home", "Gone /home/a", "Added /home/anna/new", "Changed /home/anna/x", "Gone /home/anna/y", "Gone /home/z"],
            (await CompareAsync(before, after)).Select(Text));

        RecoveryPoint root = Point("/", await WriteAsync(_chunks, [Folder(""), .. home.Select(entry => entry.WithPath(Path("home"), entry.Path.ToString()))]));
        Assert.Equal(["Gone /"], (await CompareAsync(root, before)).Select(Text));
        Assert.Equal(["Added /"], (await CompareAsync(before, root)).Select(Text));
    }

    [Fact]
    public async Task In_points_of_Windows_case_does_not_count()
    {
        RecoveryPoint before = Point(@"C:\\T\\src", await WriteAsync(_chunks, [Folder(""), Folder("Docs"), File("Docs/One"), File("Docs/Ärger"), File("same")]), PathForm.Windows);
        RecoveryPoint after = Point(
            @"c:\\t\\SRC", await WriteAsync(_chunks, [Folder(""), Folder("docs"), File("docs/ONE") with { Metadata = new EntryMetadata { Mode = 1, Modified = new(5) } }, File("docs/two"), File("docs/ärger"), File("same")]), PathForm.Windows);

        Assert.Equal([@"Added c:\t\SRC\docs\two", @"Changed c:\t\SRC\docs\ONE"], (await CompareAsync(before, after)).Select(Text));
        Assert.Empty(await CompareAsync(before, before with { Sources = [before.Sources[0] with { Path = @"c:\\T\\src" }] }));

        // Not so where case counts.
        RecoveryPoint posix = Point("/s", await WriteAsync(_chunks, [Folder(""), File("A")]));
        Assert.Equal(["Gone /s/A", "Added /s/a"], (await CompareAsync(posix, Point("/s", await WriteAsync(_chunks, [Folder(""), File("a")])))).Select(Text));
    }

    [Fact]
    public async Task Two_names_that_differ_by_case_only_are_matched_as_they_are_written()
    {
        ManifestEntry[] both = [Folder(""), File("A"), File("a") with { Metadata = new EntryMetadata { Mode = 7 } }];
        RecoveryPoint before = Point(@"C:\\s", await WriteAsync(_chunks, both), PathForm.Windows);

        Assert.Equal([@"Gone C:\s\A"], (await CompareAsync(before, Point(@"C:\\s", await WriteAsync(_chunks, [both[0], both[2]]), PathForm.Windows))).Select(Text));
    }

    [Fact]
    public async Task What_cannot_be_read_is_not_compared_and_all_else_is()
    {
        List<ManifestEntry> tree = [.. Enumerable.Range(0, 20_000).Select(i => File($"f{i:d5}", new ContentSlice(Chunk(i), 0, 5)))];
        ManifestRoot before = await WriteAsync(_chunks, tree);
        List<ManifestEntry> changed = [.. tree.Select(entry => entry with { Metadata = entry.Metadata with { Mode = 0x80 } })];
        ManifestRoot after = await WriteAsync(_chunks, changed);
        List<BlockPlace> leaves = await LeavesAsync(after);
        _chunks.Replace(leaves[2].Block.Id, _chunks.Get(leaves[2].Block.Id)[..^3]);
        _chunks.Replace(leaves[4].Block.Id, [9]);

        List<PointDifference> differences = await CompareAsync(Point("/s", before), Point("/s", after));

        Assert.Equal(tree.Select(entry => entry.Path), differences.Select(each => each.Item.Entry.Path));
        Assert.Equal([PointChange.Changed, PointChange.NotCompared], differences.Select(each => each.Change).Distinct().Order());
        PointDifference[] unknown = [.. differences.Where(each => each.Change == PointChange.NotCompared)];
        Assert.Equal(leaves[4].Block.Totals.Entries + 1, unknown.Length);
        Assert.All(unknown.Skip(1), each => Assert.True(each.Item.Entry.Path >= leaves[4].Block.FirstPath && each.Item.Entry.Path < leaves[4].End!.Value));
        Assert.Equal(2, _damage.Count);

        // The other way round nothing counts as new.
        differences = await CompareAsync(Point("/s", after), Point("/s", before));
        Assert.DoesNotContain(differences, each => each.Change is PointChange.Added or PointChange.Gone);
        Assert.Equal(unknown.Length, differences.Count(each => each.Change == PointChange.NotCompared));
    }

    [Fact]
    public async Task A_source_of_which_nothing_can_be_read_is_told_and_nothing_of_it_is_gone()
    {
        ManifestRoot before = await WriteAsync(_chunks, [Folder(""), File("a")]);
        ManifestRoot after = await WriteAsync(_chunks, [Folder(""), File("b")]);
        _chunks.Replace(after.Id, []);

        Assert.All(await CompareAsync(Point("/s", before), Point("/s", after)), each => Assert.Equal(PointChange.NotCompared, each.Change));
        Assert.Single(_damage);
    }

    [Fact]
    public async Task A_change_says_what_it_is()
    {
        ManifestEntry file = File("f", new ContentSlice(Chunk(1), 0, 5));
        var attribute = new EntryAttribute(AttributeTag.ExtendedAttribute, "n"u8.ToArray(), "v"u8.ToArray());
        (ManifestEntry Now, ItemAspects Aspects)[] changes =
        [
            (file with { Metadata = file.Metadata with { Changed = new(1), FileId = 7, DeviceId = 3, Created = new(9) } }, ItemAspects.None),
            (file with { Metadata = file.Metadata with { Mode = 1 } }, ItemAspects.Mode),
            (file with { Metadata = file.Metadata with { UserId = 1 } }, ItemAspects.Owner),
            (file with { Metadata = file.Metadata with { GroupId = 1, Modified = new(1) } }, ItemAspects.Owner | ItemAspects.Modified),
            (file with { Metadata = file.Metadata with { LinkCount = 2 } }, ItemAspects.Links),
            (file with { Attributes = [attribute] }, ItemAspects.Attributes),
            (file with { UnknownFields = [new UnknownField(20, "x"u8.ToArray())] }, ItemAspects.Attributes),
            (file with { Size = 6, Content = new EntryContent([new ContentSlice(Chunk(1), 0, 6)], []) }, ItemAspects.Content),
            (Folder("f") with { Metadata = file.Metadata }, ItemAspects.Kind),
        ];
        RecoveryPoint before = Point("/s", await WriteAsync(_chunks, [Folder(""), file]));
        foreach ((ManifestEntry now, ItemAspects aspects) in changes)
        {
            // That something in a folder came or went says nothing of the folder.
            ManifestEntry root = Folder("") with { Metadata = new EntryMetadata { Mode = 0x1ed, Modified = new(5) } };
            List<PointDifference> found = await CompareAsync(before, Point("/s", await WriteAsync(_chunks, [root, now])));
            Assert.Equal(aspects, found.Aggregate(ItemAspects.None, (all, each) => all | each.Aspects));
            Assert.All(found, each => Assert.Equal("Changed /s/f", Text(each)));
        }

        ManifestEntry link = new() { Path = Path("l"), Kind = EntryKind.SymbolicLink, Metadata = new EntryMetadata(), LinkTarget = "a"u8.ToArray() };
        RecoveryPoint links = Point("/s", await WriteAsync(_chunks, [Folder(""), link]));
        Assert.Equal(ItemAspects.Target, Assert.Single(await CompareAsync(links, Point("/s", await WriteAsync(_chunks, [Folder(""), link with { LinkTarget = "b"u8.ToArray() }])))).Aspects);
    }

    [Fact]
    public async Task A_small_file_in_another_bundle_is_the_same_where_its_bytes_are()
    {
        ChunkId one = await _chunks.WriteAsync(ChunkKind.Content, "hello, world"u8.ToArray(), Cancel);
        ChunkId other = await _chunks.WriteAsync(ChunkKind.Content, "world and hello"u8.ToArray(), Cancel);
        RecoveryPoint before = Point("/s", await WriteAsync(_chunks, [Folder(""), File("a", new ContentSlice(one, 0, 5)), File("b", new ContentSlice(one, 7, 5)), File("c", new ContentSlice(Chunk(1), 0, 3))]));
        RecoveryPoint after = Point(
            "/s",
            await WriteAsync(
                _chunks, [Folder(""), File("a", new ContentSlice(other, 10, 5)), File("b", new ContentSlice(other, 6, 5)), File("c", new ContentSlice(other, 0, 3))]));

        List<PointDifference> differences = await CompareAsync(before, after);

        // The third file's old bundle is not there: nobody can say.
        Assert.Equal(["Changed /s/b", "NotCompared /s/c"], differences.Select(Text));
        Assert.Equal(ItemAspects.Content, differences[0].Aspects);
        Assert.Equal(BackupErrorId.VaultDataMissing, Assert.Single(_damage).Id);
    }

    [Fact]
    public async Task A_file_that_could_not_be_read_is_not_compared()
    {
        RecoveryPoint before = Point("/s", await WriteAsync(_chunks, [File("a", new ContentSlice(Chunk(1), 0, 5))]));
        RecoveryPoint after = Point("/s", await WriteAsync(_chunks, [File("a") with { Flags = EntryFlags.Unreadable }]));

        Assert.Equal(["NotCompared /s/a"], (await CompareAsync(before, after)).Select(Text));
        Assert.Empty(await CompareAsync(after, after with { Sources = [after.Sources[0]] }));
    }

    [Fact]
    public async Task What_is_new_is_counted_once_and_not_what_the_file_had_before()
    {
        // Two bundles and a large chunk came after the reference, and one of them, moved by maintenance, is in it.
        var stored = new Dictionary<ChunkId, NewChunk> { [Chunk(1)] = new(100, 50), [Chunk(2)] = new(1000, 10), [Chunk(3)] = new(10, 10) };
        RecoveryPoint before = Point("/s", await WriteAsync(_chunks, [Folder(""), File("x/a", new ContentSlice(Chunk(3), 0, 10)), File("y", new ContentSlice(Chunk(9), 0, 5))]));
        RecoveryPoint after = Point(
            "/s",
            await WriteAsync(
                _chunks,
                [
                    Folder(""),
                    File("x/a", new ContentSlice(Chunk(3), 0, 10), new ContentSlice(Chunk(2), 0, 1000)),
                    File("x/b/c", new ContentSlice(Chunk(1), 0, 20), new ContentSlice(null, 0, 4096)),
                    File("x/b/d", new ContentSlice(Chunk(1), 20, 80)),
                    File("x/e", new ContentSlice(Chunk(1), 0, 20)),
                    File("y", new ContentSlice(Chunk(9), 0, 5)) with { Metadata = new EntryMetadata() },
                ]));

        List<PointDifference> differences = await CompareAsync(before, after, new NewContent(_chunks, id => stored.TryGetValue(id, out NewChunk chunk) ? chunk : null));

        Assert.Equal([(1000, 10), (20, 10), (80, 40), (0, 0), (0, 0)], differences.Select(each => (each.NewBytes!.Value, each.StoredBytes!.Value)));
        var folders = new FolderWeights(depth: 2);
        differences.ForEach(folders.Add);
        Assert.Equal(
            [
                new FolderWeight("/s", 0, 4, 1010 + 4116 + 80 + 20, 1100, 60),
                new FolderWeight("/s/x", 1, 4, 1010 + 4116 + 80 + 20, 1100, 60),
                new FolderWeight("/s/x/b", 2, 2, 4116 + 80, 100, 50),
            ],
            folders.ToList());
        var few = new FolderWeights(depth: 5, mostFolders: 2);
        differences.ForEach(few.Add);
        Assert.Equal(["/s", "/s/x"], few.ToList().Select(folder => folder.Path));
    }

    private static string Text(PointDifference difference) => $"{difference.Change} {difference.Item.FullPath}";

    private static List<ManifestEntry> Altered(List<ManifestEntry> tree, Random random)
    {
        var altered = new List<ManifestEntry>();
        int rare = 1 << random.Next(1, 10);
        foreach (ManifestEntry entry in tree)
        {
            switch (random.Next(rare))
            {
                case 0:
                    break;
                case 1:
                    altered.Add(entry with { Metadata = entry.Metadata with { Mode = entry.Metadata.Mode ^ 1 } });
                    break;
                case 2:
                    altered.Add(entry);
                    altered.Add(File("x").WithPath(entry.Path, "added"));
                    break;
                default:
                    altered.Add(entry);
                    break;
            }
        }

        return [.. altered.DistinctBy(entry => entry.Path).OrderBy(entry => entry.Path)];
    }

    private static async Task<IEnumerable<(string, PointChange, ItemAspects)>> CompareNaivelyAsync(MemoryChunks chunks, List<ManifestEntry> before, List<ManifestEntry> after)
    {
        var entries = new EntryComparison(chunks, _ => { });
        Dictionary<EntryPath, ManifestEntry> now = after.ToDictionary(entry => entry.Path);
        var earlier = before.Select(entry => entry.Path).ToHashSet();
        var found = new List<(EntryPath Path, PointChange, ItemAspects)>();
        foreach (ManifestEntry entry in before)
        {
            if (!now.TryGetValue(entry.Path, out ManifestEntry? same))
            {
                found.Add((entry.Path, PointChange.Gone, ItemAspects.None));
            }
            else if (await entries.CompareAsync(entry, same, PathForm.Posix, Cancel) is not ItemAspects.None and var aspects)
            {
                found.Add((entry.Path, aspects is null ? PointChange.NotCompared : PointChange.Changed, aspects ?? ItemAspects.None));
            }
        }

        found.AddRange(after.Where(entry => !earlier.Contains(entry.Path)).Select(entry => (entry.Path, PointChange.Added, ItemAspects.None)));
        return found.OrderBy(each => each.Path).Select(each => (each.Path.ToString(), each.Item2, each.Item3));
    }

    private async Task<List<BlockPlace>> LeavesAsync(ManifestRoot root)
    {
        var leaves = new List<BlockPlace>();
        await foreach (WalkedLeaf leaf in new ManifestWalk(_chunks).ReadAsync(root, Cancel))
        {
            leaves.Add(leaf.Place);
        }

        return leaves;
    }

    private Task<List<PointDifference>> CompareAsync(RecoveryPoint before, RecoveryPoint after, NewContent? weights = null) =>
        new PointComparison(_chunks, before, after, weights, _damage.Add).ReadAsync(Cancel).ToListAsync(Cancel).AsTask();

    private static RecoveryPoint Point(string source, ManifestRoot root, PathForm form = PathForm.Posix) => new()
    {
        SessionId = SessionId.Parse(new string('1', 32)),
        MachineId = MachineId.Parse(new string('2', 32)),
        MachineName = "m",
        OperatingSystem = "o",
        AgentVersion = "0",
        Started = default,
        Ended = default,
        Status = RecoveryPointStatus.Completed,
        Sources = [new RecoveryPointSource { Path = source, Form = form, Manifest = root }],
    };
}

file static class Entries
{
    public static ManifestEntry WithPath(this ManifestEntry entry, EntryPath folder, string name) =>
        entry with { Path = name.Length == 0 ? folder : folder.Append(Encoding.UTF8.GetBytes(name)) };
}

/// <summary>Gives no leaf before so many are asked for: who asks for one after the other does not get any.</summary>
file sealed class GatheringChunks(MemoryChunks chunks, int wanted) : IChunkReader
{
    private readonly TaskCompletionSource _gathered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<ChunkId> _leaves = [];

    public IReadOnlyCollection<ChunkId> Leaves => _leaves;

    public bool Contains(ChunkId id) => chunks.Contains(id);

    public async ValueTask<ReadOnlyMemory<byte>> ReadAsync(ChunkKind kind, ChunkId id, CancellationToken cancellationToken)
    {
        if (kind == ChunkKind.ManifestLeaf)
        {
            lock (_leaves)
            {
                _leaves.Add(id);
                if (_leaves.Count == wanted)
                {
                    _gathered.SetResult();
                }
            }

            await _gathered.Task.WaitAsync(TimeSpan.FromSeconds(60), cancellationToken);
        }

        return await chunks.ReadAsync(kind, id, cancellationToken);
    }
}
