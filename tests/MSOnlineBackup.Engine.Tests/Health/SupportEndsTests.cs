using MSOnlineBackup.Agent.Health;
using MSOnlineBackup.Platform.Machine;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Health;

public sealed class SupportEndsTests
{
    [Theory]
    [InlineData("ID=debian\nVERSION_ID=\"12\"\n", "2028-06-30")]
    [InlineData("ID=ubuntu\nVERSION_ID=\"24.04\"", "2029-05-31")]
    [InlineData("ID=rhel\nVERSION_ID=\"9.4\"", "2032-05-31")]
    [InlineData("ID=rhel\nVERSION_ID=\"90\"", null)]
    [InlineData("ID=debian\nVERSION_ID=12\nSUPPORT_END=2027-01-02\n", "2027-01-02")]
    [InlineData("ID=arch\n", null)]
    [InlineData("ID=debian\nVERSION_ID=\n# no = line\nSUPPORT_END=soon\nbroken", null)]
    public void A_distribution_says_it_or_is_known(string release, string? end) =>
        Assert.Equal(end, SupportEnds.Of(SystemIdentity.OfLinux(new Version(6, 1), release))?.ToString("yyyy-MM-dd"));

    [Theory]
    [InlineData(17763, false, "2029-01-09")]
    [InlineData(9600, false, "2023-10-10")]
    [InlineData(19045, true, "2025-10-14")]
    [InlineData(26200, true, "2029-10-09")]
    public void Windows_is_told_by_its_build(int build, bool isClient, string end) => Assert.Equal(
        end,
        SupportEnds.Of(new SystemIdentity(SystemFamily.Windows, "Windows", new Version(10, 0, build)) { IsClient = isClient })?.ToString("yyyy-MM-dd"));
}
