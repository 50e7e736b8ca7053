using MSOnlineBackup.Engine.Sources.Windows;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Sources;

public sealed class WindowsPathTests
{
    [Theory]
    [InlineData(@"c:\data", @"C:\data")]
    [InlineData(@"C:\Data\", @"C:\Data")]
    [InlineData(@"c:\", @"C:\")]
    [InlineData(@"\\?\c:\data\deep", @"C:\data\deep")]
    [InlineData(@"\\?\UNC\server\share\x\", @"\\server\share\x")]
    [InlineData(@"\\server\share\", @"\\server\share")]
    public void A_source_has_one_spelling(string written, string expected) => Assert.Equal(expected, WindowsPath.Shorten(written));

    [Theory]
    [InlineData(@"\\?\GLOBALROOT\Device\HarddiskVolumeShadowCopy7\")]
    [InlineData(@"\\?\GLOBALROOT\Device\HarddiskVolumeShadowCopy7\Users")]
    public void The_root_of_a_snapshot_keeps_the_separator_without_which_it_is_the_volume_itself(string path) => Assert.Equal(path, WindowsPath.Shorten(path));
}
