using System.Runtime.InteropServices;
using MSOnlineBackup.Mounts.Drives;
using MSOnlineBackup.Platform.Windows;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Mounts.Drives;

/// <summary>Which places are drive letters, which drives are a mount's, and how what Windows is asked with lies in memory.</summary>
public sealed class DriveLetterTests
{
    private static readonly Guid _id = new("11111111-2222-3333-4444-555555555555");

    [Theory]
    [InlineData("R:", "R:")]
    [InlineData("r:", "R:")]
    [InlineData(@"r:\", "R:")]
    [InlineData("R:/", "R:")]
    [InlineData("", null)]
    [InlineData("R", null)]
    [InlineData(@"R:\folder", null)]
    [InlineData("R:folder", null)]
    [InlineData(@"\\server\share", null)]
    [InlineData("1:", null)]
    [InlineData("é:", null)]
    [InlineData("RR:", null)]
    public void A_letter_and_a_colon_are_a_drive(string place, string? drive) => Assert.Equal(drive, DriveLetter.Read(place));

    [Theory]
    [InlineData("http://127.0.0.1:40123/0f3c-11111111222233334444555555555555", true)]
    [InlineData(@"\\127.0.0.1@40123\0f3c-11111111222233334444555555555555", true)]
    [InlineData(@"\\127.0.0.1@40123\DavWWWRoot\0F3C-11111111222233334444555555555555\", true)]
    [InlineData("http://127.0.0.1:40123/0f3c-99999999222233334444555555555555", false)]
    [InlineData("http://server:40123/0f3c-11111111222233334444555555555555", false)]
    [InlineData(@"\\127.0.0.1\share-11111111222233334444555555555555", false)]
    [InlineData("http://127.0.0.1:40123/0f3c", false)]
    [InlineData("http:", false)]
    [InlineData("", false)]
    public void A_drive_is_a_mounts_where_it_stands_for_its_server(string remote, bool isOurs) => Assert.Equal(isOurs, DriveLetter.IsOf(_id, remote));

    // On 64 bits, by winnetwk.h and winsvc.h of the Windows SDK.
    [Fact]
    public void What_Windows_reads_and_writes_lies_where_its_headers_say()
    {
        Assert.Equal(48, Marshal.SizeOf<NetResource>());
        Assert.Equal(
            [0, 4, 8, 12, 16, 24, 32, 40],
            ((string[])["Scope", "Type", "DisplayType", "Usage", "LocalName", "RemoteName", "Comment", "Provider"]).Select(field => (int)Marshal.OffsetOf<NetResource>(field)));
        Assert.Equal((28, 4), (Marshal.SizeOf<ServiceStatus>(), (int)Marshal.OffsetOf<ServiceStatus>("State")));
        Assert.Equal(4, (int)Marshal.OffsetOf<ServiceConfiguration>("StartType"));
    }
}
