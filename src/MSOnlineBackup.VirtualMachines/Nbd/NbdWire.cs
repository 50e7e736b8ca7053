using System.Net.Sockets;

namespace MSOnlineBackup.VirtualMachines.Nbd;

/// <summary>A connection to a server: bytes that come whole, or not at all.</summary>
/// <param name="socket">The connection. Its time limits are those of each wait.</param>
internal sealed class NbdWire(Socket socket) : IDisposable
{
    /// <summary>Sends all.</summary>
    /// <exception cref="SocketException">The connection broke, or the server takes nothing.</exception>
    public void Send(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[socket.Send(bytes)..];
        }
    }

    /// <summary>Receives as much as there is room for.</summary>
    /// <exception cref="EndOfStreamException">The server closed the connection.</exception>
    /// <exception cref="SocketException">It broke, or the server says nothing for too long.</exception>
    public void Receive(Span<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            int received = socket.Receive(bytes);
            bytes = received > 0 ? bytes[received..] : throw new EndOfStreamException("The connection was closed.");
        }
    }

    /// <summary>Receives what nobody wants.</summary>
    public void Skip(long length)
    {
        Span<byte> scrap = stackalloc byte[4096];
        while (length > 0)
        {
            int part = (int)Math.Min(length, scrap.Length);
            Receive(scrap[..part]);
            length -= part;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => socket.Dispose();
}
