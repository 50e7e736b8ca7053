namespace MSOnlineBackup;

/// <summary>Something on the network that must be let through.</summary>
public sealed class OBRequiredEndpoint
{
    /// <summary>The host; where a whole domain is meant, one that begins with <c>*.</c></summary>
    public string Endpoint { get; internal init; } = "";

    /// <summary>The TCP port.</summary>
    public int Port { get; internal init; }

    /// <summary>What it is for.</summary>
    public string Purpose { get; internal init; } = "";

    /// <summary>The addresses that are published for it, as in 10.0.0.0/8; empty where none are.</summary>
    public string[] AddressRanges { get; internal init; } = [];

    /// <summary>Its name in rules of network security groups; null where there is none.</summary>
    public string? ServiceTag { get; internal init; }

    /// <summary>The BGP community under which Microsoft peering announces it; null where there is none, or it depends on the region.</summary>
    public string? ExpressRouteCommunity { get; internal init; }

    /// <summary>As in "login.example.com:443".</summary>
    public override string ToString() => $"{Endpoint}:{Port}";
}

/// <summary>In which form Get-OBRequiredEndpoint returns what must be let through.</summary>
public enum OBEndpointForm
{
    /// <summary>Objects.</summary>
    Object,

    /// <summary>Rules of a network security group, as JSON.</summary>
    NsgRule,
}
