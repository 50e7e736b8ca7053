using System.Globalization;
using System.Net.Sockets;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Mounts.Serving;

/// <summary>Why a server does not come to be, worded in one place.</summary>
internal static class ServerErrors
{
    /// <summary>A port that cannot be had.</summary>
    public static BackupException NoPort(int port, SocketException cause) => cause.SocketErrorCode == SocketError.AddressAlreadyInUse
        ? new BackupException(
            BackupErrorId.ServerAddressTaken,
            $"Port {port} of this machine is in use by another program.",
            "Name another port, or none: then a free one is chosen.",
            port.ToString(CultureInfo.InvariantCulture),
            innerException: cause)
        : new BackupException(
            BackupErrorId.ServerAddressRefused,
            $"Port {port} of this machine cannot be listened on: {cause.Message}.",
            "Name another port, from 1024 on: those below are the system's own. Without one, a free one is chosen.",
            port.ToString(CultureInfo.InvariantCulture),
            innerException: cause);

    /// <summary>A socket's path at which something is.</summary>
    public static BackupException PathTaken(string path) => new(
        BackupErrorId.ServerAddressTaken,
        $"There is something at '{path}' already, where the socket was to be.",
        "Name another path. Where a server that was killed has left it behind, remove it first.",
        path);

    /// <summary>A socket's path that cannot be had.</summary>
    public static BackupException NoPath(string path, Exception cause) => new(
        BackupErrorId.ServerAddressRefused,
        $"No socket can be made at '{path}': {cause.Message.TrimEnd('.')}.",
        "Name a short path (about 100 characters at most) in a folder that exists, in which this account may write.",
        path,
        innerException: cause);

    /// <summary>What a server reports, for whoever is told of a mount's troubles: what cannot be read by what it is about, and bugs.</summary>
    public static Action<Exception> ToTrouble(Action<string, BackupException> trouble) => failure =>
    {
        BackupException told = failure as BackupException ?? new BackupException(
            BackupErrorId.UnexpectedError, $"A request could not be answered: {failure.GetType().Name}: {failure.Message}", "This is a bug: report it.", innerException: failure);
        trouble(told.Target ?? string.Empty, told);
    };
}
