using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Restore.RestoreFixture;

namespace MSOnlineBackup.Engine.Tests.Restore;

/// <summary>Where below the target selected items go.</summary>
public sealed class RestoreLayoutTests
{
    [Fact]
    public async Task Selected_items_go_directly_below_the_target_by_their_own_name()
    {
        await using RestoreFixture vault = await NestedAsync();
        var target = new MemoryTarget();

        (RestorePlan plan, RestoreResult result) = await vault.RestoreAsync(ByName(await vault.PointAsync(), "/src/a/deep", "/src/b/file"), target);

        Assert.Equal(["deep", "deep/one", "deep/two", "deep/two/three", "file"], target.Paths);
        Assert.Equal("three"u8.ToArray(), target["deep/two/three"].Content);
        Assert.True(target["deep/two"].IsFinished);
        Assert.Equal((plan.Files, plan.Directories), (result.Files, result.Directories));
        Assert.Equal((3, 2), (result.Files, result.Directories));
    }

    [Theory]
    [InlineData("/src", "src/b/file")]
    [InlineData("/home/anna", "anna/b/file")]
    [InlineData("/", "b/file")]
    [InlineData(@"C:\Data", "Data/b/file")]
    public async Task A_whole_source_goes_below_its_own_name_if_it_has_one(string source, string expected)
    {
        await using RestoreFixture vault = await NestedAsync();
        var target = new MemoryTarget();

        await vault.RestoreAsync(ByName(await vault.PointAsync(source)), target);

        Assert.Equal("file of b"u8.ToArray(), target[expected].Content);
    }

    [Fact]
    public async Task Items_of_one_name_go_by_their_full_paths_as_do_the_others()
    {
        await using RestoreFixture vault = await NestedAsync();
        var target = new MemoryTarget();
        RestoreRequest request = ByName(await vault.PointAsync(), "/src/a/file", "/src/b/file", "/src/a/deep");

        (_, RestoreResult result) = await vault.RestoreAsync(request, target);

        Assert.Equal(RestoreLayout.FullPath, result.Layout);
        Assert.Equal("file of a"u8.ToArray(), target["src/a/file"].Content);
        Assert.Equal("file of b"u8.ToArray(), target["src/b/file"].Content);
        Assert.Equal("one"u8.ToArray(), target["src/a/deep/one"].Content);
        Assert.Empty(vault.Skipped);
    }

    private static RestoreRequest ByName(RecoveryPoint point, params string[] paths) =>
        Request(point, paths: paths) with { Layout = RestoreLayout.ItemName };

    private static async Task<RestoreFixture> NestedAsync()
    {
        RestoreFixture vault = await CreateAsync();
        vault.Folder("");
        vault.Folder("a");
        vault.Folder("a/deep");
        await vault.FileAsync("a/deep/one", "one");
        vault.Folder("a/deep/two");
        await vault.FileAsync("a/deep/two/three", "three");
        await vault.FileAsync("a/file", "file of a");
        vault.Folder("b");
        await vault.FileAsync("b/file", "file of b");
        return vault;
    }
}
