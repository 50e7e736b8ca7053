using MSOnlineBackup.Agent.Health;
using MSOnlineBackup.Composition;
using MSOnlineBackup.Storage.Azure.Connectivity;

namespace MSOnlineBackup.Host.Tests.Composition;

/// <summary>What the layers of the way to a vault mean for backups: each that fails flips exactly its check.</summary>
public sealed class VaultWaysTests
{
    [Theory]
    [InlineData(ConnectivityLayer.Dns, HealthCheck.Network)]
    [InlineData(ConnectivityLayer.Tcp, HealthCheck.Network)]
    [InlineData(ConnectivityLayer.Tls, HealthCheck.Network)]
    [InlineData(ConnectivityLayer.Http, HealthCheck.Network)]
    [InlineData(ConnectivityLayer.Proxy, HealthCheck.Proxy)]
    [InlineData(ConnectivityLayer.Clock, HealthCheck.Clock)]
    [InlineData(ConnectivityLayer.Authorisation, HealthCheck.VaultAccess)]
    public void A_layer_that_fails_flips_its_check(ConnectivityLayer layer, HealthCheck expected)
    {
        foreach ((LayerOutcome outcome, HealthVerdict verdict) in (ReadOnlySpan<(LayerOutcome, HealthVerdict)>)[(LayerOutcome.Failed, HealthVerdict.Fail),
            (LayerOutcome.Warning, HealthVerdict.Warning)])
        {
            HealthFinding fault = Assert.Single(
                VaultWays.Describe(Report(check => check == layer ? outcome : LayerOutcome.Passed)), finding => finding.Verdict != HealthVerdict.Pass);

            Assert.Equal((expected, verdict, "seen", "do"), (fault.Check, fault.Verdict, fault.Cause, fault.Fix));
        }
    }

    [Fact]
    public void What_comes_after_a_failure_does_not_apply()
    {
        IReadOnlyList<HealthFinding> findings = VaultWays.Describe(Report(layer => layer switch
        {
            < ConnectivityLayer.Proxy => LayerOutcome.Passed,
            ConnectivityLayer.Proxy => LayerOutcome.Failed,
            _ => LayerOutcome.NotTested,
        }));

        Assert.Equal(
            [(HealthCheck.Network, HealthVerdict.Pass), (HealthCheck.Proxy, HealthVerdict.Fail), (HealthCheck.Clock, HealthVerdict.NotApplicable), (
                HealthCheck.VaultAccess, HealthVerdict.NotApplicable)],
            findings.Select(finding => (finding.Check, finding.Verdict)));
    }

    [Theory]
    [InlineData("proxy:8080 (setting)", HealthVerdict.Pass)]
    [InlineData("proxy:8080 (system)", HealthVerdict.Pass)]
    [InlineData("proxy:8080 (environment)", HealthVerdict.Warning)]
    public void A_proxy_is_shown_with_who_named_it_and_one_of_the_session_alone_is_a_warning(string proxy, HealthVerdict expected)
    {
        HealthFinding finding = Assert.Single(VaultWays.Describe(Report(_ => LayerOutcome.Passed, proxy)), finding => finding.Check == HealthCheck.Proxy);

        Assert.Equal(expected, finding.Verdict);
        Assert.Contains(proxy, finding.Cause, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_proxy_nothing_is_said_of_one() => Assert.Contains(
        VaultWays.Describe(Report(layer => layer == ConnectivityLayer.Proxy ? LayerOutcome.NotNeeded : LayerOutcome.Passed, null)),
        finding => finding is { Check: HealthCheck.Proxy, Verdict: HealthVerdict.NotApplicable });

    private static EndpointReport Report(Func<ConnectivityLayer, LayerOutcome> outcome, string? proxy = "proxy:8080 (setting)") => new(
        new RequiredEndpoint("example.blob.core.windows.net", "the vault", IsVault: true, null, null, [], new Uri("https://example.blob.core.windows.net/")),
        [.. Enum.GetValues<ConnectivityLayer>().Select(layer => new LayerCheck(layer, outcome(layer), "seen", "do"))],
        [],
        null,
        null,
        proxy);
}
