using System.Runtime.CompilerServices;
using MSOnlineBackup.Agent.Health;
using MSOnlineBackup.Storage.Azure.Connectivity;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Composition;

/// <summary>The way to a vault in Azure as checks of a machine's health tell it.</summary>
internal static class VaultWays
{
    private const string Environment = "(environment)";

    private static readonly ConnectivityLayer[] _network = [ConnectivityLayer.Dns, ConnectivityLayer.Tcp, ConnectivityLayer.Tls, ConnectivityLayer.Http];

    /// <summary>Tries it; see <see cref="VaultWayTest"/>.</summary>
    /// <exception cref="BackupException">ArgumentInvalid.</exception>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static async Task<IReadOnlyList<HealthFinding>> TestAsync(
        string location, VaultConnection connection, Func<CancellationToken, Task> authorise, TimeSpan limit, CancellationToken cancellationToken) =>
        Describe(await ConnectivityTest.RunForVaultAsync(location, connection, authorise, cancellationToken, limit).ConfigureAwait(false));

    /// <summary>What a report means for backups.</summary>
    internal static IReadOnlyList<HealthFinding> Describe(EndpointReport report) =>
    [
        Describe(HealthCheck.Network, report.Layers.Where(layer => _network.Contains(layer.Layer)).MaxBy(layer => layer.Outcome)!,
            $"'{report.Endpoint.Host}' is reached."),
        DescribeProxy(report),
        Describe(HealthCheck.Clock, Layer(report, ConnectivityLayer.Clock)),
        Describe(HealthCheck.VaultAccess, Layer(report, ConnectivityLayer.Authorisation)),
    ];

    private static LayerCheck Layer(EndpointReport report, ConnectivityLayer layer) => report.Layers.First(check => check.Layer == layer);

    // What schedulers start has no variables of a session: then another way is tried than the one that is tried here.
    private static HealthFinding DescribeProxy(EndpointReport report) => Layer(report, ConnectivityLayer.Proxy) switch
    {
        { Outcome: LayerOutcome.Passed or LayerOutcome.NotTested } when report.Proxy?.EndsWith(Environment, StringComparison.Ordinal) == true => new(
            HealthCheck.Proxy,
            HealthVerdict.Warning,
            $"The proxy {report.Proxy} is named by a variable of this session, which scheduled backups do not have.",
            "Name it for all: Set-OBMachineSetting -ProxyServer. If this machine needs no proxy: Set-OBMachineSetting -NoProxy."),
        { Outcome: LayerOutcome.NotNeeded } => new HealthFinding(HealthCheck.Proxy, HealthVerdict.NotApplicable, "No proxy is used."),
        var layer => Describe(HealthCheck.Proxy, layer, $"The proxy {report.Proxy} lets this machine pass; scheduled backups use it, too."),
    };

    private static HealthFinding Describe(HealthCheck check, LayerCheck layer, string? whole = null) => layer.Outcome switch
    {
        LayerOutcome.Failed => new HealthFinding(check, HealthVerdict.Fail, layer.Detail, layer.RecommendedAction ?? ""),
        LayerOutcome.Warning => new HealthFinding(check, HealthVerdict.Warning, layer.Detail, layer.RecommendedAction ?? ""),
        LayerOutcome.Passed => new HealthFinding(check, HealthVerdict.Pass, whole ?? $"{char.ToUpperInvariant(layer.Detail[0])}{layer.Detail[1..]}."),
        _ => new HealthFinding(check, HealthVerdict.NotApplicable, layer.Outcome == LayerOutcome.NotTested ? "What comes before it failed."
            : $"Not needed: {layer.Detail}."),
    };
}
