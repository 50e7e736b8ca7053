using System.Net;
using System.Net.Security;
using MSOnlineBackup.Storage.Azure.Connectivity;
using MSOnlineBackup.Storage.Azure.Transport;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;
using Xunit;

namespace MSOnlineBackup.Storage.Azure.Tests.Connectivity;

/// <summary>Each layer, broken in earnest.</summary>
public sealed class EndpointProbeTests
{
    private const string OfStorage = "x-ms-request-id: 1";

    private static readonly DateTimeOffset _now = new(2024, 2, 29, 12, 0, 0, TimeSpan.Zero);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_vault_that_is_reached_passes_in_every_layer_that_it_needs()
    {
        await using var server = Http(404, OfStorage, DateHeader(_now));

        EndpointReport report = await ProbeAsync($"http://127.0.0.1:{server.Port}/account/vault");

        Assert.Equal(
            [
                (ConnectivityLayer.Dns, LayerOutcome.NotNeeded),
                (ConnectivityLayer.Tcp, LayerOutcome.Passed),
                (ConnectivityLayer.Proxy, LayerOutcome.NotNeeded),
                (ConnectivityLayer.Tls, LayerOutcome.NotNeeded),
                (ConnectivityLayer.Http, LayerOutcome.Passed),
                (ConnectivityLayer.Clock, LayerOutcome.Passed),
                (ConnectivityLayer.Authorisation, LayerOutcome.Passed),
            ],
            report.Layers.Select(layer => (layer.Layer, layer.Outcome)));
        Assert.Equal((LayerOutcome.Passed, TimeSpan.Zero), (report.Outcome, report.ClockSkew));
    }

    [Fact]
    public async Task A_name_without_an_address_fails_in_DNS_and_nothing_after_it_is_tested()
    {
        EndpointReport report = await ProbeAsync("https://account.invalid/vault");

        AssertFails(report, ConnectivityLayer.Dns, "account.invalid");
        Assert.All(
            report.Layers.Where(layer => layer.Layer > ConnectivityLayer.Dns && layer.Layer != ConnectivityLayer.Proxy),
            layer => Assert.Equal(LayerOutcome.NotTested, layer.Outcome));
    }

    [Fact]
    public async Task A_closed_port_fails_in_TCP()
    {
        int port = LoopbackServer.ClosedPort();

        EndpointReport report = await ProbeAsync($"https://localhost:{port}/account/vault");

        AssertFails(report, ConnectivityLayer.Tcp, $"localhost:{port}");
        Assert.Equal(LayerOutcome.Passed, report.Layers[0].Outcome);
    }

    [Fact]
    public async Task A_certificate_that_nobody_trusts_fails_in_TLS()
    {
        await using var server = Https(404, OfStorage);

        EndpointReport report = await ProbeAsync($"https://localhost:{server.Port}/account/vault");

        AssertFails(report, ConnectivityLayer.Tls, "certificate");
    }

    [Fact]
    public async Task A_server_of_TLS_1_0_fails_in_TLS()
    {
        // To a greeting of TLS 1.2 it has the alert "protocol version", and nothing else.
        await using var server = new LoopbackServer(async (stream, stop) =>
        {
            await stream.ReadAtLeastAsync(new byte[64], 1, cancellationToken: stop);
            await stream.WriteAsync(new byte[] { 21, 3, 1, 0, 2, 2, 70 }, stop);
        });

        EndpointReport report = await ProbeAsync($"https://localhost:{server.Port}/account/vault");

        AssertFails(report, ConnectivityLayer.Tls, "TLS 1.2");
    }

    [Fact]
    public async Task A_trusted_server_passes_TLS()
    {
        await using var server = Https(404, OfStorage);

        EndpointReport report = await ProbeAsync(
            $"https://localhost:{server.Port}/account/vault",
            options: Options() with { CertificateCheck = (_, _, _, errors) => errors != SslPolicyErrors.None });

        Assert.Equal(LayerOutcome.Passed, Of(report, ConnectivityLayer.Tls).Outcome);
        Assert.Null(report.Failure);
    }

    [Theory]
    [InlineData(403)]
    [InlineData(200)]
    public async Task An_answer_that_is_not_of_Blob_Storage_fails_in_HTTP(int status)
    {
        await using var server = Http(status);

        EndpointReport report = await ProbeAsync($"http://127.0.0.1:{server.Port}/account/vault");

        AssertFails(report, ConnectivityLayer.Http, $"{status}");
    }

    [Fact]
    public async Task A_service_that_is_out_of_order_fails_in_HTTP()
    {
        await using var server = Http(503, OfStorage);

        AssertFails(await ProbeAsync($"http://127.0.0.1:{server.Port}/account/vault"), ConnectivityLayer.Http, "503");
    }

