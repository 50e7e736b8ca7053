using System.Net;
using System.Net.Sockets;
using System.Text;
using MSOnlineBackup.Engine.Storage;
using MSOnlineBackup.Storage.Azure.Blobs;

namespace MSOnlineBackup.Storage.Azure.Tests.Blobs;

/// <summary>A server on loopback that gives every request the same answer and closes the connection.</summary>
internal sealed class CannedServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly byte[] _answer;
    private int _requests;

    /// <param name="head">The status line's number and text, and the headers, a line each.</param>
    /// <param name="body">What follows them.</param>
    public CannedServer(string head, string body = "")
    {
        _answer = Encoding.ASCII.GetBytes($"HTTP/1.1 {head.ReplaceLineEndings("\r\n")}\r\nConnection: close\r\n\r\n{body}");
        _listener.Start();
        _ = ServeAsync();
    }

    /// <summary>How many requests there were.</summary>
    public int Requests => Volatile.Read(ref _requests);

    /// <summary>A vault there.</summary>
    public BlobVaultStore OpenVault() => BlobVaultStore.Open($"http://{_listener.LocalEndpoint}/devstoreaccount1/vault", new VaultConnection { IsDirect = true });

    public void Dispose()
    {
        _stop.Cancel();
        _listener.Dispose();
        _stop.Dispose();
    }

    private async Task ServeAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            using TcpClient client = await _listener.AcceptTcpClientAsync(_stop.Token);
            Interlocked.Increment(ref _requests);
            NetworkStream stream = client.GetStream();

            // The request's small body, if any, comes with its head.
            var head = new StringBuilder();
            byte[] buffer = new byte[64 << 10];
            while (!head.ToString().Contains("\r\n\r\n", StringComparison.Ordinal))
            {
                int read = await stream.ReadAsync(buffer, _stop.Token);
                head.Append(Encoding.ASCII.GetString(buffer, 0, read));
                if (read == 0)
                {
                    break;
                }
            }

            await stream.WriteAsync(_answer, _stop.Token);
            client.Client.Shutdown(SocketShutdown.Send);
            while (await stream.ReadAsync(buffer, _stop.Token) > 0)
            {
                // Closing before everything was read would reset the connection.
            }
        }
    }
}
