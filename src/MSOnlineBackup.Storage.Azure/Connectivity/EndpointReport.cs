using System.Net;

namespace MSOnlineBackup.Storage.Azure.Connectivity;

/// <summary>What lies between this machine and an endpoint, in the order in which it can fail.</summary>
public enum ConnectivityLayer
{
    /// <summary>The host's name (the proxy's, where there is one) has an address, and one that may be used.</summary>
    Dns,

    /// <summary>A connection to it can be made.</summary>
    Tcp,

    /// <summary>The proxy passes this machine on to the host.</summary>
    Proxy,

    /// <summary>TLS 1.2 or newer, with a certificate that this machine trusts.</summary>
    Tls,

    /// <summary>What answers is the service.</summary>
    Http,

    /// <summary>This machine's clock agrees with the service's. It comes before the authorisation, which a wrong clock spoils.</summary>
    Clock,

    /// <summary>The service lets this machine read the vault.</summary>
    Authorisation,
}

/// <summary>How a layer stands.</summary>
public enum LayerOutcome
{
    /// <summary>A layer before it failed.</summary>
    NotTested,

    /// <summary>There is nothing to test: no proxy, no TLS to an emulator.</summary>
    NotNeeded,

    /// <summary>It works.</summary>
    Passed,

    /// <summary>It works, and something about it will make trouble.</summary>
    Warning,

    /// <summary>It does not work.</summary>
    Failed,
}

/// <summary>A layer as it was found.</summary>
/// <param name="Layer">Which.</param>
/// <param name="Outcome">How it stands.</param>
/// <param name="Detail">What was seen; of a failure, its cause.</param>
/// <param name="RecommendedAction">What to do; null where nothing is to be done.</param>
public sealed record LayerCheck(ConnectivityLayer Layer, LayerOutcome Outcome, string Detail, string? RecommendedAction = null);

/// <summary>An endpoint as it was found.</summary>
/// <param name="Endpoint">Which.</param>
/// <param name="Layers">Every layer, in order.</param>
/// <param name="Addresses">The addresses that the endpoint's own name has here; empty where it has none, or a proxy resolves it.</param>
/// <param name="IsPublished">Whether those are among the published ones; null where that cannot be said.</param>
/// <param name="ClockSkew">By how much this machine's clock is ahead of the service's; null where it was not heard.</param>
/// <param name="Proxy">The proxy and who named it; null for none.</param>
public sealed record EndpointReport(
    RequiredEndpoint Endpoint,
    IReadOnlyList<LayerCheck> Layers,
    IReadOnlyList<IPAddress> Addresses,
    bool? IsPublished,
    TimeSpan? ClockSkew,
    string? Proxy)
{
    /// <summary>The first layer that failed; null where none did.</summary>
    public LayerCheck? Failure => Layers.FirstOrDefault(layer => layer.Outcome == LayerOutcome.Failed);

    /// <summary>The worst of its layers: Failed, Warning or Passed.</summary>
    public LayerOutcome Outcome => (LayerOutcome)Math.Max((int)Layers.Max(layer => layer.Outcome), (int)LayerOutcome.Passed);
}
