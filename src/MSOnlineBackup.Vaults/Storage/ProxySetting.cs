using System.IO.Enumeration;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Vaults.Storage;

/// <summary>A proxy.</summary>
/// <param name="Server">Host name or address; people write it as a URL too.</param>
/// <param name="Port">1 to 65535.</param>
/// <param name="UserName">Null where it asks for none.</param>
/// <param name="Password">Null where it asks for none; never shown.</param>
/// <param name="Bypass">Hosts that are reached past it, divided by semicolons: names or URLs, with <c>*</c> for any characters; null for none.</param>
public sealed record ProxySetting(string Server, int Port, string? UserName = null, string? Password = null, string? Bypass = null)
{
    /// <summary>Whether a host is reached past the proxy.</summary>
    public bool Passes(string host) => (Bypass ?? "").Split([';', ','], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
        .Any(pattern => FileSystemName.MatchesSimpleExpression(HostOf(pattern), host));

    /// <summary>Where it is, without who signs in.</summary>
    /// <exception cref="BackupException">ArgumentInvalid: it is not an address, or not an address alone.</exception>
    public Uri ToUri()
    {
        if (Server.Contains('@', StringComparison.Ordinal))
        {
            // It is stored and shown in the clear, so it is not repeated here either.
            throw Invalid("The proxy's server contains a user name or password.", "Give the server without them, and name and password on their own: they are kept encrypted there.");
        }

        bool isUrl = Uri.TryCreate(Server, UriKind.Absolute, out Uri? url) && url.Scheme is "http" or "https";
        string host = isUrl ? url!.IdnHost : Server;
        return Uri.CheckHostName(host) != UriHostNameType.Unknown && Port is >= 1 and <= 65535
            ? new UriBuilder(isUrl ? url!.Scheme : Uri.UriSchemeHttp, host, Port).Uri
            : throw Invalid($"'{Server}' with port {Port} is not a proxy.", "Give the proxy's host name or address, and a port from 1 to 65535.", Server);
    }

    /// <summary>Without the password.</summary>
    public override string ToString() => UserName is null ? $"{Server}:{Port}" : $"{UserName}@{Server}:{Port}";

    // As people write it: a URL with a path and a port, or the host alone.
    private static string HostOf(string pattern)
    {
        int scheme = pattern.IndexOf("://", StringComparison.Ordinal);
        string rest = scheme < 0 ? pattern : pattern[(scheme + 3)..];
        int end = rest.IndexOfAny(['/', ':']);
        return end < 0 ? rest : rest[..end];
    }

    private static BackupException Invalid(string message, string action, string? target = null) => new(BackupErrorId.ArgumentInvalid, message, action, target);
}
