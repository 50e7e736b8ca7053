using System.Net.Sockets;
using MSOnlineBackup.Storage.Azure.Blobs;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Storage.Azure.Tests.Blobs;

/// <summary>A server on loopback that gives every request the same answer and closes the connection.</summary>
internal sealed class CannedServer : IAsyncDisposable
{
    private readonly LoopbackServer _server;

    /// <param name="head">The status line's number and text, and the headers, a line each.</param>
    /// <param name="body">What follows them.</param>
    public CannedServer(string head, string body = "") => _server = new LoopbackServer(async (stream, stop) =>
    {
        await LoopbackServer.ReadHeadAsync(stream, stop);
        await LoopbackServer.WriteAsync(stream, $"HTTP/1.1 {head.ReplaceLineEndings("\r\n")}\r\nConnection: close\r\n\r\n{body}", stop);
        ((NetworkStream)stream).Socket.Shutdown(SocketShutdown.Send);

        // Closing before everything was read would reset the connection.
        await stream.CopyToAsync(Stream.Null, stop);
    });

    /// <summary>How many requests there were.</summary>
    public int Requests => _server.Connections;

    /// <summary>A vault there.</summary>
    public BlobVaultStore OpenVault() => BlobVaultStore.Open($"{_server.Url}devstoreaccount1/vault", new VaultConnection { IsDirect = true });

    public ValueTask DisposeAsync() => _server.DisposeAsync();
}
