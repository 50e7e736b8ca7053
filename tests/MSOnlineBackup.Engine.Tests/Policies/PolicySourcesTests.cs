using System.Text;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Vaults.Errors;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Policies.SamplePolicy;

namespace MSOnlineBackup.Engine.Tests.Policies;

public sealed class PolicySourcesTests
{
    [Fact]
    public void Each_inclusion_becomes_a_source_in_the_order_of_the_policy()
    {
        IReadOnlyList<(string Path, SourceSelection Selection)> sources =
            Resolve(new("/srv//data/"), new("/etc", NonRecursive: true), new("/home/*"));

        Assert.Equal(["/srv/data", "/etc", "/home"], sources.Select(source => source.Path));
        Assert.Equal([false, true, false], sources.Select(source => source.Selection.NonRecursive));
        Assert.All(sources, source => Assert.False(source.Selection.CrossMountPoints));
    }

    [Theory]
    // Paths are taken as they are.
    [InlineData("/data/x", "x", true)]
    [InlineData("/data/x", "y/x", false)]
    [InlineData("/data/x/", "x", true)]
    [InlineData("/data/[x] !", "[x] !", true)]
    [InlineData("/data/[x] !", "x", false)]
    [InlineData(@"/data/a\b", @"a\b", true)]
    [InlineData(@"/data/a\x2A", "a*", true)]
    [InlineData(@"/data/a\x2A", "ab", false)]
    [InlineData("/other/x", "x", false)]
    // Patterns of an absolute path hold below it.
    [InlineData("/data/*.tmp", "a.tmp", true)]
    [InlineData("/data/*.tmp", "x/y/a.tmp", true)]
    [InlineData("/data/x/*.tmp", "a.tmp", false)]
    [InlineData("/data/[x]/*.tmp", "[x]/a.tmp", true)]
    [InlineData("/data/[x]/*.tmp", "x/a.tmp", false)]
    [InlineData("/data/*/cache", "a/cache", true)]
    [InlineData("/data/*/cache", "a/b/cache", false)]
    [InlineData("/data/x/*", "x/a", true)]
    [InlineData("/data/x/*", "x", false)]
    [InlineData("/*/x", "x", true)]
    [InlineData("/data/[ab]?", "x/b1", true)]
    // Names hold anywhere.
    [InlineData("*.tmp", "x/a.tmp", true)]
    [InlineData("cache", "x/cache", true)]
    [InlineData("[x]", "[x]", true)]
    [InlineData("!x", "!x", true)]
    [InlineData("**/a/b", "x/a/b", true)]
    [InlineData("**/a/b", "x/b", false)]
    public void An_exclusion_leaves_out_what_it_says(string exclusion, string path, bool leftOut)
    {
        SourceSelection selection = Resolve(new("/data"), new(exclusion, Exclude: true))[0].Selection;
        Assert.Equal(leftOut, ExclusionRules.Compile(selection.Exclude, "/data"u8).Match(Encoding.UTF8.GetBytes(path)) != Exclusion.None);
        Assert.Empty(selection.ExcludeFiles);
    }

    [Theory]
    [InlineData("/data", "a", true)]
    [InlineData("/data", "x/a", false)]
    [InlineData("/data/x", "x/a", true)]
    [InlineData("/data/x", "x", false)]
    [InlineData("/data/x", "x/y/a", false)]
    [InlineData("/data/*.tmp", "a.tmp", true)]
    [InlineData("/data/*.tmp", "x/a.tmp", false)]
    public void An_exclusion_that_is_not_recursive_leaves_out_the_files_directly_in_the_folder(string exclusion, string path, bool leftOut)
    {
        SourceSelection selection = Resolve(new("/data"), new(exclusion, Exclude: true, NonRecursive: true))[0].Selection;
        ExclusionRules rules = ExclusionRules.Compile(selection.Exclude, "/data"u8, filePatterns: selection.ExcludeFiles);
        Assert.Equal(leftOut ? Exclusion.File : Exclusion.None, rules.Match(Encoding.UTF8.GetBytes(path)));
    }

    [Fact]
    public void An_exclusion_goes_only_to_the_sources_that_it_concerns()
    {
        IReadOnlyList<(string Path, SourceSelection Selection)> sources = Resolve(
            new("/a"), new("/b"), new("/a/x", Exclude: true), new("/b/*.o", Exclude: true), new("/gone", Exclude: true), new("*~", Exclude: true));

        Assert.Equal(["/a/x", "*~"], sources[0].Selection.Exclude);
        Assert.Equal(["/b/**/*.o", "*~"], sources[1].Selection.Exclude);
    }

