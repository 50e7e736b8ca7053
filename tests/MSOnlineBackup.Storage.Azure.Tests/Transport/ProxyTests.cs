using System.Net;
using Azure;
using Azure.Storage.Blobs;
using MSOnlineBackup.Storage.Azure.Transport;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;
using Xunit;
using static MSOnlineBackup.Storage.Azure.Tests.Transport.TransportFixture;

namespace MSOnlineBackup.Storage.Azure.Tests.Transport;

public sealed class ProxyTests
{
    private const string User = "backup:pass word ä";

    // No name is ever resolved in these tests: the resolver of Isolated throws.
    private static readonly Uri _vault = new("http://vault.invalid/container");
    private static readonly Uri _secureVault = new("https://vault.invalid/container");

    public static TheoryData<Uri> Vaults => [_vault, _secureVault];

    [Fact]
    public async Task A_plain_request_goes_to_the_proxy_with_its_password_and_the_name_unresolved()
    {
        await using var server = new LoopbackServer(LoopbackServer.Answering(Ok));
        await using var proxy = new LoopbackProxy(server.Port, User);

        Assert.Equal("ok", await GetAsync(Through(proxy, User), Isolated, _vault));

        Assert.Equal("GET http://vault.invalid/container HTTP/1.1", Assert.Single(proxy.Requests));
    }

    [Fact]
    public async Task A_secure_request_goes_through_a_tunnel_with_the_password_and_the_name_unresolved()
    {
        await using var server = new LoopbackServer(LoopbackServer.Secured(LoopbackServer.Answering(Ok)));
        await using var proxy = new LoopbackProxy(server.Port, User);

        Assert.Equal("ok", await GetAsync(Through(proxy, User), Trusting, _secureVault));

        Assert.Equal("CONNECT vault.invalid:443 HTTP/1.1", Assert.Single(proxy.Requests));
        Assert.Equal(1, server.Connections);
    }

    [Theory]
    [MemberData(nameof(Vaults))]
    public async Task Without_a_password_or_with_a_wrong_one_a_407_is_error_100050(Uri vault)
    {
        await using var server = new LoopbackServer(LoopbackServer.Answering(Ok));
        await using var proxy = new LoopbackProxy(server.Port, User);

        foreach (string? user in new[] { null, "backup:wrong" })
        {
            BackupException error = await FailAsync(Through(proxy, user), Isolated, vault);

            Assert.Equal((BackupErrorId.ProxyAuthenticationRequired, "100050", false), (error.Id, error.ErrorCode, error.IsTransient));
            Assert.Contains("407", error.InnerException!.Message, StringComparison.Ordinal);
        }

        Assert.Equal(0, server.Connections);
    }

