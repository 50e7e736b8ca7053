using System.Net.Sockets;

namespace MSOnlineBackup.Platform.SystemLogs;

/// <summary>Sends single messages to a Unix socket, as the logs of systems take them.</summary>
/// <param name="path">The socket.</param>
internal sealed class DatagramSocket(string path)
{
    // A log that is behind takes more within that time, or is not read any more.
    private const int PatienceMilliseconds = 2000;

    /// <summary>Sends a message whole.</summary>
    /// <param name="message">The message.</param>
    /// <param name="streamEnd">What ends it where the socket takes no single messages but a stream; null where there is no such socket.</param>
    /// <exception cref="IOException">Nobody takes it.</exception>
    public void Send(byte[] message, byte? streamEnd = null)
    {
        try
        {
            Send(message, SocketType.Dgram);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ProtocolType && streamEnd is { } end)
        {
            SendToStream([.. message, end]);
        }
        catch (Exception e) when (e is SocketException or ArgumentException)
        {
            throw Untaken(e);
        }
    }

    private void SendToStream(byte[] message)
    {
        try
        {
            Send(message, SocketType.Stream);
        }
        catch (SocketException e)
        {
            throw Untaken(e);
        }
    }

    private void Send(byte[] message, SocketType kind)
    {
        using var socket = new Socket(AddressFamily.Unix, kind, ProtocolType.Unspecified) { SendTimeout = PatienceMilliseconds };
        socket.Connect(new UnixDomainSocketEndPoint(path));
        for (int sent = 0; sent < message.Length;)
        {
            sent += socket.Send(message, sent, message.Length - sent, SocketFlags.None);
        }
    }

    private IOException Untaken(Exception cause) => new($"'{path}': {cause.Message.TrimEnd('.')}", cause);
}
