using System.Net;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Storage.Azure.Transport;

/// <summary>
/// Refuses requests that would reach a vault with a private endpoint through a proxy: there it is the proxy that resolves the name, and nobody here
/// knows whereto. A target that is given as a private address needs no resolving. The proxy's own address is checked as every other.
/// </summary>
internal sealed class PrivateEndpointGuard(ProxyChoice proxy, HttpMessageHandler inner) : DelegatingHandler(inner)
{
    /// <inheritdoc/>
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Uri target = request.RequestUri!;
        if (proxy.For(target).Address is { } address && !(IPAddress.TryParse(target.IdnHost, out IPAddress? literal) && PrivateAddress.Contains(literal)))
        {
            return Task.FromException<HttpResponseMessage>(new BackupException(
                BackupErrorId.PublicAddressRefused,
                $"'{target.IdnHost}' would be reached through the proxy '{address.Authority}', which resolves the name itself, "
                    + "but this vault may only be reached over private addresses. Nothing was sent.",
                "Go past the proxy for this vault (no proxy setting, or its name in NO_PROXY), or allow public addresses for it.",
                target.IdnHost));
        }

        return base.SendAsync(request, cancellationToken);
    }
}