    [Theory]
    [InlineData(403, LayerOutcome.Failed)]
    [InlineData(302, LayerOutcome.Passed)]
    public async Task Of_what_is_no_vault_an_answer_is_wanted_and_no_refusal(int status, LayerOutcome expected)
    {
        await using var server = Http(status);
        var endpoint = new RequiredEndpoint("*.example", "a page", IsVault: false, null, null, [], new Uri($"http://127.0.0.1:{server.Port}/"));

        EndpointReport report = await ProbeOf().RunAsync(endpoint, null, Stop);

        Assert.Equal(expected, Of(report, ConnectivityLayer.Http).Outcome);
    }

    [Fact]
    public async Task A_refusal_by_the_service_fails_in_the_authorisation_in_the_words_of_the_job()
    {
        await using var server = Http(403, OfStorage, DateHeader(_now));
        var refusal = new BackupException(BackupErrorId.VaultAccessDenied, "The role is missing.", "Assign it.");

        EndpointReport report = await ProbeAsync($"http://127.0.0.1:{server.Port}/account/vault", _ => Task.FromException(refusal));

        Assert.Equal(new LayerCheck(ConnectivityLayer.Authorisation, LayerOutcome.Failed, "The role is missing.", "Assign it."), report.Failure);
    }

    [Theory]
    [InlineData(4 * 60 + 59, LayerOutcome.Passed)]
    [InlineData(-5 * 60, LayerOutcome.Passed)]
    [InlineData(5 * 60 + 1, LayerOutcome.Warning)]
    [InlineData(-15 * 60, LayerOutcome.Warning)]
    [InlineData(15 * 60 + 1, LayerOutcome.Failed)]
    [InlineData(-86400, LayerOutcome.Failed)]
    public async Task A_clock_that_is_off_by_more_than_5_minutes_is_warned_of_and_by_more_than_15_fails(int secondsAhead, LayerOutcome expected)
    {
        await using var server = Http(404, OfStorage, DateHeader(_now.AddSeconds(-secondsAhead)));

        EndpointReport report = await ProbeAsync($"http://127.0.0.1:{server.Port}/account/vault");

        Assert.Equal(expected, Of(report, ConnectivityLayer.Clock).Outcome);
        Assert.Equal(TimeSpan.FromSeconds(secondsAhead), report.ClockSkew);
        Assert.Equal(expected, report.Outcome);
        Assert.Equal(expected == LayerOutcome.Failed ? ConnectivityLayer.Clock : null, report.Failure?.Layer);
    }

    [Theory]
    [InlineData("https", 407, "407")]
    [InlineData("https", 403, "403")]
    [InlineData("http", 407, "407")]
    public async Task A_proxy_that_does_not_let_this_machine_pass_fails_in_the_proxy(string scheme, int status, string told)
    {
        await using var proxy = Http(status, "Proxy-Authenticate: Basic realm=\"p\"");
        var endpoint = new RequiredEndpoint("vault.example", "the vault", IsVault: true, null, null, [], new Uri($"{scheme}://vault.example/c"));
        var connection = new VaultConnection { Proxy = new ProxySetting("127.0.0.1", proxy.Port), TimeProvider = new FakeClock(_now) };

        EndpointReport report = await new EndpointProbe(connection, Options(), TimeSpan.FromSeconds(30)).RunAsync(endpoint, _ => Task.CompletedTask, Stop);

        AssertFails(report, ConnectivityLayer.Proxy, told);
        Assert.Equal($"127.0.0.1:{proxy.Port} (setting)", report.Proxy);
        Assert.Empty(report.Addresses);
    }

    [Fact]
    public async Task Where_a_private_endpoint_is_demanded_a_public_address_fails_before_a_byte_is_sent()
    {
        await using var server = Http(404, OfStorage);
        var connection = new VaultConnection { IsDirect = true, RequiresPrivateEndpoint = true, TimeProvider = new FakeClock(_now) };
        var endpoint = new RequiredEndpoint("vault.example", "the vault", IsVault: true, null, null, [], new Uri($"http://vault.example:{server.Port}/c"));

        EndpointReport report =
            await new EndpointProbe(connection, Options("20.60.1.2"), TimeSpan.FromSeconds(30)).RunAsync(endpoint, _ => Task.CompletedTask, Stop);
        AssertFails(report, ConnectivityLayer.Dns, "20.60.1.2");
        Assert.Equal(0, server.Connections);

        report = await new EndpointProbe(connection, Options("127.0.0.1"), TimeSpan.FromSeconds(30)).RunAsync(endpoint, _ => Task.CompletedTask, Stop);
        Assert.Null(report.Failure);
    }

