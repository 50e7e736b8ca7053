using System.Net;

namespace MSOnlineBackup.Storage.Azure.Transport;

/// <summary>Which addresses are not of the public Internet.</summary>
internal static class PrivateAddress
{
    private static readonly IPNetwork _linkLocal = IPNetwork.Parse("169.254.0.0/16");
    private static readonly IPNetwork _linkLocal6 = IPNetwork.Parse("fe80::/10");

    private static readonly IPNetwork[] _private =
    [
        IPNetwork.Parse("10.0.0.0/8"), IPNetwork.Parse("172.16.0.0/12"), IPNetwork.Parse("192.168.0.0/16"), // RFC 1918
        IPNetwork.Parse("100.64.0.0/10"), // RFC 6598: between a provider and its customers, used in private clouds too
        IPNetwork.Parse("127.0.0.0/8"), IPNetwork.Parse("::1/128"), // this machine
        IPNetwork.Parse("fc00::/7"), // RFC 4193
        _linkLocal, _linkLocal6,
    ];

    /// <summary>
    /// Whether an address is private: RFC 1918, RFC 4193, RFC 6598, link-local or loopback. Everything else counts as public: also
    /// NAT64 and other forms that carry an IPv4 address, but for the mapped one, which is the same connection.
    /// </summary>
    public static bool Contains(IPAddress address) => Array.Exists(_private, network => network.Contains(Plain(address)));

    /// <summary>Whether an address is link-local, as those are where a cloud's machine asks for its own identity.</summary>
    public static bool IsLinkLocal(IPAddress address) => _linkLocal.Contains(Plain(address)) || _linkLocal6.Contains(Plain(address));

    private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
}