    [Theory]
    [MemberData(nameof(Vaults))]
    public async Task A_407_is_found_in_what_a_client_of_Azure_throws(Uri vault)
    {
        await using var server = new LoopbackServer(LoopbackServer.Answering(Ok));
        await using var proxy = new LoopbackProxy(server.Port, User);
        var options = new BlobClientOptions { Transport = AzureTransport.Create(Through(proxy, user: null)), Retry = { MaxRetries = 0 } };

        RequestFailedException thrown = await Assert.ThrowsAsync<RequestFailedException>(
            () => new BlobContainerClient(vault, options).GetPropertiesAsync(cancellationToken: TestContext.Current.CancellationToken));

        BackupException error = Assert.IsType<BackupException>(TransportErrors.Find(thrown));
        Assert.Equal((BackupErrorId.ProxyAuthenticationRequired, "100050"), (error.Id, error.ErrorCode));
        Assert.Contains("407", error.InnerException!.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("403 Forbidden", BackupErrorId.ProxyRefused, false)]
    [InlineData("502 Bad Gateway", BackupErrorId.VaultUnreachable, true)]
    [InlineData("504 Gateway Timeout", BackupErrorId.VaultUnreachable, true)]
    public async Task A_proxy_that_refuses_is_told_from_one_that_fails(string status, BackupErrorId id, bool transient)
    {
        await using var proxy = new LoopbackServer(LoopbackServer.Answering($"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n"));

        BackupException error = await FailAsync(new VaultConnection { Proxy = new ProxySetting("127.0.0.1", proxy.Port) }, Isolated, _secureVault);

        Assert.Equal((id, transient), (error.Id, error.IsTransient));
        Assert.Contains(status[..3], error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_proxy_that_refuses_is_told_with_the_host_that_it_refuses()
    {
        var refused = new HttpRequestException(HttpRequestError.ProxyTunnelError, "No.", null, System.Net.HttpStatusCode.Forbidden);

        BackupException error = Storage.Azure.Blobs.BlobErrors.From(refused, "https://acct.blob.core.windows.net/office", "");

        Assert.Equal((BackupErrorId.ProxyRefused, "acct.blob.core.windows.net"), (error.Id, error.Target));
        Assert.Contains("'acct.blob.core.windows.net'", error.RecommendedAction, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("*.blob.core.windows.net;intranet", true)]
    [InlineData("https://ACCT.blob.core.windows.net:443/office", true)]
    [InlineData("blob.core.windows.net", false)]
    [InlineData("*.vault.azure.net", false)]
    public void Hosts_that_are_to_go_past_the_proxy_do(string bypass, bool passes)
    {
        var choice = new ProxyChoice(new VaultConnection { Proxy = new ProxySetting("proxy.invalid", 3128) { Bypass = bypass } }, Isolated);

        Assert.Equal(passes, choice.For(new Uri("https://acct.blob.core.windows.net/office")).Address is null);
    }

    [Fact]
    public async Task The_password_of_a_proxy_of_the_environment_is_sent_to_it_and_told_to_nobody()
    {
        await using var server = new LoopbackServer(LoopbackServer.Secured(LoopbackServer.Answering(Ok)));
        await using var proxy = new LoopbackProxy(server.Port, "backup:secret");
        await using var refusing = new LoopbackServer(LoopbackServer.Answering("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"));

        Assert.Equal("ok", await GetAsync(new VaultConnection(), WithPassword(proxy.Port), _secureVault));
        BackupException error = await FailAsync(new VaultConnection(), WithPassword(refusing.Port), _secureVault);

        Assert.Equal(BackupErrorId.ProxyRefused, error.Id);
        Assert.DoesNotContain("secret", error.ToString(), StringComparison.Ordinal);

        // As HttpClient reads it from the environment: the password is in the address too.
        static TransportOptions WithPassword(int port) => Trusting with
        {
            SurroundingProxy = new WebProxy(new Uri($"http://backup:secret@127.0.0.1:{port}")) { Credentials = new NetworkCredential("backup", "secret") },
        };
    }

    [Fact]
    public async Task A_proxy_that_is_not_there_is_named()
    {
        await using var gone = new LoopbackServer((_, _) => Task.CompletedTask);
        int port = gone.Port;
        await gone.StopAsync();

        BackupException error = await FailAsync(new VaultConnection { Proxy = new ProxySetting("127.0.0.1", port) }, Isolated, _secureVault);

        Assert.Equal((BackupErrorId.VaultUnreachable, true), (error.Id, error.IsTransient));
        Assert.EndsWith($"(127.0.0.1:{port}).", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_direct_connection_goes_past_the_proxy_of_the_setting_and_of_the_environment()
    {
        await using var server = new LoopbackServer(LoopbackServer.Answering(Ok));
        await using var proxy = new LoopbackProxy(server.Port);
        TransportOptions options = Surrounded(proxy.Port) with { ResolveAsync = Resolving("127.0.0.1") };

        Assert.Equal("ok", await GetAsync(Through(proxy, User) with { IsDirect = true }, options, new Uri($"http://vault.invalid:{server.Port}/")));

        Assert.Equal(0, proxy.Connections);
    }

    [Fact]
    public async Task The_proxy_of_the_environment_is_used_where_none_is_set()
    {
        await using var server = new LoopbackServer(LoopbackServer.Answering(Ok));
        await using var proxy = new LoopbackProxy(server.Port);

        Assert.Equal("ok", await GetAsync(new VaultConnection(), Surrounded(proxy.Port), _vault));

        Assert.Single(proxy.Requests);
    }

    [Fact]
    public void Where_the_proxy_comes_from_is_known()
    {
        var setting = new VaultConnection { Proxy = new ProxySetting("proxy.invalid", 3128, "backup", "secret") };
        TransportOptions environment = Surrounded(8080, "HTTPS_PROXY");
        TransportOptions system = Surrounded(8080);
        var exempt = new WebProxy("http://127.0.0.1:8080") { BypassList = [@"vault\.invalid"] };

        Assert.Equal(new ProxyUse(ProxySource.Setting, new Uri("http://proxy.invalid:3128")), new ProxyChoice(setting, environment).For(_secureVault));
        Assert.Equal(
            new ProxyUse(ProxySource.Environment, new Uri("http://127.0.0.1:8080")), new ProxyChoice(new VaultConnection(), environment).For(_secureVault));
        Assert.Equal(new ProxyUse(ProxySource.System, new Uri("http://127.0.0.1:8080")), new ProxyChoice(new VaultConnection(), system).For(_secureVault));
        Assert.Equal(new ProxyUse(ProxySource.None, null), new ProxyChoice(new VaultConnection(), system with { SurroundingProxy = exempt }).For(_secureVault));
        Assert.Equal(new ProxyUse(ProxySource.None, null), new ProxyChoice(new VaultConnection(), Isolated).For(_secureVault));
        Assert.Equal(new ProxyUse(ProxySource.Direct, null), new ProxyChoice(setting with { IsDirect = true }, environment).For(_secureVault));
    }

    [Theory]
    [InlineData("http://169.254.169.254/metadata/identity", "proxy.invalid", false)]
    [InlineData("http://[fe80::1]/", "proxy.invalid", false)]
    [InlineData("http://localhost:40342/metadata/identity", "proxy.invalid", false)]
    [InlineData("http://127.0.0.1:10000/devstoreaccount1/vault", "10.1.2.3", false)]
    [InlineData("http://127.0.0.1:10000/devstoreaccount1/vault", "127.0.0.1", true)]
    [InlineData("http://169.254.169.254/metadata/identity", "127.0.0.1", false)]
    [InlineData("https://10.1.2.3/vault", "proxy.invalid", true)]
    public void A_proxy_elsewhere_is_not_asked_for_what_is_on_this_machine(string target, string proxy, bool used)
    {
        var choice = new ProxyChoice(new VaultConnection { Proxy = new ProxySetting(proxy, 3128) }, Isolated);

        Assert.Equal(used, choice.For(new Uri(target)).Address is not null);
    }

    [Theory]
    [InlineData("proxy.example", "http://proxy.example:3128/")]
    [InlineData("http://proxy.example", "http://proxy.example:3128/")]
    [InlineData("https://proxy.example:8443/", "https://proxy.example:3128/")]
    [InlineData("10.1.2.3", "http://10.1.2.3:3128/")]
    [InlineData("fd00::1", "http://[fd00::1]:3128/")]
    public void The_server_of_a_setting_is_a_name_an_address_or_a_URL(string server, string expected) =>
        Assert.Equal(
            expected, new ProxyChoice(new VaultConnection { Proxy = new ProxySetting(server, 3128) }, Isolated).For(_secureVault).Address?.AbsoluteUri);

    [Theory]
    [InlineData("not a name", 3128)]
    [InlineData("proxy/path", 3128)]
    [InlineData("proxy", 65536)]
    public void A_setting_that_is_no_address_is_refused(string server, int port)
    {
        BackupException error = Assert.Throws<BackupException>(() => AzureTransport.Create(new VaultConnection { Proxy = new ProxySetting(server, port) }));

        Assert.Equal(BackupErrorId.ArgumentInvalid, error.Id);
    }

    [Fact]
    public void A_domain_before_the_user_is_taken_for_one()
    {
        ICredentials credentials = new ProxyChoice(new VaultConnection { Proxy = new ProxySetting("proxy", 3128, @"CORP\backup", "secret") }, Isolated).Credentials!;

        NetworkCredential credential = credentials.GetCredential(new Uri("http://proxy:3128"), "NTLM")!;
        Assert.Equal(("CORP", "backup", "secret"), (credential.Domain, credential.UserName, credential.Password));
    }

    private static VaultConnection Through(LoopbackProxy proxy, string? user)
    {
        string[] parts = user?.Split(':') ?? [];
        return new VaultConnection { Proxy = new ProxySetting("127.0.0.1", proxy.Port, parts.FirstOrDefault(), parts.LastOrDefault()) };
    }

    private static TransportOptions Surrounded(int port, string? variable = null) => Isolated with
    {
        SurroundingProxy = new WebProxy("127.0.0.1", port),
        Variable = name => name == variable ? $"http://127.0.0.1:{port}" : null,
    };
}
