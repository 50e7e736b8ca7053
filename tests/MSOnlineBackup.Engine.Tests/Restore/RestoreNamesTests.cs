using System.Text;
using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Restore.RestoreFixture;

namespace MSOnlineBackup.Engine.Tests.Restore;

/// <summary>Names that a target cannot have, or not beside each other.</summary>
public sealed class RestoreNamesTests
{
    [Theory]
    [InlineData(RestoreConflict.Skip)]
    [InlineData(RestoreConflict.Overwrite)]
    [InlineData(RestoreConflict.Copy)]
    public async Task Names_that_differ_by_case_only_are_restored_beside_each_other_where_the_target_takes_them_for_one(RestoreConflict conflict)
    {
        await using RestoreFixture vault = await CaseAsync();
        var target = new MemoryTarget(ignoresCase: true);

        (_, RestoreResult result) = await vault.RestoreAsync(Request(await vault.PointAsync(), conflict), target);

        Assert.Equal("FOO"u8.ToArray(), target["src/FOO.txt"].Content);
        Assert.Equal("Foo"u8.ToArray(), target["src/Foo (case 2).txt"].Content);
        Assert.Equal("foo"u8.ToArray(), target["src/foo (case 3).txt"].Content);
        Assert.Equal("in D"u8.ToArray(), target["src/D/x"].Content);
        Assert.Equal("in d"u8.ToArray(), target["src/d (case 2)/x"].Content);
        Assert.Equal(3, result.Renamed);
        Assert.Equal(["/src/Foo.txt", "/src/d", "/src/foo.txt"], vault.Skipped.Select(item => item.Path).Order(StringComparer.Ordinal));
        Assert.All(vault.Skipped, item => Assert.Equal(BackupErrorId.RestoreItemRenamed, item.Id));
        Assert.Contains(
            $"'{System.IO.Path.Join("src", "Foo (case 2).txt")}'",
            vault.Skipped[0].Reason + vault.Skipped[1].Reason + vault.Skipped[2].Reason,
            StringComparison.Ordinal);
        Assert.True(target["src/d (case 2)"].IsFinished);
    }

    [Fact]
    public async Task Restored_again_they_are_the_same()
    {
        await using RestoreFixture vault = await CaseAsync();
        var target = new MemoryTarget(ignoresCase: true);
        RecoveryPoint point = await vault.PointAsync();
        await vault.RestoreAsync(Request(point), target);
        IReadOnlyList<string> first = target.Paths;
        target.Settle();
        vault.Skipped.Clear();

        (_, RestoreResult result) = await vault.RestoreAsync(Request(point, RestoreConflict.Overwrite, verify: true), target);

        Assert.Equal(first, target.Paths);
        Assert.Equal((0, 5), (result.Files, result.AlreadyThere));
    }

    [Fact]
    public async Task Where_case_counts_nothing_is_renamed_and_each_folder_is_tried_once()
    {
        await using RestoreFixture vault = await CaseAsync();
        var target = new MemoryTarget();

        (_, RestoreResult result) = await vault.RestoreAsync(Request(await vault.PointAsync()), target);

        Assert.Equal("foo"u8.ToArray(), target["src/foo.txt"].Content);
        Assert.Equal((0, 0), (result.Renamed, result.Skipped));
        Assert.Equal(1, target.CaseTrials);
    }

    [Fact]
    public async Task A_name_that_is_given_is_no_other_items()
    {
        await using RestoreFixture vault = await RestoreFixture.CreateAsync();
        vault.Folder("");
        await vault.FileAsync("A", "A");
        await vault.FileAsync("a", "a");
        await vault.FileAsync("a (case 2)", "named so");
        var target = new MemoryTarget(ignoresCase: true);

        await vault.RestoreAsync(Request(await vault.PointAsync()), target);

        Assert.Equal(3, target.Paths.Count - 1);
        Assert.Equal("a"u8.ToArray(), target["src/a (case 2)"].Content);
        Assert.Equal("named so"u8.ToArray(), target["src/a (case 2) (case 2)"].Content);
    }

