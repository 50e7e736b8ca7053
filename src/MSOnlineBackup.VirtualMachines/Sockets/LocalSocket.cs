using System.Net.Sockets;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.VirtualMachines.Sockets;

/// <summary>Sockets of this machine's file system, at which a virtual machine listens.</summary>
internal static class LocalSocket
{
    // The system's room for a path, without the NUL at its end.
    private const int MostPathBytes = 107;

    /// <summary>Connects.</summary>
    /// <param name="path">The socket.</param>
    /// <param name="what">What is behind it, for people.</param>
    /// <param name="patience">How long it may take.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">VirtualMachineUnreachable; VirtualMachineBusy: as many wait there as may; VirtualMachineUnfit: the path is too long.</exception>
    public static async Task<Socket> ConnectAsync(string path, string what, TimeSpan patience, CancellationToken cancellationToken)
    {
        CheckPath(path);
        using var late = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        late.CancelAfter(patience);
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), late.Token).ConfigureAwait(false);
            return socket;
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw e.SocketErrorCode == SocketError.WouldBlock ? Busy(path, what) : Unreachable(path, what, File.Exists(path) ? e.Message : "there is no such socket", e);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            socket.Dispose();
            throw Busy(path, what);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Whether somebody listens at a socket.</summary>
    public static bool IsListening(string path)
    {
        if (!File.Exists(path))
        {
            return false;
        }

        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>Refuses a path that is too long for a socket.</summary>
    /// <exception cref="BackupException">VirtualMachineUnfit.</exception>
    public static void CheckPath(string path)
    {
        if (System.Text.Encoding.UTF8.GetByteCount(path) > MostPathBytes)
        {
            throw new BackupException(
                BackupErrorId.VirtualMachineUnfit, $"The path of the socket '{path}' is longer than the {MostPathBytes} bytes that a socket may have.", "Choose a folder with a shorter path.", path);
        }
    }

    /// <summary>The error of a connection that is not there, or broke.</summary>
    public static BackupException Unreachable(string path, string what, string why, Exception? cause = null) => new(
        BackupErrorId.VirtualMachineUnreachable,
        $"The {what} at '{path}' cannot be reached: {why.TrimEnd('.')}.",
        "Check that the virtual machine runs, and that this account may use the socket.",
        path,
        transient: true,
        innerException: cause);

    /// <summary>The error of a socket that somebody else uses.</summary>
    public static BackupException Busy(string path, string what) => new(
        BackupErrorId.VirtualMachineBusy,
        $"The {what} at '{path}' does not answer: it takes one client at a time, and another has it.",
        "End the other client, or give the machine a second one for backups.",
        path,
        transient: true);
}
