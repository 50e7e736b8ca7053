using Azure.Core.Pipeline;
using MSOnlineBackup.Engine.Storage;

namespace MSOnlineBackup.Storage.Azure.Transport;

/// <summary>How requests travel.</summary>
internal static class AzureTransport
{
    /// <summary>The transport of one connection.</summary>
    public static HttpPipelineTransport Create(VaultConnection connection) => new HttpClientTransport(new SocketsHttpHandler { UseProxy = !connection.IsDirect });
}
