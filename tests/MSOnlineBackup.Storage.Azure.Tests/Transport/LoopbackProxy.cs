using System.Net.Sockets;
using System.Text;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Storage.Azure.Tests.Transport;

/// <summary>A proxy on loopback, to which every name leads to one server; it asks for Basic authentication where it has a user.</summary>
internal sealed class LoopbackProxy : IAsyncDisposable
{
    private readonly LoopbackServer _server;
    private readonly string? _user;
    private readonly int _targetPort;
    private readonly List<string> _requests = [];

    public LoopbackProxy(int targetPort, string? user = null)
    {
        _targetPort = targetPort;
        _user = user;
        _server = new LoopbackServer(ServeAsync);
    }

    public int Port => _server.Port;

    public int Connections => _server.Connections;

    /// <summary>The first lines of the requests that it let pass.</summary>
    public IReadOnlyList<string> Requests
    {
        get
        {
            lock (_requests)
            {
                return [.. _requests];
            }
        }
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private async Task ServeAsync(Stream client, CancellationToken stop)
    {
        while (await LoopbackServer.ReadHeadAsync(client, stop) is { Length: > 0 } head)
        {
            if (_user is not null && !head.Contains($"Proxy-Authorization: Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes(_user))}"))
            {
                await LoopbackServer.WriteAsync(
                    client, "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"test\"\r\nContent-Length: 0\r\n\r\n", stop);
                continue;
            }

            lock (_requests)
            {
                _requests.Add(head[0]);
            }

            using var target = new TcpClient();
            await target.ConnectAsync("127.0.0.1", _targetPort, stop);
            NetworkStream server = target.GetStream();
            if (head[0].StartsWith("CONNECT ", StringComparison.Ordinal))
            {
                await LoopbackServer.WriteAsync(client, "HTTP/1.1 200 Connection established\r\n\r\n", stop);
            }
            else
            {
                await LoopbackServer.WriteAsync(server, string.Join("\r\n", head) + "\r\n\r\n", stop);
            }

            await Task.WhenAny(client.CopyToAsync(server, stop), server.CopyToAsync(client, stop));
            return;
        }
    }
}
