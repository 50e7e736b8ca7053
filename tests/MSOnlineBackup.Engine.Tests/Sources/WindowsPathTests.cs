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
    [InlineData(@"\\.\C:\", @"C:\")]
    [InlineData(@"\\.\c:\data\", @"C:\data")]
    [InlineData(@"\\?\Volume{6b1c0000-0000-0000-0000-100000000000}\", @"\\?\Volume{6b1c0000-0000-0000-0000-100000000000}\")]
    [InlineData(@"\\?\Volume{6b1c0000-0000-0000-0000-100000000000}\data\", @"\\?\Volume{6b1c0000-0000-0000-0000-100000000000}\data")]
    public void A_source_has_one_spelling(string written, string expected) => Assert.Equal(expected, WindowsPath.Shorten(written));

    [Theory]
    [InlineData(@"\\.\PhysicalDrive0", true)]
    [InlineData(@"\\.\C:", true)]
    [InlineData(@"\\.\NUL", true)]
    [InlineData(@"\\.\pipe\name", true)]
    [InlineData(@"\\?\C:", true)]
    [InlineData(@"\\?\Volume{6b1c0000-0000-0000-0000-100000000000}", true)]
    [InlineData(@"\\?\GLOBALROOT\Device\HarddiskVolumeShadowCopy7", true)]
    [InlineData(@"\\?\GLOBALROOT\Device\HarddiskVolumeShadowCopy7\", false)]
    [InlineData(@"\\?\Volume{6b1c0000-0000-0000-0000-100000000000}\", false)]
    [InlineData(@"\\.\C:\", false)]
    [InlineData(@"\\server\share", false)]
    [InlineData(@"C:\", false)]
    public void A_device_is_told_from_the_root_of_what_it_holds(string path, bool isDevice) =>
        Assert.Equal(isDevice, WindowsPath.IsDevice(WindowsPath.Shorten(path)));

    [Theory]
    [InlineData(@"\\?\GLOBALROOT\Device\HarddiskVolumeShadowCopy7\")]
    [InlineData(@"\\?\GLOBALROOT\Device\HarddiskVolumeShadowCopy7\Users")]
    public void The_root_of_a_snapshot_keeps_the_separator_without_which_it_is_the_volume_itself(string path) => Assert.Equal(path, WindowsPath.Shorten(path));
}
