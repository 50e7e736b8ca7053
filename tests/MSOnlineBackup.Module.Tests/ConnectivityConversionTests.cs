using System.Net;
using MSOnlineBackup.Cmdlets;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Storage.Azure.Connectivity;
using MSOnlineBackup.Storage.Azure.Costs;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Module.Tests;

/// <summary>Between what the network and its costs were found to be and what scripts see.</summary>
public sealed class ConnectivityConversionTests
{
    private static readonly RequiredEndpoint _endpoint =
        new("*.example", "sign-in", IsVault: false, "Tag", "1:2", [IPNetwork.Parse("10.0.0.0/8")], new Uri("https://login.example/"));

    [Theory]
    [InlineData(0, 30)]
    [InlineData(1, 30)]
    [InlineData(40, 20)]
    [InlineData(54, 6)]
    [InlineData(59, 5)]
    [InlineData(80, 5)]
    public void A_registration_tells_within_a_minute_what_is_in_the_way(int waited, int left) =>
        Assert.Equal(TimeSpan.FromSeconds(left), DiagnosisTime.LeftAfter(TimeSpan.FromSeconds(waited)));

    [Fact]
    public void The_first_failure_is_shown_with_its_cause_and_what_to_do()
    {
        OBEndpointTest test = Report(
            new LayerCheck(ConnectivityLayer.Dns, LayerOutcome.Warning, "odd", "look"),
            new LayerCheck(ConnectivityLayer.Tls, LayerOutcome.Failed, "untrusted", "trust"),
            new LayerCheck(ConnectivityLayer.Clock, LayerOutcome.Failed, "late", "set it")).ToOutput();

        Assert.Equal(
            (OBTestOutcome.Failed, OBConnectivityLayer.Tls, "untrusted", "trust"), (test.Outcome, test.FailedLayer, test.Cause, test.RecommendedAction));
        Assert.Equal("*.example: Failed (Tls)", test.ToString());
        Assert.Equal(["Dns: Warning", "Tls: Failed", "Clock: Failed"], test.Layers.Select(layer => layer.ToString()));
        Assert.Equal(("*.example", 443, "10.1.2.3", true), (test.Endpoint, test.Port, Assert.Single(test.Addresses), test.InPublishedRange));
    }

    [Fact]
    public void Without_a_failure_a_warning_is_shown_and_without_that_nothing()
    {
        OBEndpointTest warned = Report(new LayerCheck(ConnectivityLayer.Clock, LayerOutcome.Warning, "late", "set it")).ToOutput();
        OBEndpointTest passed = Report(new LayerCheck(ConnectivityLayer.Tcp, LayerOutcome.Passed, "connected")).ToOutput();

        Assert.Equal((OBTestOutcome.Warning, null, "late"), (warned.Outcome, warned.FailedLayer, warned.Cause));
        Assert.Equal((OBTestOutcome.Passed, null, null), (passed.Outcome, passed.Cause, passed.RecommendedAction));
    }

    [Fact]
    public void Every_layer_and_outcome_has_its_word()
    {
        foreach (ConnectivityLayer layer in Enum.GetValues<ConnectivityLayer>())
        {
            foreach (LayerOutcome outcome in Enum.GetValues<LayerOutcome>())
            {
                Assert.Equal($"{layer}: {outcome}", Report(new LayerCheck(layer, outcome, "")).ToOutput().Layers[0].ToString());
            }
        }
    }

    [Fact]
    public void An_endpoint_keeps_its_ranges_and_names()
    {
        OBRequiredEndpoint endpoint = _endpoint.ToOutput();

        Assert.Equal("*.example:443", endpoint.ToString());
        Assert.Equal(("10.0.0.0/8", "Tag", "1:2"), (Assert.Single(endpoint.AddressRanges), endpoint.ServiceTag, endpoint.ExpressRouteCommunity));
    }

    [Fact]
    public void A_cost_is_shown_to_the_hundredth_and_traffic_by_class()
    {
        Assert.Equal("6.60 EUR a month", new CostEstimate("EUR", 1.1m, 2.2m, 3.3m, "basis").ToOutput().ToString());
        Assert.Equal("1 writes, 2 lists, 3 reads, 4 others", new VaultTraffic(1, 2, 3, 4, 5, 6).ToOutput().ToString());
    }

    private static EndpointReport Report(params LayerCheck[] layers) =>
        new(_endpoint, layers, [IPAddress.Parse("10.1.2.3")], IsPublished: true, TimeSpan.Zero, Proxy: null);
}
