using System.Text;
using MSOnlineBackup.Mounts.Serving;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Mounts.Serving;

public sealed class ServedTreeTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("file")]
    [InlineData("./../a//file")]
    [InlineData("/a/file")]
    [InlineData("../../../../a/file")]
    [InlineData("other")]
    [InlineData("../b/back/file")]
    public async Task A_link_is_what_it_leads_to_within_the_point(string target)
    {
        (MemoryView view, ulong a) = Tree();
        view.Link(a, "link", target);

        ServedItem? found = await FindAsync(view, "a/link");

        Assert.Equal("file"u8, found!.Item.Name.Span);
        Assert.Equal("link", found.Name);
    }

    [Theory]
    [InlineData("")]
    [InlineData("nowhere")]
    [InlineData("file/below")]
    [InlineData("loop")]
    [InlineData("..")]
    [InlineData(".")]
    [InlineData("/")]
    [InlineData("pipe")]
    public async Task A_link_that_leads_nowhere_or_back_is_not_there(string target)
    {
        (MemoryView view, ulong a) = Tree();
        view.Link(a, "link", target);
        view.Link(a, "loop", "loop");
        view.Pipe(a, "pipe");

        Assert.Null(await FindAsync(view, "a/link"));
    }

    [Fact]
    public async Task Who_walks_through_everything_comes_to_an_end()
    {
        (MemoryView view, ulong a) = Tree();
        view.Link(a, "to-b", "../b");

        Assert.NotNull(await FindAsync(view, "a/to-b"));
        Assert.Null(await FindAsync(view, "a/to-b/back"));
        Assert.NotNull(await FindAsync(view, "b/back"));
    }

    [Fact]
    public async Task Links_that_lead_into_one_another_end()
    {
        (MemoryView view, ulong a) = Tree();
        for (int i = 0; i < 60; i++)
        {
            view.Link(a, $"l{i}", i == 0 ? "." : $"l{i - 1}/l{i - 1}/l{i - 1}");
        }

        Assert.Null(await FindAsync(view, "a/l59/file"));
    }

    [Fact]
    public async Task Absolute_links_among_all_points_begin_at_their_point()
    {
        var view = new MemoryView();
        ulong machine = view.Folder(1, "m");
        ulong point = view.Folder(machine, "2026");
        view.Link(machine, "latest", "2026");
        ulong home = view.Folder(point, "home");
        view.File(home, "file", [1]);
        view.Link(home, "absolute", "/home/file");
        view.Link(home, "above", "../../../../home/file");
        view.Link(1, "outside", "/m");
        var tree = new ServedTree(view, isOfAllPoints: true);

        Assert.NotNull(await FindAsync(tree, "m/2026/home/absolute"));
        Assert.NotNull(await FindAsync(tree, "m/latest/home/absolute"));
        Assert.NotNull(await FindAsync(tree, "m/2026/home/above"));
        Assert.Null(await FindAsync(tree, "outside"));
    }

    [Theory]
    [InlineData(@"C:\a\file", true)]
    [InlineData(@"\??\C:\a\file", true)]
    [InlineData(@"\\?\C:\a\file", true)]
    [InlineData(@"..\a\file", true)]
    [InlineData(@"\a\file", false)]
    [InlineData(@"\??\Volume{1}\a", false)]
    public async Task Links_of_Windows_are_read_as_Windows_does(string target, bool leads)
    {
        var view = new MemoryView { Form = PathForm.Windows };
        ulong drive = view.Folder(1, "C");
        ulong a = view.Folder(drive, "a");
        view.File(a, "file", [1]);
        view.Link(a, "link", target);

        Assert.Equal(leads, await FindAsync(view, "C/a/link") is not null);
    }

    private static (MemoryView View, ulong A) Tree()
    {
        var view = new MemoryView();
        ulong a = view.Folder(1, "a");
        ulong b = view.Folder(1, "b");
        view.File(a, "file", [1, 2, 3]);
        view.Link(a, "other", "file");
        view.Link(b, "back", "../a");
        return (view, a);
    }

    private static ValueTask<ServedItem?> FindAsync(MemoryView view, string path) => FindAsync(new ServedTree(view, isOfAllPoints: false), path);

    private static ValueTask<ServedItem?> FindAsync(ServedTree tree, string path) => tree.FindAsync(path.Split('/').Select(Encoding.UTF8.GetBytes), Cancel);
}