    [Fact]
    public void Inclusions_that_overlap_are_refused_with_both_names()
    {
        BackupException below = Fails(BackupErrorId.PolicyInvalid, new FileSpecification("/a/b/c"), new("/a"));
        Assert.Contains("'/a/b/c'", below.Message, StringComparison.Ordinal);
        Assert.Contains("'/a'", below.Message, StringComparison.Ordinal);
        Fails(BackupErrorId.PolicyInvalid, new FileSpecification("/a"), new("/a/"));
        Fails(BackupErrorId.PolicyInvalid, new FileSpecification("/"), new("/a"));
        Assert.Equal(2, Resolve(new("/a"), new("/ab")).Count);
    }

    [Fact]
    public void Inclusions_may_overlap_where_the_outer_one_takes_none_of_the_inner()
    {
        Assert.Equal(["/a/b"], Resolve(new("/a", NonRecursive: true), new("/a/b"))[0].Selection.Exclude);
        Assert.Equal(["/a/x"], Resolve(new("/a"), new("/a/x", Exclude: true), new("/a/x/keep"))[0].Selection.Exclude);
        Assert.Equal([], Resolve(new("/a"), new("/a/x", Exclude: true), new("/a/x/keep"))[1].Selection.Exclude.Where(p => p != "/a/x"));
        Assert.Equal(2, Resolve(new("/a"), new("cache", Exclude: true), new("/a/b/cache/keep")).Count);
        Fails(BackupErrorId.PolicyInvalid, new("/a"), new("/a/b", Exclude: true, NonRecursive: true), new("/a/b/c"));
    }

