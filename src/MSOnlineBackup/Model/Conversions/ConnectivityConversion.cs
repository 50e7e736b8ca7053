using MSOnlineBackup.Storage.Azure.Connectivity;

namespace MSOnlineBackup.Model.Conversions;

/// <summary>From what the network was found to be to what scripts see.</summary>
internal static class ConnectivityConversion
{
    /// <summary>An endpoint as it was found.</summary>
    public static OBEndpointTest ToOutput(this EndpointReport report)
    {
        LayerCheck? worst = report.Failure ?? report.Layers.FirstOrDefault(layer => layer.Outcome == LayerOutcome.Warning);
        return new OBEndpointTest
        {
            Endpoint = report.Endpoint.Host,
            Port = report.Endpoint.Port,
            Purpose = report.Endpoint.Purpose,
            IsVault = report.Endpoint.IsVault,
            Outcome = OutcomeOf(report.Outcome),
            FailedLayer = report.Failure is { } failure ? LayerOf(failure.Layer) : null,
            Cause = worst?.Detail,
            RecommendedAction = worst?.RecommendedAction,
            Addresses = [.. report.Addresses.Select(address => address.ToString())],
            InPublishedRange = report.IsPublished,
            ClockSkew = report.ClockSkew,
            Proxy = report.Proxy,
            Layers = [.. report.Layers.Select(LayerTestOf)],
        };
    }

    /// <summary>An endpoint that must be let through.</summary>
    public static OBRequiredEndpoint ToOutput(this RequiredEndpoint endpoint) => new()
    {
        Endpoint = endpoint.Host,
        Port = endpoint.Port,
        Purpose = endpoint.Purpose,
        AddressRanges = [.. endpoint.Addresses.Select(range => range.ToString())],
        ServiceTag = endpoint.ServiceTag,
        ExpressRouteCommunity = endpoint.ExpressRouteCommunity,
    };

    private static OBLayerTest LayerTestOf(LayerCheck check) => new()
    {
        Layer = LayerOf(check.Layer),
        Outcome = OutcomeOf(check.Outcome),
        Detail = check.Detail,
        RecommendedAction = check.RecommendedAction,
    };

    private static OBConnectivityLayer LayerOf(ConnectivityLayer layer) => layer switch
    {
        ConnectivityLayer.Dns => OBConnectivityLayer.Dns,
        ConnectivityLayer.Tcp => OBConnectivityLayer.Tcp,
        ConnectivityLayer.Proxy => OBConnectivityLayer.Proxy,
        ConnectivityLayer.Tls => OBConnectivityLayer.Tls,
        ConnectivityLayer.Http => OBConnectivityLayer.Http,
        ConnectivityLayer.Clock => OBConnectivityLayer.Clock,
        ConnectivityLayer.Authorisation => OBConnectivityLayer.Authorisation,
        _ => throw new ArgumentOutOfRangeException(nameof(layer), layer, "No such layer."),
    };

    private static OBTestOutcome OutcomeOf(LayerOutcome outcome) => outcome switch
    {
        LayerOutcome.NotTested => OBTestOutcome.NotTested,
        LayerOutcome.NotNeeded => OBTestOutcome.NotNeeded,
        LayerOutcome.Passed => OBTestOutcome.Passed,
        LayerOutcome.Warning => OBTestOutcome.Warning,
        LayerOutcome.Failed => OBTestOutcome.Failed,
        _ => throw new ArgumentOutOfRangeException(nameof(outcome), outcome, "No such outcome."),
    };
}
