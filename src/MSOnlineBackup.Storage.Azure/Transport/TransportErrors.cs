using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using Azure;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Storage.Azure.Transport;

/// <summary>The errors of the way to Azure, worded in one place.</summary>
internal static class TransportErrors
{
    // Under this number the original reports that it cannot connect.
    private const string CannotConnect = "100050";

    /// <summary>What hindered a request from reaching the service, or its answer from coming back.</summary>
    /// <param name="exception">What an Azure client or HttpClient threw.</param>
    /// <returns>The error to throw; null where the service itself answered, the caller stopped the request, or an assembly is missing.</returns>
    /// <param name="host">Whom the request was for; null where that is not known.</param>
    public static BackupException? Find(Exception exception, string? host = null)
    {
        for (Exception? cause = exception; cause is not null; cause = cause.InnerException)
        {
            switch (cause)
            {
                case BackupException known:
                    return known;
                case RequestFailedException { Status: (int)HttpStatusCode.ProxyAuthenticationRequired }:
                case HttpRequestException { StatusCode: HttpStatusCode.ProxyAuthenticationRequired }:
                    return ProxyAuthentication(cause);
                case HttpRequestException { HttpRequestError: HttpRequestError.ProxyTunnelError, StatusCode: { } status } when (int)status < 500:
                    return ProxyRefusal((int)status, host, cause);
                case AuthenticationException:
                    return InsecureConnection(cause);
                case RequestFailedException { Status: not 0 }:
                case HttpRequestException { StatusCode: not null, HttpRequestError: not HttpRequestError.ProxyTunnelError }:
                case OperationCanceledException:
                case FileNotFoundException or FileLoadException:
                    return null;
                case SocketException or IOException when cause.InnerException is null:
                case HttpRequestException when cause.InnerException is null:
                    return Unreachable(exception, cause);
            }
        }

        return null;
    }

    /// <summary>Whether an assembly is missing, however that is wrapped: it looks like a failure of I/O, and no network will bring it.</summary>
    public static bool IsMissingAssembly(Exception exception) =>
        exception is FileNotFoundException or FileLoadException || (exception.InnerException is { } cause && IsMissingAssembly(cause));

    private static BackupException ProxyAuthentication(Exception cause) => new(
        BackupErrorId.ProxyAuthenticationRequired,
        "The proxy wants a user name and a password, or rejects those that it was given: (407) Proxy Authentication Required.",
        "Set the proxy with its user name and password (Set-OBMachineSetting -ProxyServer ... -ProxyUsername ... "
            + "-ProxyPassword ...), go past it (-NoProxy), or have it let this machine pass.",
        innerException: cause,
        errorCode: CannotConnect);

    private static BackupException ProxyRefusal(int status, string? host, Exception cause) => new(
        BackupErrorId.ProxyRefused,
        $"The proxy refuses to connect to {(host is null ? "the vault" : $"'{host}'")}, with status {status}: {cause.Message}",
        $"Have the proxy allow {(host is null ? "the vault's host" : $"'{host}'")} on port 443, or go past it (-NoProxy).",
        host,
        innerException: cause,
        errorCode: CannotConnect);

    private static BackupException InsecureConnection(Exception cause) => new(
        BackupErrorId.SecureConnectionFailed,
        $"No secure connection was agreed on: {(cause.InnerException ?? cause).Message} TLS 1.2 or newer and a certificate that this machine trusts are "
            + "needed. Nothing of the backup was sent.",
        "Check what answers at the vault's address: a proxy that inspects TLS needs its certificate trusted by this machine, "
            + "and a server or device that speaks only older TLS is not used. Check this machine's clock too.",
        innerException: cause);

    private static BackupException Unreachable(Exception exception, Exception cause) => new(
        BackupErrorId.VaultUnreachable,
        $"The vault cannot be reached: {(exception.Message.Contains(cause.Message, StringComparison.Ordinal) ? exception.Message.TrimEnd('.') : $"{exception.Message} ({cause.Message})")}.",
        "Check this machine's network, name resolution and proxy, and run the job again: what has arrived is used.",
        transient: true,
        innerException: exception);
}
