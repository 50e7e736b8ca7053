using System.Net.Sockets;
using System.Text;

namespace MSOnlineBackup.Engine.Tests.Reports;

/// <summary>A real Unix socket that stands in for that of a system's log, and keeps what comes.</summary>
internal sealed class ListeningSocket : IDisposable
{
    private readonly Socket _socket;

    public ListeningSocket(string path, SocketType kind = SocketType.Dgram)
    {
        Path = path;
        _socket = new Socket(AddressFamily.Unix, kind, ProtocolType.Unspecified) { ReceiveTimeout = 30_000 };
        _socket.Bind(new UnixDomainSocketEndPoint(path));
        if (kind == SocketType.Stream)
        {
            _socket.Listen();
        }
    }

    public string Path { get; }

    public bool HasMore => _socket.Poll(0, SelectMode.SelectRead);

    public byte[] ReceiveBytes()
    {
        byte[] buffer = new byte[1 << 16];
        return buffer[.._socket.Receive(buffer)];
    }

    public string Receive() => Encoding.UTF8.GetString(ReceiveBytes());

    public string AcceptAll()
    {
        using Socket accepted = _socket.Accept();
        using var stream = new NetworkStream(accepted);
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    public void Dispose() => _socket.Dispose();
}
