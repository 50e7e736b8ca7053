using MSOnlineBackup.Engine.RecoveryPoints;
using Xunit;
using static MSOnlineBackup.Engine.Tests.RecoveryPoints.Manifests;

namespace MSOnlineBackup.Engine.Tests.RecoveryPoints;

public class SourcePathTests
{
    [Theory]
    [InlineData(PathForm.Posix, "/home/a", "home/a")]
    [InlineData(PathForm.Posix, "/", "")]
    [InlineData(PathForm.Posix, "dump.sql", "dump.sql")]
    [InlineData(PathForm.Posix, "a:b.sql", "a:b.sql")]
    [InlineData(PathForm.Posix, "C:", "C:")]
    [InlineData(PathForm.Posix, "C:\\\\x", "C:\\\\x")]
    [InlineData(PathForm.Posix, "/a/\\\\\\\\b", "a/\\\\\\\\b")]
    [InlineData(PathForm.Windows, "C:\\\\x\\\\y", "C/x/y")]
    [InlineData(PathForm.Windows, "C:/", "C")]
    [InlineData(PathForm.Windows, "C:", "C")]
    [InlineData(PathForm.Windows, "\\\\\\\\server\\\\share", "server/share")]
    [InlineData(PathForm.Windows, "a:b.sql", "a:b.sql")]
    public void A_full_path_has_one_place_below_a_target(PathForm form, string source, string expected)
    {
        Assert.Equal(expected, SourcePath.ToTarget(form, source).ToString());
        Assert.True(SourcePath.IsValid(form, source));
    }

    [Theory]
    [InlineData(PathForm.Posix, "/", "a", "/a")]
    [InlineData(PathForm.Posix, "/home", "a/b", "/home/a/b")]
    [InlineData(PathForm.Posix, "/home", "", "/home")]
    [InlineData(PathForm.Posix, "/ends in \\\\", "a", "/ends in \\\\/a")]
    [InlineData(PathForm.Windows, "C:\\\\", "a", "C:\\\\a")]
    public void Full_paths_join_source_and_entry(PathForm form, string source, string entry, string expected) =>
        Assert.Equal(expected, SourcePath.Join(form, source, Path(entry)));
}
