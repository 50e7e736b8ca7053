using System.Net;
using Azure.Core.Pipeline;
using MSOnlineBackup.Engine.Storage;

namespace MSOnlineBackup.Storage.Azure.Transport;

/// <summary>How requests to Azure travel.</summary>
internal static class AzureTransport
{
    /// <summary>A transport by the connection's proxy.</summary>
    public static HttpPipelineTransport Create(VaultConnection connection) => new HttpClientTransport(new SocketsHttpHandler
    {
        UseProxy = !connection.IsDirect,
        Proxy = connection.Proxy is { } proxy ? new WebProxy(proxy.Server, proxy.Port) { Credentials = new NetworkCredential(proxy.UserName, proxy.Password) } : null,
    });
}
