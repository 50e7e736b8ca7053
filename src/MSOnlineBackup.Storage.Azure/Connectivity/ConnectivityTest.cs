using MSOnlineBackup.Storage.Azure.Transport;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Storage.Azure.Connectivity;

/// <summary>Whether this machine reaches what a vault in Azure needs, and if not, what is in the way.</summary>
public static class ConnectivityTest
{
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(30);

    /// <summary>Tries all endpoints of a vault at once.</summary>
    /// <param name="location">The vault's URL.</param>
    /// <param name="connection">How it is reached.</param>
    /// <param name="authorise">Reads something of the vault, and throws what a job would.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="limit">How long each may take to answer; null for half a minute.</param>
    /// <returns>A report for each endpoint, the vault's first.</returns>
    /// <exception cref="BackupException">ArgumentInvalid: the location is not the URL of a container, or the proxy setting no address.</exception>
    public static async Task<IReadOnlyList<EndpointReport>> RunAsync(
        string location, VaultConnection connection, Func<CancellationToken, Task> authorise, CancellationToken cancellationToken, TimeSpan? limit = null)
    {
        var probe = new EndpointProbe(connection, new TransportOptions(), limit ?? _limit);
        return await Task.WhenAll(RequiredEndpoints.For(location).Select(
            endpoint => probe.RunAsync(endpoint, endpoint.IsVault ? authorise : null, cancellationToken))).ConfigureAwait(false);
    }

    /// <summary>Tries the vault alone.</summary>
    /// <param name="location">The vault's URL.</param>
    /// <param name="connection">How it is reached.</param>
    /// <param name="authorise">Reads something of the vault, and throws what a job would.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="limit">How long it may take to answer; null for half a minute.</param>
    /// <exception cref="BackupException">ArgumentInvalid.</exception>
    public static Task<EndpointReport> RunForVaultAsync(
        string location, VaultConnection connection, Func<CancellationToken, Task> authorise, CancellationToken cancellationToken, TimeSpan? limit = null) =>
        new EndpointProbe(connection, new TransportOptions(), limit ?? _limit).RunAsync(RequiredEndpoints.For(location)[0], authorise, cancellationToken);
}
