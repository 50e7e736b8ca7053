using System.Net.Security;
using System.Security.Authentication;
using Azure.Core.Pipeline;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Storage.Azure.Transport;

/// <summary>
/// How requests to Azure travel: proxy, TLS 1.2 or newer, private addresses, bandwidth, stalled connections. There is no limit on how long a
/// request may take as a whole, as that depends on its size and the bandwidth; clients set theirs (<c>Retry.NetworkTimeout</c>) to infinite.
/// </summary>
internal static class AzureTransport
{
    // So that a name that moves to another address is noticed.
    private static readonly TimeSpan _connectionLife = TimeSpan.FromMinutes(5);

    /// <summary>The transport of a client's pipeline.</summary>
    /// <exception cref="BackupException">ArgumentInvalid: the proxy setting is not an address.</exception>
    public static HttpPipelineTransport Create(VaultConnection connection) =>
        new HttpClientTransport(new HttpClient(CreateHandler(connection)) { Timeout = Timeout.InfiniteTimeSpan });

    /// <summary>A client for requests without a pipeline.</summary>
    /// <exception cref="BackupException">ArgumentInvalid: the proxy setting is not an address.</exception>
    public static HttpMessageHandler CreateHandler(VaultConnection connection) => CreateHandler(connection, TransportOptions.For(connection.Patience));

    /// <summary>The handler, with parts of the system replaced.</summary>
    internal static HttpMessageHandler CreateHandler(VaultConnection connection, TransportOptions options)
    {
        var proxy = new ProxyChoice(connection, options);
        var connector = new Connector(connection, options);
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            Proxy = proxy,
            PooledConnectionLifetime = _connectionLife,
            ConnectCallback = (context, token) => connector.ConnectAsync(context.DnsEndPoint, token),
            SslOptions = new SslClientAuthenticationOptions
            {
                EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
                RemoteCertificateValidationCallback = options.CertificateCheck,
            },
        };
        return connection.RequiresPrivateEndpoint ? new PrivateEndpointGuard(proxy, handler) : handler;
    }
}
