using System.Net.Sockets;

namespace MSOnlineBackup.VirtualMachines.Tests.Qemu;

/// <summary>A way to a monitor that is cut before a command: as where whoever gives the commands is killed there.</summary>
internal sealed class CutMonitor : IAsyncDisposable
{
    private readonly SocketServer _server;

    /// <param name="monitor">The monitor.</param>
    /// <param name="commands">How many commands come through.</param>
    public CutMonitor(string monitor, int commands) => _server = new SocketServer(async (stream, stop) =>
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(monitor), stop);
        await using var qemu = new NetworkStream(socket);
        Task back = qemu.CopyToAsync(stream, stop);
        using var reader = new StreamReader(stream);
        for (int passed = 0; passed < commands && await reader.ReadLineAsync(stop) is { } line; passed++)
        {
            await qemu.WriteAsync(System.Text.Encoding.UTF8.GetBytes(line + "\n"), stop);
            Passed++;
        }

        // The last command is carried out, and its answer comes through, before the next would be given.
        if (Passed == commands)
        {
            await reader.ReadLineAsync(stop);
            IsCut = true;
        }

        socket.Shutdown(SocketShutdown.Both);
        await back.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    });

    public string Path => _server.Path;

    /// <summary>How many commands came through.</summary>
    public int Passed { get; private set; }

    /// <summary>Whether a command was left out.</summary>
    public bool IsCut { get; private set; }

    public ValueTask DisposeAsync() => _server.DisposeAsync();
}
