using System.Net;
using MSOnlineBackup.Storage.Azure.Transport;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;
using Xunit;
using static MSOnlineBackup.Storage.Azure.Tests.Transport.TransportFixture;

namespace MSOnlineBackup.Storage.Azure.Tests.Transport;

public sealed class PrivateEndpointTests
{
    private static readonly VaultConnection _private = new() { RequiresPrivateEndpoint = true };

    [Theory]
    [InlineData("10.0.0.0", true)]
    [InlineData("10.255.255.255", true)]
    [InlineData("11.0.0.0", false)]
    [InlineData("172.15.255.255", false)]
    [InlineData("172.16.0.0", true)]
    [InlineData("172.31.255.255", true)]
    [InlineData("172.32.0.0", false)]
    [InlineData("192.168.0.1", true)]
    [InlineData("192.169.0.0", false)]
    [InlineData("100.63.255.255", false)]
    [InlineData("100.64.0.0", true)]
    [InlineData("100.127.255.255", true)]
    [InlineData("100.128.0.0", false)]
    [InlineData("169.254.169.254", true)]
    [InlineData("127.0.0.1", true)]
    [InlineData("0.0.0.0", false)]
    [InlineData("20.60.1.1", false)]
    [InlineData("255.255.255.255", false)]
    [InlineData("::1", true)]
    [InlineData("::", false)]
    [InlineData("fc00::1", true)]
    [InlineData("fdff::1", true)]
    [InlineData("fe00::1", false)]
    [InlineData("fe80::1", true)]
    [InlineData("fe80::1%2", true)]
    [InlineData("febf::1", true)]
    [InlineData("2603:1030::1", false)]
    [InlineData("::ffff:10.0.0.1", true)]
    [InlineData("::ffff:20.60.1.1", false)]
    [InlineData("64:ff9b::10.0.0.1", false)]
    public void Private_addresses_are_told_from_public_ones(string address, bool isPrivate) =>
        Assert.Equal(isPrivate, PrivateAddress.Contains(IPAddress.Parse(address)));

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("20.60.1.1", "127.0.0.1")]
    public async Task A_name_with_a_private_address_is_reached_there(params string[] addresses)
    {
        await using var server = new LoopbackServer(LoopbackServer.Answering(Ok));

        Assert.Equal("ok", await GetAsync(_private, Isolated with { ResolveAsync = Resolving(addresses) }, Vault(server)));
    }

    // 0.0.0.0 leads to this machine on most systems, and is not private: so a server can see that nothing comes.
    [Fact]
    public async Task A_name_with_public_addresses_only_is_refused_and_no_byte_is_sent()
    {
        await using var server = new LoopbackServer(LoopbackServer.Answering(Ok));
        TransportOptions options = Isolated with { ResolveAsync = Resolving("0.0.0.0") };

        BackupException error = await FailAsync(_private, options, Vault(server));

        Assert.Equal((BackupErrorId.PublicAddressRefused, false), (error.Id, error.IsTransient));
        Assert.Contains("vault.invalid", error.Message, StringComparison.Ordinal);
        Assert.Contains("0.0.0.0", error.Message, StringComparison.Ordinal);
        Assert.Equal(0, server.Connections);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal("ok", await GetAsync(new VaultConnection(), options, Vault(server)));
            Assert.Equal(1, server.Connections);
        }
    }

    [Fact]
    public async Task A_public_address_in_the_URL_is_refused()
    {
        BackupException error = await FailAsync(_private, Isolated, new Uri("https://203.0.113.7/"));

        Assert.Equal(BackupErrorId.PublicAddressRefused, error.Id);
    }

    [Fact]
    public async Task A_proxy_is_not_used_as_it_would_resolve_the_name()
    {
        await using var server = new LoopbackServer(LoopbackServer.Answering(Ok));
        await using var proxy = new LoopbackProxy(server.Port);
        VaultConnection connection = _private with { Proxy = new ProxySetting("127.0.0.1", proxy.Port) };

        foreach (string vault in new[] { "http://vault.invalid/", "https://vault.invalid/", "https://20.60.1.1/" })
        {
            BackupException error = await FailAsync(connection, Isolated, new Uri(vault));

            Assert.Equal(BackupErrorId.PublicAddressRefused, error.Id);
        }

        Assert.Equal(0, proxy.Connections);
        Assert.Equal("ok", await GetAsync(connection, Isolated, new Uri("http://10.0.0.1/")));
    }

    [Fact]
    public async Task A_proxy_at_a_public_address_is_refused()
    {
        VaultConnection connection = _private with { Proxy = new ProxySetting("proxy.invalid", 3128) };

        BackupException error = await FailAsync(connection, Isolated with { ResolveAsync = Resolving("203.0.113.7") }, new Uri("http://10.0.0.1/"));

        Assert.Equal(BackupErrorId.PublicAddressRefused, error.Id);
        Assert.Contains("proxy.invalid", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_name_that_is_not_known_may_be_known_later()
    {
        BackupException error = await FailAsync(_private, Isolated with { ResolveAsync = Resolving() }, new Uri("https://vault.invalid/"));

        Assert.Equal((BackupErrorId.VaultUnreachable, true), (error.Id, error.IsTransient));
        Assert.Contains("vault.invalid", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_next_address_is_tried_where_one_does_not_answer()
    {
        await using var server = new LoopbackServer(LoopbackServer.Answering(Ok));

        // The server listens at IPv4 only.
        Assert.Equal("ok", await GetAsync(_private, Isolated with { ResolveAsync = Resolving("::1", "127.0.0.1") }, Vault(server)));
    }

    private static Uri Vault(LoopbackServer server) => new($"http://vault.invalid:{server.Port}/");
}
