using MSOnlineBackup.Engine.RecoveryPoints;
using Xunit;
using static MSOnlineBackup.Engine.Tests.RecoveryPoints.Manifests;

namespace MSOnlineBackup.Engine.Tests.RecoveryPoints;

public class SourcePathTests
{
    [Theory]
    [InlineData("/home/a", "home/a")]
    [InlineData("/", "")]
    [InlineData("C:\\\\x\\\\y", "C/x/y")]
    [InlineData("C:/", "C")]
    [InlineData("\\\\\\\\server\\\\share", "server/share")]
    [InlineData("dump.sql", "dump.sql")]
    public void A_full_path_has_one_place_below_a_target(string source, string expected)
    {
        Assert.Equal(expected, SourcePath.ToTarget(source).ToString());
        Assert.True(SourcePath.IsValid(source));
    }

    [Theory]
    [InlineData("/", "a", "/a")]
    [InlineData("/home", "a/b", "/home/a/b")]
    [InlineData("/home", "", "/home")]
    [InlineData("C:\\\\", "a", "C:\\\\a")]
    public void Full_paths_join_source_and_entry(string source, string entry, string expected) =>
        Assert.Equal(expected, SourcePath.Join(source, Path(entry)));
}
