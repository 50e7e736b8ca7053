using System.Net;

namespace MSOnlineBackup.Storage.Azure.Connectivity;

/// <summary>Something on the network that must be let through.</summary>
/// <param name="Host">Its host; where a whole domain is meant, one that begins with <c>*.</c></param>
/// <param name="Purpose">What for, in a few words.</param>
/// <param name="IsVault">Whether it is the vault itself; the others matter as far as the way to it needs them.</param>
/// <param name="ServiceTag">The name of its addresses in rules of network security groups; null where there is none.</param>
/// <param name="ExpressRouteCommunity">
/// The BGP community under which Microsoft peering announces it; null where that depends on the region, or there is none.
/// </param>
/// <param name="Addresses">The addresses that are published for it; empty where none are.</param>
/// <param name="Probe">What is asked for to see whether it can be reached.</param>
public sealed record RequiredEndpoint(
    string Host,
    string Purpose,
    bool IsVault,
    string? ServiceTag,
    string? ExpressRouteCommunity,
    IReadOnlyList<IPNetwork> Addresses,
    Uri Probe)
{
    /// <summary>The TCP port.</summary>
    public int Port => Probe.Port;

    /// <summary>Whether all of an endpoint's IPv4 addresses are among those that are published; null where none are, or it has none.</summary>
    public bool? IsPublished(IEnumerable<IPAddress> addresses)
    {
        IPAddress[] plain = [.. addresses.Where(address => address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork)];
        return Addresses.Count == 0 || plain.Length == 0 ? null : plain.All(address => Addresses.Any(network => network.Contains(address)));
    }
}
