using MSOnlineBackup.Vaults.RecoveryPoints;
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
    [InlineData(PathForm.Windows, "C:\\\\", "a", "C:\\a")]
    [InlineData(PathForm.Windows, "C:\\\\t\\\\src", "a/b", "C:\\t\\src\\a\\b")]
    [InlineData(PathForm.Windows, "w:\\\\", "", "w:\\")]
    [InlineData(PathForm.Windows, "C:/t", "a", "C:\\t\\a")]
    [InlineData(PathForm.Windows, "\\\\\\\\server\\\\share", "x", "\\\\server\\share\\x")]
    [InlineData(PathForm.Windows, "dump.sql", "", "dump.sql")]
    public void Full_paths_join_source_and_entry(PathForm form, string source, string entry, string expected) =>
        Assert.Equal(expected, SourcePath.Join(form, source, Path(entry)));

    [Theory]
    [InlineData("C:\\t\\src", "C:\\\\t\\\\src")]
    [InlineData("C:\\a<01>", "C:\\\\a\\x01")]
    public void A_path_that_is_shown_is_stored_as_the_format_has_it(string shown, string stored)
    {
        Assert.Equal(stored, SourcePath.ToStored(PathForm.Windows, shown));
        Assert.Equal(shown, SourcePath.FromStored(PathForm.Windows, stored));
        Assert.Equal("/a\\x01", SourcePath.ToStored(PathForm.Posix, "/a\\x01"));
    }
}
