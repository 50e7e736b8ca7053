using System.Net.Sockets;
using System.Text;

namespace MSOnlineBackup.Campaigns.Machines;

/// <summary>Stands between a backup and a guest agent, and sees the instant at which the guest is held still.</summary>
internal sealed class AgentRelay : IAsyncDisposable
{
    private readonly string _agent;
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly CancellationTokenSource _end = new();
    private readonly Task _serving;
    private Func<Task>? _whenFrozen;

    /// <param name="path">Where it listens.</param>
    /// <param name="agent">The agent's socket.</param>
    public AgentRelay(string path, string agent)
    {
        (Path, _agent) = (path, agent);
        _listener.Bind(new UnixDomainSocketEndPoint(path));
        _listener.Listen();
        _serving = ServeAsync();
    }

    /// <summary>Where it listens.</summary>
    public string Path { get; }

    /// <summary>What is done once, when the guest has been held still and nobody but this knows it.</summary>
    public void OnFrozen(Func<Task> done) => _whenFrozen = done;

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Dispose();
        try
        {
            await _serving;
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // It was waiting for the next one.
        }

        _end.Dispose();
    }

    private async Task ServeAsync()
    {
        while (true)
        {
            using Socket client = await _listener.AcceptAsync(_end.Token);
            using var agent = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await agent.ConnectAsync(new UnixDomainSocketEndPoint(_agent), _end.Token);
                bool isFreezing = false;
                await Task.WhenAny(
                    PumpAsync(client, agent, asked => { isFreezing |= asked.Contains("guest-fsfreeze-freeze", StringComparison.Ordinal); return Task.CompletedTask; }),
                    PumpAsync(agent, client, async _ =>
                    {
                        if (isFreezing && Interlocked.Exchange(ref _whenFrozen, null) is { } done)
                        {
                            await done();
                        }
                    }));
            }
            catch (SocketException)
            {
                // The machine is gone; so is the connection, then.
            }
        }
    }

    private async Task PumpAsync(Socket from, Socket to, Func<string, Task> look)
    {
        byte[] buffer = new byte[64 << 10];
        try
        {
            for (int count; (count = await from.ReceiveAsync(buffer, _end.Token)) > 0;)
            {
                await look(Encoding.UTF8.GetString(buffer, 0, count));
                await to.SendAsync(buffer.AsMemory(0, count), _end.Token);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // One end is gone: what was not passed on is lost, as it is there.
        }
    }
}
