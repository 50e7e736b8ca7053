using System.CommandLine;
using MSOnlineBackup.Host.Commands;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Host.Tests;

public sealed class ConnectionOptionsTests
{
    [Fact]
    public void Without_options_it_is_as_the_system_is_set_up()
    {
        VaultConnection connection = Read("");

        Assert.Equal(
            (null, false, null, null, false),
            (connection.Proxy, connection.IsDirect, connection.Bandwidth, connection.Secret, connection.RequiresPrivateEndpoint));
    }

    [Theory]
    [InlineData("proxy:3128", "proxy", 3128)]
    [InlineData("http://proxy.example.org:8080", "proxy.example.org", 8080)]
    [InlineData("192.0.2.1:80", "192.0.2.1", 80)]
    public void A_proxy_is_a_host_and_a_port(string text, string server, int port) =>
        Assert.Equal(new ProxySetting(server, port), Read($"--proxy {text}").Proxy);

    [Theory]
    [InlineData("http://me:s3cret@proxy:3128")]
    [InlineData("me:s3cret@proxy:3128")]
    [InlineData("ftp://proxy:21")]
    [InlineData("proxy:3128/s3cret")]
    [InlineData("proxy:99999")]
    public void What_is_more_or_less_is_refused_and_no_password_repeated(string text)
    {
        BackupException error = Assert.Throws<BackupException>(() => Read($"--proxy {text}"));

        Assert.Equal(BackupErrorId.ArgumentInvalid, error.Id);
        Assert.DoesNotContain("s3cret", error.Message + error.RecommendedAction, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("512K", 512_000)]
    [InlineData("20M", 20_000_000)]
    [InlineData("1.5m", 1_500_000)]
    [InlineData("1G", 1_000_000_000)]
    [InlineData("600000", 600_000)]
    public void A_limit_is_in_bits_a_second(string text, long bits) => Assert.Equal(bits, Read($"--limit {text}").Bandwidth!.Limit);

    [Theory]
    [InlineData("511K", BackupErrorId.PolicyLimitExceeded)]
    [InlineData("2G", BackupErrorId.PolicyLimitExceeded)]
    [InlineData("fast", BackupErrorId.ArgumentInvalid)]
    [InlineData("20MB", BackupErrorId.ArgumentInvalid)]
    [InlineData("-1", BackupErrorId.ArgumentInvalid)]
    public void What_is_no_bandwidth_is_refused(string text, BackupErrorId id) =>
        Assert.Equal(id, Assert.Throws<BackupException>(() => Read($"--limit={text}")).Id);

    [Fact]
    public void A_proxy_and_none_contradict_each_other()
    {
        Assert.True(Read("--no-proxy").IsDirect);
        Assert.Equal(BackupErrorId.ArgumentInvalid, Assert.Throws<BackupException>(() => Read("--no-proxy --proxy proxy:3128")).Id);
    }

    private static VaultConnection Read(string line)
    {
        var command = new RootCommand();
        var options = new ConnectionOptions(command);
        var run = new HostRun();
        return options.Read(new CommandContext(command.Parse(line), run.Environment, null!, TestContext.Current.CancellationToken));
    }
}
