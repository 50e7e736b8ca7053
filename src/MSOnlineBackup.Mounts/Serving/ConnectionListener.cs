using System.Net;
using System.Net.Sockets;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Mounts.Serving;

/// <summary>
/// Takes connections from this machine, and has each served by itself. There are never more of them than a number; who comes then waits.
/// </summary>
internal sealed class ConnectionListener : IAsyncDisposable
{
    private readonly Socket _listening;
    private readonly string? _path;
    private readonly Func<Socket, CancellationToken, Task> _serve;
    private readonly Action<Exception> _report;
    private readonly SemaphoreSlim _free;
    private readonly int _most;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _accepting;
    private int _isDisposed;

    private ConnectionListener(Socket listening, string? path, int most, Func<Socket, CancellationToken, Task> serve, Action<Exception> report)
    {
        (_listening, _path, _most, _serve, _report) = (listening, path, most, serve, report);
        _free = new SemaphoreSlim(most);
        _accepting = Task.Run(AcceptAsync);
    }

    /// <summary>Where it listens.</summary>
    public EndPoint Address => _listening.LocalEndPoint!;

    /// <summary>Listens on a port of 127.0.0.1; 0 has the system choose a free one.</summary>
    /// <param name="port">The port.</param>
    /// <param name="most">How many connections there are at most.</param>
    /// <param name="serve">Serves a connection until it ends. What a network does to it (<see cref="IOException"/>, <see cref="SocketException"/>) ends it, too.</param>
    /// <param name="report">Is told what else ends a connection: bugs.</param>
    /// <exception cref="BackupException">ServerAddressTaken, ServerAddressRefused.</exception>
    public static ConnectionListener OnPort(int port, int most, Func<Socket, CancellationToken, Task> serve, Action<Exception> report)
    {
        var listening = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (OperatingSystem.IsWindows())
            {
                // Elsewhere nobody else can listen beside it as it is.
                listening.ExclusiveAddressUse = true;
            }

            listening.Bind(new IPEndPoint(IPAddress.Loopback, port));
            listening.Listen();
        }
        catch (SocketException e)
        {
            listening.Dispose();
            throw ServerErrors.NoPort(port, e);
        }

        return new ConnectionListener(listening, null, most, serve, report);
    }

    /// <summary>Listens on a socket in a folder, which only this account may use. It is removed again.</summary>
    /// <exception cref="BackupException">ServerAddressTaken: something is there; ServerAddressRefused.</exception>
    public static ConnectionListener OnSocket(string path, int most, Func<Socket, CancellationToken, Task> serve, Action<Exception> report)
    {
        string full = Path.GetFullPath(path);
        if (Path.Exists(full))
        {
            throw ServerErrors.PathTaken(path);
        }

        Socket? listening = null;
        bool isThere = false;
        try
        {
            listening = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            listening.Bind(new UnixDomainSocketEndPoint(full));
            isThere = true;
            if (!OperatingSystem.IsWindows())
            {
                // Nobody can connect before it listens.
                File.SetUnixFileMode(full, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            }

            listening.Listen();
        }
        catch (Exception e) when (e is SocketException or IOException or UnauthorizedAccessException or ArgumentException or PlatformNotSupportedException)
        {
            listening?.Dispose();
            if (isThere)
            {
                File.Delete(full);
            }

            throw e is SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse } ? ServerErrors.PathTaken(path) : ServerErrors.NoPath(path, e);
        }

        return new ConnectionListener(listening, full, most, serve, report);
    }

    /// <summary>Ends all connections, and returns when they have ended.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 1)
        {
            return;
        }

        await _stop.CancelAsync().ConfigureAwait(false);
        _listening.Dispose();
        await _accepting.ConfigureAwait(false);
        for (int i = 0; i < _most; i++)
        {
            await _free.WaitAsync().ConfigureAwait(false);
        }

        if (_path is not null)
        {
            File.Delete(_path);
        }

        _free.Dispose();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                await _free.WaitAsync(_stop.Token).ConfigureAwait(false);
                Socket? socket = null;
                try
                {
                    socket = await _listening.AcceptAsync(_stop.Token).ConfigureAwait(false);
                }
                catch (SocketException) when (!_stop.IsCancellationRequested)
                {
                    // Whoever it was is gone already, or there are no descriptors left: others may have more luck, a little later.
                    await Task.Delay(TimeSpan.FromMilliseconds(50), _stop.Token).ConfigureAwait(false);
                }
                finally
                {
                    if (socket is null)
                    {
                        _free.Release();
                    }
                }

                if (socket is not null)
                {
                    _ = Task.Run(() => ServeAsync(socket));
                }
            }
        }
        catch (Exception e) when (_stop.IsCancellationRequested && e is OperationCanceledException or ObjectDisposedException or SocketException)
        {
            // That is how it ends.
        }
    }

    [System.Diagnostics.CodeAnalysis.SuppressMessage("Design", "CA1031", Justification = "A bug ends one connection, and is told; the others go on.")]
    private async Task ServeAsync(Socket socket)
    {
        try
        {
            await _serve(socket, _stop.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
        {
            // The other side is gone, or this one is to end.
        }
        catch (Exception e)
        {
            _report(e);
        }
        finally
        {
            socket.Dispose();
            _free.Release();
        }
    }
}