    [Theory]
    [InlineData("/a/b")]
    [InlineData("/a/b/")]
    [InlineData("/a")]
    [InlineData("/")]
    [InlineData("/a/*")]
    [InlineData("/a/b/*")]
    [InlineData("/a/b/**")]
    [InlineData("/*/b")]
    [InlineData("/*")]
    [InlineData("*")]
    [InlineData("**")]
    public void An_inclusion_that_is_excluded_itself_is_refused_with_both_names(string exclusion)
    {
        BackupException failure = Fails(BackupErrorId.PolicyInvalid, new("/a/b"), new(exclusion, Exclude: true));
        Assert.Contains("'/a/b'", failure.Message, StringComparison.Ordinal);
        Assert.Contains($"'{exclusion}'", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", false)]
    [InlineData(" ", false)]
    [InlineData("data", false)]
    [InlineData("./data", false)]
    [InlineData("/data/../etc", false)]
    [InlineData("/data/*.txt", false)]
    [InlineData("/da?a", false)]
    [InlineData("/*/x", false)]
    [InlineData("/a\0b", false)]
    [InlineData(@"C:\data", false)]
    [InlineData("a/b", true)]
    [InlineData("..", true)]
    [InlineData("/data/../x", true)]
    [InlineData("", true)]
    public void A_path_that_cannot_be_meant_is_refused(string path, bool exclude) =>
        Fails(BackupErrorId.PolicyInvalid, new("/data"), new(path, exclude));

    [Fact]
    public void Half_a_character_is_no_path() => Fails(BackupErrorId.PolicyInvalid, new FileSpecification("/a\ud800b"));

    [Fact]
    public void A_name_without_a_folder_cannot_be_excluded_non_recursively() =>
        Fails(BackupErrorId.PolicyInvalid, new("/data"), new("*.tmp", Exclude: true, NonRecursive: true));

    [Fact]
    public void A_bad_pattern_is_refused_by_name()
    {
        BackupException failure = Fails(BackupErrorId.PatternInvalid, new("/data"), new("/data/x", Exclude: true), new("[a*", Exclude: true));
        Assert.Equal("[a*", failure.Target);
    }

    [Fact]
    public void Only_the_sources_that_are_named_or_lie_in_what_is_named_are_taken()
    {
        BackupPolicy policy = With(new("/mnt/a"), new("/mnt/b"), new("/home"));

        Assert.Equal(["/home"], Paths(["/home/"]));
        Assert.Equal(["/mnt/a", "/mnt/b"], Paths(["/mnt"]));
        Assert.Equal(["/mnt/a", "/home"], Paths(["/home", "/mnt/a"]));
        Assert.Equal(["/mnt/a", "/mnt/b", "/home"], Paths([]));
        var failure = Assert.Throws<BackupException>(() => Paths(["/home", "/home/anna"]));
        Assert.Equal(BackupErrorId.ArgumentInvalid, failure.Id);
        Assert.Contains("'/mnt/b'", failure.RecommendedAction, StringComparison.Ordinal);

        IEnumerable<string> Paths(string[] only) => PolicySources.Resolve(policy, only, windows: false).Select(source => source.Path);
    }

    [Theory]
    [InlineData("C:", @"C:\")]
    [InlineData(@"c:\", @"c:\")]
    [InlineData(@"D:\Users\Anna\", @"D:\Users\Anna")]
    [InlineData("D:/Users/Anna", @"D:\Users\Anna")]
    [InlineData(@"\\server\share\x", @"\\server\share\x")]
    [InlineData(@"D:\data\*.*", @"D:\data")]
    public void On_Windows_a_source_begins_with_a_drive_or_a_server(string path, string expected) =>
        Assert.Equal(expected, OnWindows(new FileSpecification(path))[0].Path);

    [Theory]
    [InlineData(@"C:\Data", @"c:\data\TMP", "tmp", true)]
    [InlineData(@"C:\Data", @"C:\Data\Photos [2020]", "photos [2020]", true)]
    [InlineData(@"C:\Data", @"C:\Data\Photos [2020]", "photos 2", false)]
    [InlineData(@"C:\Data", @"C:\Data\*.tmp", "x/a.TMP", true)]
    [InlineData(@"C:\", @"C:\pagefile.sys", "pagefile.sys", true)]
    [InlineData(@"C:\", @"C:\pagefile.sys", "x/pagefile.sys", false)]
    [InlineData(@"\\server\share", @"\\Server\Share\x\y", "x/y", true)]
    [InlineData(@"C:\Data", "*.tmp", "x/a.tmp", true)]
    public void On_Windows_exclusions_know_no_case_and_take_brackets_as_they_are(string root, string exclusion, string path, bool leftOut)
    {
        SourceSelection selection = OnWindows(new(root), new(exclusion, Exclude: true))[0].Selection;
        byte[] rootBytes = Encoding.UTF8.GetBytes(root.Replace('\\', '/'));
        ExclusionRules rules = ExclusionRules.Compile(selection.Exclude, rootBytes, windows: true);
        Assert.Equal(leftOut, rules.Match(Encoding.UTF8.GetBytes(path)) != Exclusion.None);
    }

    [Theory]
    [InlineData(@"C:\Data", @"c:\DATA\x", false)]
    [InlineData(@"C:\Data", @"c:\DATA", true)]
    [InlineData(@"C:\Data", @"C:\", true)]
    [InlineData(@"C:\Data", @"C:\*", true)]
    [InlineData(@"C:\Data", @"*.*", true)]
    [InlineData(@"\\server\share\x", @"\\server\share", true)]
    [InlineData("data", "", false)]
    [InlineData(@"C:data", "", false)]
    [InlineData(@"\data", "", false)]
    public void On_Windows_contradictions_are_found_without_regard_to_case(string path, string other, bool exclude)
    {
        var failure = Assert.Throws<BackupException>(
            () => OnWindows([new(path), .. other.Length == 0 ? Array.Empty<FileSpecification>() : [new(other, exclude)]]));
        Assert.Equal(BackupErrorId.PolicyInvalid, failure.Id);
    }

    [Fact]
    public void A_policy_names_no_more_sources_than_a_recovery_point_can_have()
    {
        BackupException failure = Fails(BackupErrorId.PolicyInvalid, [.. Enumerable.Range(0, 65_537).Select(i => new FileSpecification($"/data/{i}"))]);

        Assert.Contains("65,537", failure.Message, StringComparison.Ordinal);
    }

    private static IReadOnlyList<(string Path, SourceSelection Selection)> Resolve(params FileSpecification[] files) =>
        PolicySources.Resolve(With(files), [], windows: false);

    private static IReadOnlyList<(string Path, SourceSelection Selection)> OnWindows(params FileSpecification[] files) =>
        PolicySources.Resolve(With(files), [], windows: true);

    private static BackupException Fails(BackupErrorId id, params FileSpecification[] files)
    {
        var failure = Assert.Throws<BackupException>(() => Resolve(files));
        Assert.Equal(id, failure.Id);
        return failure;
    }
}
