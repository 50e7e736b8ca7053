using System.Net.Sockets;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.VirtualMachines.Tests;

/// <summary>A server at a socket that says what a test has it say.</summary>
internal sealed class SocketServer : IAsyncDisposable
{
    private readonly TempFolder _folder = new();
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _serving;

    /// <param name="serve">What is done with each connection, one after the other.</param>
    public SocketServer(Func<Stream, CancellationToken, Task> serve)
    {
        _listener.Bind(new UnixDomainSocketEndPoint(Path));
        _listener.Listen();
        _serving = Task.Run(async () =>
        {
            while (true)
            {
                await using var stream = new NetworkStream(await _listener.AcceptAsync(_stop.Token), ownsSocket: true);
                Connections++;
                try
                {
                    await serve(stream, _stop.Token);
                }
                catch (IOException)
                {
                    // The client has gone.
                    continue;
                }
            }
        });
    }

    public string Path => _folder["socket"];

    public int Connections { get; private set; }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _serving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _listener.Dispose();
        _stop.Dispose();
        _folder.Dispose();
    }
}
