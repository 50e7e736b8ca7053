using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Host.Drill;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Host.Tests.Drill;

public sealed class TreeComparisonTests : IDisposable
{
    private const string Description =
        """
        d empty
        d folder 750
        f folder/small 100
        f folder/large 3M 600
        f folder/none 0
        s sparse 64M 4K@1M 8K@32M
        l link -> folder/small
        l dangling -> nowhere
        h hard = folder/small
        p pipe
        f name\xff 10
        """;

    private readonly TempFolder _folder = new();
    private readonly string _source;
    private readonly string _restored;

    public TreeComparisonTests()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Builds trees with the tools of Linux.");
        _source = _folder["source"];
        _restored = _folder["restored"];
        new SourceTreeBuilder(_source).Describe(Description);
        Shell.RunChecked("cp", "-a", "--sparse=always", _source, _restored);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_true_copy_is_identical_and_counted()
    {
        using ISourceTree source = SourceTrees.Open(_source, SourceSelection.Everything);
        using ISourceTree restored = SourceTrees.Open(_restored, SourceSelection.Everything);
        var comparison = new TreeComparison(source, restored, AfterBuilding);

        Assert.Empty(comparison.Run(TestContext.Current.CancellationToken));
        Assert.Equal(12, comparison.Items);
        Assert.Equal(6, comparison.Files);
        Assert.Equal(100 + 100 + (3 << 20) + (64 << 20) + 10, comparison.Bytes);
    }

    [Theory]
    [InlineData("rm restored/folder/small", "/folder/small", "was not restored")]
    [InlineData("touch restored/extra", "/extra", "not in the source")]
    [InlineData("chmod 644 restored/folder/large", "/folder/large", "has mode 600, restored 644")]
    [InlineData("touch -d @5 restored/folder/none", "/folder/none", "restored as 1970-01-01T00:00:05.000000000Z")]
    [InlineData("touch -d @5.000000001 -h restored/link", "/link", "restored as 1970-01-01T00:00:05.000000001Z")]
    [InlineData("ln -sfT elsewhere restored/link", "/link", "links to folder/small, restored to elsewhere")]
    [InlineData("rm restored/pipe; mkdir restored/pipe", "/pipe", "is a Fifo, restored as a Directory")]
    [InlineData("truncate -s 99 restored/folder/small", "/folder/small", "has 100 bytes, restored 99")]
    [InlineData("cp -a --remove-destination source/folder/small restored/hard", "/hard", "no longer the same file")]
    public void Every_kind_of_difference_is_found(string damage, string path, string what)
    {
        Shell.RunChecked("sh", "-c", $"cd '{_folder.Path}'; {damage}");

        Assert.Contains(Compare(AfterBuilding), difference => difference.Path == _source + path && difference.What.Contains(what));
    }

    [Theory]
    [InlineData("folder/large", 3_000_000)]
    [InlineData("sparse", 50_000_000)]
    [InlineData("sparse", (1 << 20) + 1)]
    [InlineData(@"name\xff", 9)]
    public void A_single_other_byte_is_found_even_where_all_metadata_agree(string path, long offset)
    {
        string file = path.Replace(@"\xff", "?");
        Shell.RunChecked(
            "sh",
            "-c",
            $"cd '{_restored}'; printf '\\001' | dd of=$(echo {file}) bs=1 seek={offset} conv=notrunc 2>/dev/null; "
                + $"touch -r \"$(echo ../source/{file})\" {file}");

        TreeDifference difference = Assert.Single(Compare(AfterBuilding));
        Assert.Equal($"{_source}/{path}", difference.Path);
        Assert.Equal($"has different content from byte {offset} onward", difference.What);
    }

    [Fact]
    public void A_source_that_changed_after_the_backup_began_explains_a_difference()
    {
        Shell.RunChecked("sh", "-c", $"cd '{_restored}'; rm folder/large; touch -d @5 folder/none; touch extra");

        IReadOnlyList<TreeDifference> differences = Compare(DateTimeOffset.UnixEpoch);

        Assert.Equal(
            3, differences.Count(difference => difference.Path.Contains("large") || difference.Path.Contains("none") || difference.Path.Contains("extra")));
        Assert.All(differences, difference => Assert.True(difference.ChangedMeanwhile));
    }

    [Fact]
    public void A_difference_without_that_excuse_is_one()
    {
        Shell.RunChecked("sh", "-c", $"cd '{_restored}'; rm folder/large; touch extra");

        Assert.All(Compare(AfterBuilding), difference => Assert.False(difference.ChangedMeanwhile));
    }

    [Fact]
    public void A_time_of_modification_that_is_yet_to_come_is_no_change()
    {
        Shell.RunChecked("touch", "-d", "2200-01-01T12:00", Path.Combine(_source, "folder", "small"));

        // The file has two names.
        IReadOnlyList<TreeDifference> differences = Compare(AfterBuilding);
        Assert.Equal(2, differences.Count);
        Assert.All(differences, difference => Assert.Contains("was modified at 2200", difference.What, StringComparison.Ordinal));
        Assert.All(differences, difference => Assert.False(difference.ChangedMeanwhile));
    }

    // As if the backup had begun after everything in the source was in place.
    private static DateTimeOffset AfterBuilding => TimeProvider.System.GetUtcNow().AddDays(1);

    private IReadOnlyList<TreeDifference> Compare(DateTimeOffset backupStarted)
    {
        using ISourceTree source = SourceTrees.Open(_source, SourceSelection.Everything);
        using ISourceTree restored = SourceTrees.Open(_restored, SourceSelection.Everything);
        return new TreeComparison(source, restored, backupStarted).Run(TestContext.Current.CancellationToken);
    }
}