    [Theory]
    [InlineData("127.0.0.1", "127.0.0.0/8", true, LayerOutcome.Passed)]
    [InlineData("127.0.0.1", "20.190.128.0/18", false, LayerOutcome.Warning)]
    public async Task Whether_the_address_is_a_published_one_is_told(string address, string published, bool isPublished, LayerOutcome expected)
    {
        await using var server = Http(200);
        var endpoint = new RequiredEndpoint(
            "sign-in.example", "sign-in", IsVault: false, null, null, [IPNetwork.Parse(published)], new Uri($"http://sign-in.example:{server.Port}/"));

        EndpointReport report = await ProbeOf(address).RunAsync(endpoint, null, Stop);

        Assert.Equal((isPublished, expected), (report.IsPublished, Of(report, ConnectivityLayer.Dns).Outcome));
        Assert.Equal(expected, report.Outcome);
        Assert.Equal([IPAddress.Parse(address)], report.Addresses);
    }

    [Fact]
    public async Task Whoever_does_not_answer_is_not_waited_for_without_end()
    {
        var clock = new FakeClock(_now);
        var options = Options() with
        {
            ResolveAsync = async (_, token) =>
            {
                var asked = new TaskCompletionSource<IPAddress[]>();
                await using CancellationTokenRegistration stop = token.Register(() => asked.TrySetCanceled(token));
                clock.Advance(TimeSpan.FromSeconds(30));
                return await asked.Task;
            },
        };
        var endpoint = new RequiredEndpoint("silent.example", "a page", IsVault: false, null, null, [], new Uri("https://silent.example/"));

        EndpointReport report = await new EndpointProbe(new VaultConnection { IsDirect = true, TimeProvider = clock }, options, TimeSpan.FromSeconds(30))
            .RunAsync(endpoint, null, Stop);

        AssertFails(report, ConnectivityLayer.Dns, "30 seconds");
    }

    [Fact]
    public async Task The_test_of_an_emulator_tries_the_emulator_alone()
    {
        await using var server = Http(404, OfStorage);

        IReadOnlyList<EndpointReport> reports = await ConnectivityTest.RunAsync(
            $"http://127.0.0.1:{server.Port}/account/vault", new VaultConnection { IsDirect = true }, _ => Task.CompletedTask, Stop);

        Assert.Null(Assert.Single(reports).Failure);
    }

    private static void AssertFails(EndpointReport report, ConnectivityLayer layer, string told)
    {
        Assert.Equal(layer, report.Failure?.Layer);
        Assert.Contains(told, report.Failure!.Detail, StringComparison.OrdinalIgnoreCase);
        Assert.NotNull(report.Failure.RecommendedAction);
        Assert.Equal(LayerOutcome.Failed, report.Outcome);
        Assert.All(report.Layers.Where(before => before.Layer < layer), before => Assert.True(before.Outcome is LayerOutcome.Passed or LayerOutcome.NotNeeded));
    }

    private static LayerCheck Of(EndpointReport report, ConnectivityLayer layer) => report.Layers.Single(check => check.Layer == layer);

    private static LoopbackServer Http(int status, params string[] headers) => new(Telling(status, headers));

    private static LoopbackServer Https(int status, params string[] headers) => new(LoopbackServer.Secured(Telling(status, headers)));

    private static Func<Stream, CancellationToken, Task> Telling(int status, string[] headers) =>
        LoopbackServer.Answering($"HTTP/1.1 {status} Told\r\nContent-Length: 0\r\n{string.Concat(headers.Select(header => header + "\r\n"))}\r\n");

    private static string DateHeader(DateTimeOffset time) => $"Date: {time:R}";

    private static TransportOptions Options(string? address = null) => address is null
        ? new TransportOptions { SurroundingProxy = new WebProxy(), Variable = _ => null }
        : new TransportOptions { SurroundingProxy = new WebProxy(), Variable = _ => null, ResolveAsync = (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Parse(address)]) };

    private static EndpointProbe ProbeOf(string? address = null) =>
        new(new VaultConnection { TimeProvider = new FakeClock(_now) }, Options(address), TimeSpan.FromSeconds(30));

    private static Task<EndpointReport> ProbeAsync(string url, Func<CancellationToken, Task>? authorise = null, TransportOptions? options = null)
    {
        var address = new Uri(url);
        var endpoint = new RequiredEndpoint(address.IdnHost, "the vault", IsVault: true, "Storage", null, [], address);
        return new EndpointProbe(new VaultConnection { TimeProvider = new FakeClock(_now) }, options ?? Options(), TimeSpan.FromSeconds(30))
            .RunAsync(endpoint, authorise ?? (_ => Task.CompletedTask), Stop);
    }
}
