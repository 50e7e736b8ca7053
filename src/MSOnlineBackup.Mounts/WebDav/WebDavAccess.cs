using System.Net;
using MSOnlineBackup.Mounts.Serving;

namespace MSOnlineBackup.Mounts.WebDav;

/// <summary>
/// Who may ask: whoever knows the secret, as the first part of the path, or as the password of any user (Basic). Windows sends no password without TLS, and programs that
/// show paths to others have one instead.
/// </summary>
internal sealed class WebDavAccess(Secret secret)
{
    /// <summary>Refuses what a page in a browser could have asked: a name of another machine that leads here.</summary>
    /// <exception cref="HttpRefusal">The request is not for this machine's own address.</exception>
    public static void CheckHost(HttpHead request)
    {
        string host = request.Get("Host") ?? throw HttpRefusal.Malformed("it does not say for which host it is");
        int colon = host.LastIndexOf(':');
        if (colon > host.LastIndexOf(']'))
        {
            host = host.AsSpan(colon + 1).ContainsAnyExceptInRange('0', '9') ? "" : host[..colon];
        }

        bool isHere = host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(host, out IPAddress? address) && IPAddress.IsLoopback(address));
        if (!isHere)
        {
            throw new HttpRefusal(421, "This server is asked by the address of its own machine alone: 127.0.0.1 or localhost.", endsConnection: true);
        }
    }

    /// <summary>Whether the secret stands before the path, which then begins after it.</summary>
    /// <param name="request">The request.</param>
    /// <param name="names">The names of its path.</param>
    /// <exception cref="HttpRefusal">Who asks does not know the secret.</exception>
    public bool CheckSecret(HttpHead request, IReadOnlyList<byte[]> names)
    {
        if (names.Count > 0 && secret.Is(names[0]))
        {
            return true;
        }

        const string Scheme = "Basic ";
        byte[] buffer = new byte[HttpHead.MaxLength];
        if (request.Get("Authorization") is { } authorization
            && authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            && Convert.TryFromBase64String(authorization[Scheme.Length..].Trim(), buffer, out int length))
        {
            ReadOnlySpan<byte> credentials = buffer.AsSpan(0, length);
            int colon = credentials.IndexOf((byte)':');
            if (colon >= 0 && secret.Is(credentials[(colon + 1)..]))
            {
                return false;
            }
        }

        throw new HttpRefusal(401, "The address begins with a secret, which 'obengine serve webdav' has printed; it is also the password, for any user.")
        {
            Headers = [("WWW-Authenticate", "Basic realm=\"MSOnlineBackup\", charset=\"UTF-8\"")],
        };
    }
}
