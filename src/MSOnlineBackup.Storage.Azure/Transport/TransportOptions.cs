using System.Net;
using System.Net.Security;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Storage.Azure.Transport;

/// <summary>What the transport takes from the system, and its limits. Only tests set any of it.</summary>
internal sealed record TransportOptions
{
    /// <summary>The limits: a person learns of a failure before a minute is over; a job gives a slow network its time.</summary>
    public static TransportOptions For(VaultPatience patience) => patience == VaultPatience.Person
        ? new TransportOptions { ConnectLimit = TimeSpan.FromSeconds(10), StallLimit = TimeSpan.FromSeconds(15) }
        : new TransportOptions();

    /// <summary>The addresses of a host name.</summary>
    public Func<string, CancellationToken, Task<IPAddress[]>> ResolveAsync { get; init; } = static (host, token) => Dns.GetHostAddressesAsync(host, token);

    /// <summary>The proxy that the environment or the system names.</summary>
    public IWebProxy SurroundingProxy { get; init; } = HttpClient.DefaultProxy;

    /// <summary>A variable of the environment.</summary>
    public Func<string, string?> Variable { get; init; } = Environment.GetEnvironmentVariable;

    /// <summary>Decides on the server's certificate; null for the system's own check.</summary>
    public RemoteCertificateValidationCallback? CertificateCheck { get; init; }

    /// <summary>How long a connection to one address may take to be made.</summary>
    public TimeSpan ConnectLimit { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How long nothing may move on a connection that somebody waits for.</summary>
    public TimeSpan StallLimit { get; init; } = TimeSpan.FromSeconds(100);
}
