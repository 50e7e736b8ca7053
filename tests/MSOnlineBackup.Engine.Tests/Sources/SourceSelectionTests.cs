using System.Diagnostics;
using System.Globalization;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Engine.Sources.Rules;
using MSOnlineBackup.Vaults.Errors;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Sources;

public sealed class SourceSelectionTests : IDisposable
{
    private const string TagContent = "Signature: 8a477f597d28d172789f06886806bc55\n# made by a test";

    private readonly ScratchFolder _folder = new();
    private readonly List<string> _mounts = [];

    public void Dispose()
    {
        foreach (string mount in _mounts)
        {
            Run("umount", "-l", mount);
        }

        _folder.Dispose();
    }

    [Fact]
    public void What_matches_is_left_out_with_all_below_it()
    {
        _folder.File("obj/a");
        _folder.File("x/obj/b");
        _folder.File("x/c.tmp");
        _folder.File("x/d");
        _folder.File("tmp");

        Assert.Equal(["", "tmp", "x", "x/d"], Paths(new() { Exclude = ["obj/", "*.tmp", "tmp/"] }));
        Assert.Equal(["", "obj", "obj/a", "tmp"], Paths(new() { Exclude = [_folder.At("x")] }));
    }

    [Fact]
    public void Patterns_for_files_leave_folders_alone()
    {
        _folder.File("a");
        _folder.File("x/b");
        _folder.File("x/y/c");
        _folder.SymbolicLink("x/link", "b");

        Assert.Equal(["", "a", "x", "x/y", "x/y/c"], Paths(new() { ExcludeFiles = ["x/*"] }));
    }

    [Fact]
    public void What_is_left_out_is_not_reported_even_if_it_could_not_be_read()
    {
        _folder.File("closed/inside");
        _folder.Mode("closed", 0x1C0);
        _folder.Mode("", 0x1ED);

        Assert.Equal([""], ScratchFolder.As(65534, () => Paths(new() { Exclude = ["closed"] })));
    }

    [Fact]
    public void A_bad_pattern_is_told_when_the_source_is_opened()
    {
        Assert.Equal(BackupErrorId.PatternInvalid, Assert.Throws<BackupException>(() => Paths(new() { Exclude = ["[a"] })).Id);
    }

    [Fact]
    public void Of_a_tagged_cache_only_the_folder_and_its_tag_are_taken()
    {
        _folder.File("cache/AAA");
        _folder.File("cache/CACHEDIR.TAG", TagContent);
        _folder.File("cache/sub/x");
        _folder.File("fake/CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc56");
        _folder.File("fake/x");
        _folder.Folder("folder/CACHEDIR.TAG");

        Assert.Equal(
            ["", "cache", "cache/CACHEDIR.TAG", "fake", "fake/CACHEDIR.TAG", "fake/x", "folder", "folder/CACHEDIR.TAG"],
            Paths(new() { ExcludeCaches = true }));
        Assert.Contains("cache/AAA", Paths(SourceSelection.Everything));
    }

    [Fact]
    public void Files_larger_than_the_limit_are_left_out_and_others_are_not()
    {
        _folder.File("five", "12345");
        _folder.File("six", "123456");
        _folder.SymbolicLink("link", "a target longer than that");

        Assert.Equal(["", "five", "link"], Paths(new() { ExcludeLargerThan = 5 }));
    }

    [Fact]
    public void Without_recursion_only_what_is_no_folder_is_taken()
    {
        _folder.File("folder/inside");
        _folder.File("file");

        Assert.Equal(["", "file"], Paths(new() { NonRecursive = true }));
    }

    [Fact]
    public void A_mount_point_is_an_empty_folder_unless_it_is_to_be_crossed()
    {
        _folder.Folder("mounted");
        _folder.File("other");
        Mount("tmpfs", "mounted");
        _folder.File("mounted/inside");

        Assert.Equal(["", "mounted", "other"], Paths(SourceSelection.Everything));
        Assert.Equal(["", "mounted", "other"], Paths(new() { CrossMountPoints = true }));
        Assert.Equal(
            ["", "mounted", "mounted/inside", "other"], Paths(new() { CrossMountPoints = true, Rules = SourceRules.Open with { Allowed = [SourceKind.Memory] } }));

        using ISourceTree tree = SourceTrees.Open(_folder.At("mounted"), SourceSelection.Everything);
        Assert.True(tree.IsMountPoint);
        Assert.Equal("tmpfs", tree.FileSystem);
    }

    [Fact]
    public void Pseudo_file_systems_are_never_entered()
    {
        _folder.Folder("proc");
        _folder.File("other");
        Mount("proc", "proc");

        Assert.Equal(["", "other", "proc"], Paths(new() { CrossMountPoints = true }));
    }

    [Fact]
    public void A_bound_folder_is_a_mount_point()
    {
        _folder.File("real/inside");
        _folder.Folder("bound");
        Run("mount", "--bind", _folder.At("real"), _folder.At("bound"));
        _mounts.Add(_folder.At("bound"));

        Assert.Equal(["", "bound", "real", "real/inside"], Paths(SourceSelection.Everything));
        using ISourceTree tree = SourceTrees.Open(_folder.At("bound"), SourceSelection.Everything);
        Assert.True(tree.IsMountPoint);
    }

    [Fact]
    public void A_Btrfs_subvolume_is_entered()
    {
        string image = _folder.At("image");
        using (FileStream stream = File.Create(image))
        {
            stream.SetLength(128 << 20);
        }

        string mounted = _folder.Folder("btrfs");
        Assert.SkipUnless(
            Try("mkfs.btrfs", "-q", image) && Try("mount", "-o", "loop", image, mounted), "Btrfs is not to be had here.");
        _mounts.Add(mounted);
        Run("btrfs", "-q", "subvolume", "create", mounted + "/sub");
        File.WriteAllText(mounted + "/sub/inside", "x");

        using ISourceTree tree = SourceTrees.Open(mounted, SourceSelection.Everything);
        Assert.Equal("btrfs", tree.FileSystem);
        Assert.Equal(
            ["", "sub", "sub/inside"],
            tree.Walk(TestContext.Current.CancellationToken).Select(item => item.Entry.Path.ToString()));
    }

    private static void Run(string tool, params string[] arguments) =>
        Assert.True(Try(tool, arguments), string.Create(CultureInfo.InvariantCulture, $"{tool} failed."));

    private static bool Try(string tool, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(tool, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    private void Mount(string type, string name)
    {
        Run("mount", "-t", type, "test", _folder.At(name));
        _mounts.Add(_folder.At(name));
    }

    private List<string> Paths(SourceSelection selection)
    {
        using ISourceTree tree = SourceTrees.Open(_folder.Path, selection);
        return [.. tree.Walk(TestContext.Current.CancellationToken).Select(item => item.Entry.Path.ToString())];
    }
}