    [Fact]
    public async Task Sources_that_differ_by_case_only_are_kept_apart_too()
    {
        await using RestoreFixture vault = await RestoreFixture.CreateAsync();
        vault.Folder("");
        vault.Folder("x");
        RecoveryPoint point = await vault.PointAsync("/home/Anna");
        point = point with { Sources = [point.Sources[0], point.Sources[0] with { Path = "/home/anna" }, point.Sources[0] with { Path = "/Home/z" }] };
        var target = new MemoryTarget(ignoresCase: true);

        await vault.RestoreAsync(Request(point), target);

        Assert.Equal(
            ["Home (case 2)", "Home (case 2)/z", "Home (case 2)/z/x", "home", "home/Anna", "home/Anna/x", "home/anna (case 2)", "home/anna (case 2)/x"],
            target.Paths.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void An_item_that_is_come_to_again_keeps_the_name_that_it_got()
    {
        var names = new FolderNames();
        int trials = 0;

        Assert.Equal("Anna", Choose("Anna"));
        Assert.Equal("anna (case 2)", Choose("anna"));
        Assert.Equal("Anna", Choose("Anna"));
        Assert.Equal("anna (case 2)", Choose("anna"));
        Assert.Equal("ANNA (case 3)", Choose("ANNA"));
        Assert.Equal("\u00e4", Choose("\u00e4"));
        Assert.Equal("\u00c4 (case 2)", Choose("\u00c4"));
        Assert.Equal(1, trials);

        string Choose(string name) => Encoding.UTF8.GetString(names.Choose(Encoding.UTF8.GetBytes(name), () => ++trials > 0, out _));
    }

    [Theory]
    [InlineData(RestoreConflict.Skip)]
    [InlineData(RestoreConflict.Overwrite)]
    public async Task A_name_that_cannot_be_had_costs_one_message_that_names_the_option(RestoreConflict conflict)
    {
        await using RestoreFixture vault = await AwkwardAsync();
        var target = new MemoryTarget { Lacks = name => !MappedName.IsPossible(EntryPath.Parse(name).Bytes) };

        (RestorePlan plan, RestoreResult result) = await vault.RestoreAsync(Request(await vault.PointAsync(), conflict), target);

        Assert.Equal(["src", "src/dot.", "src/full\uff1awidth", "src/plain"], target.Paths);
        Assert.Equal(
            ["/src/a:b", "/src/fol?der", "/src/fol?der/in", "/src/link|", "/src/tab\\x09"],
            vault.Skipped.Select(item => item.Path).Order(StringComparer.Ordinal));
        Assert.All(vault.Skipped, item => Assert.Equal(BackupErrorId.RestoreNameImpossible, item.Id));
        Assert.All(vault.Skipped, item => Assert.Contains("--map-names", item.Reason, StringComparison.Ordinal));
        Assert.Equal((5, 5), (plan.Unrestorable, result.Skipped));
        Assert.Equal(0, result.Renamed);
    }

    [Fact]
    public async Task With_the_mapping_everything_comes_back()
    {
        await using RestoreFixture vault = await AwkwardAsync();
        var target = new MemoryTarget { Lacks = name => !MappedName.IsPossible(EntryPath.Parse(name).Bytes) };

        (RestorePlan plan, RestoreResult result) = await vault.RestoreAsync(Request(await vault.PointAsync()) with { MapNames = true }, target);

        Assert.Equal(
            ["src", "src/a\uff1ab", "src/dot\uff0e", "src/fol\uff1fder", "src/fol\uff1fder/in", "src/full\u201b\uff1awidth", "src/link\uff5c", "src/plain", "src/tab\u2409"],
            target.Paths.Order(StringComparer.Ordinal));
        Assert.Equal("inner"u8.ToArray(), target["src/fol\uff1fder/in"].Content);
        Assert.Equal((0, 0), (plan.Unrestorable, result.Skipped));
        Assert.Equal(6, result.Renamed);
    }

    [Fact]
    public async Task Where_names_are_to_be_mapped_one_that_differs_by_case_is_no_reason_for_a_warning()
    {
        await using RestoreFixture vault = await CaseAsync();

        (_, RestoreResult result) = await vault.RestoreAsync(Request(await vault.PointAsync()) with { MapNames = true }, new MemoryTarget(ignoresCase: true));

        Assert.Equal((3, 0), (result.Renamed, result.Skipped));
    }

    private static async Task<RestoreFixture> CaseAsync()
    {
        RestoreFixture vault = await RestoreFixture.CreateAsync();
        vault.Folder("");
        vault.Folder("D");
        vault.Folder("d");
        await vault.FileAsync("D/x", "in D");
        await vault.FileAsync("d/x", "in d");
        await vault.FileAsync("FOO.txt", "FOO");
        await vault.FileAsync("Foo.txt", "Foo");
        await vault.FileAsync("foo.txt", "foo");
        return vault;
    }

    private static async Task<RestoreFixture> AwkwardAsync()
    {
        RestoreFixture vault = await RestoreFixture.CreateAsync();
        vault.Folder("");
        vault.Folder("fol?der");
        await vault.FileAsync("a:b", "colon");
        await vault.FileAsync("dot.", "dot");
        await vault.FileAsync("fol?der/in", "inner");
        await vault.FileAsync("full\uff1awidth", "wide");
        await vault.FileAsync("plain", "plain");
        await vault.FileAsync("tab\t", "tab");
        vault.Add(new ManifestEntry { Path = EntryPath.Parse("link|"), Kind = EntryKind.SymbolicLink, LinkTarget = Encoding.UTF8.GetBytes("plain"), Metadata = new EntryMetadata() });
        return vault;
    }
}
