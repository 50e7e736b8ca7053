using MSOnlineBackup.Testing;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Storage.Testing;

/// <summary>A comparison that sees nothing would let every restore pass: each kind of difference must be told.</summary>
public sealed class TreeComparerTests : IDisposable
{
    private const string Items = """
        d folder 0750
        f folder/file 100K
        f folder/empty 0
        f odd\xff\x0aname 10
        s sparse 20M 5000@10M
        l link -> nowhere
        h hard = folder/file
        p pipe
        """;

    private static readonly Dictionary<string, Action<SourceTreeBuilder>> _changes = new(StringComparer.Ordinal)
    {
        { "/folder/file: has different content from byte 0 onward", tree => tree.File("folder/file", 100 << 10, seed: 7) },
        { "/folder/file: has 5 bytes instead of 102400", tree => tree.File("folder/file", 5) },
        { "/folder/empty: is missing", tree => tree.Delete("folder/empty") },
        { "/new: is there, but should not be", tree => tree.File("new", 1) },
        { "/folder: mode: 700 instead of 750", tree => tree.Mode("folder", 0b111_000_000) },
        { "/link: link target: elsewhere instead of nowhere", tree => tree.Delete("link").Link("link", "elsewhere") },
        { "/pipe: is a File instead of a Fifo", tree => tree.Delete("pipe").File("pipe", 1) },
        { "/hard: hard link of: hard instead of folder/file", tree => tree.Delete("hard").File("hard", 1) },
        { "/odd\\xff\\x0aname: modification time: 1970-01-01T00:00:02.000000000Z "
            + "instead of 1970-01-01T00:00:01.000000000Z", tree => tree.Modified("odd\\xff\\x0aname", 2) },
        { "its holes were filled", tree => tree.Sparse("sparse", 20 << 20, (0, 20 << 20)) },
        { "/folder: attribute user.a: 02 instead of 01", tree => tree.Attribute("folder", "user.a", [2]) },
    };

    private readonly TempFolder _temp = new();

    public TreeComparerTests() => Assert.SkipUnless(OperatingSystem.IsLinux(), "The trees are those of Linux.");

    public static TheoryData<string> Differences => [.. _changes.Keys];

    public void Dispose() => _temp.Dispose();

    [Fact]
    public void The_same_description_gives_the_same_tree() => Assert.Empty(Compare(_ => { }));

    [Theory]
    [MemberData(nameof(Differences))]
    public void A_difference_is_told(string difference) =>
        Assert.Contains(Compare(_changes[difference]), line => line.Contains(difference, StringComparison.Ordinal));

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void The_same_seed_gives_the_same_tree_and_the_same_edits(int seed)
    {
        var one = new SourceTreeBuilder(_temp["one"]);
        var two = new SourceTreeBuilder(_temp["two"]);
        one.Populate(seed, largestFile: 300_000);
        two.Populate(seed, largestFile: 300_000);

        // Folders and files that were given no time have that of their creation.
        Assert.Empty(TreeComparer.Compare(_temp["one"], _temp["two"], TreeAspects.All & ~TreeAspects.Times));

        IReadOnlyList<string> edits = one.Edit(seed, largestFile: 300_000);
        Assert.NotEmpty(TreeComparer.Compare(_temp["one"], _temp["two"], TreeAspects.All & ~TreeAspects.Times));
        Assert.Equal(edits, two.Edit(seed, largestFile: 300_000));
        Assert.Empty(TreeComparer.Compare(_temp["one"], _temp["two"], TreeAspects.All & ~TreeAspects.Times));
    }

    private IReadOnlyList<string> Compare(Action<SourceTreeBuilder> change)
    {
        Build(_temp["expected"]);
        change(Build(_temp["actual"]));
        return TreeComparer.Compare(_temp["expected"], _temp["actual"], TreeAspects.All);
    }

    private static SourceTreeBuilder Build(string root)
    {
        SourceTreeBuilder tree = new SourceTreeBuilder(root).Describe(Items).Attribute("folder", "user.a", [1]);
        foreach (string item in new[] { "folder/file", "folder/empty", "odd\\xff\\x0aname", "sparse", "link", "pipe", "folder", "" })
        {
            tree.Modified(item, 1);
        }

        return tree;
    }
}
