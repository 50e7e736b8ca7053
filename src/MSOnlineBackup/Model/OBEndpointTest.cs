namespace MSOnlineBackup;

/// <summary>What lies between this machine and an endpoint.</summary>
public enum OBConnectivityLayer
{
    /// <summary>The name has an address, and one that may be used.</summary>
    Dns,

    /// <summary>A connection can be made.</summary>
    Tcp,

    /// <summary>The proxy lets this machine pass.</summary>
    Proxy,

    /// <summary>TLS 1.2 or newer, with a trusted certificate.</summary>
    Tls,

    /// <summary>What answers is the service.</summary>
    Http,

    /// <summary>The clocks agree.</summary>
    Clock,

    /// <summary>This machine may read the vault.</summary>
    Authorisation,
}

/// <summary>How a layer stands.</summary>
public enum OBTestOutcome
{
    /// <summary>A layer before it failed.</summary>
    NotTested,

    /// <summary>There is nothing to test.</summary>
    NotNeeded,

    /// <summary>It works.</summary>
    Passed,

    /// <summary>It works, and something about it will make trouble.</summary>
    Warning,

    /// <summary>It does not work.</summary>
    Failed,
}

/// <summary>How this machine reaches an endpoint, layer by layer.</summary>
public sealed class OBEndpointTest
{
    /// <summary>The host; where a whole domain is meant, one that begins with <c>*.</c>; of a vault in a folder, the folder.</summary>
    public string Endpoint { get; internal init; } = "";

    /// <summary>The TCP port; 0 for a folder.</summary>
    public int Port { get; internal init; }

    /// <summary>What it is for.</summary>
    public string Purpose { get; internal init; } = "";

    /// <summary>Whether it is the vault itself.</summary>
    public bool IsVault { get; internal init; }

    /// <summary>Passed, Warning or Failed: the worst of its layers.</summary>
    public OBTestOutcome Outcome { get; internal init; }

    /// <summary>The first layer that failed; null where none did.</summary>
    public OBConnectivityLayer? FailedLayer { get; internal init; }

    /// <summary>Why it failed, or what the warning is; null where all is well.</summary>
    public string? Cause { get; internal init; }

    /// <summary>What to do about it; null where nothing is to be done.</summary>
    public string? RecommendedAction { get; internal init; }

    /// <summary>The addresses that its name has on this machine.</summary>
    public string[] Addresses { get; internal init; } = [];

    /// <summary>Whether these are in the ranges that Microsoft publishes; null where none are published for it, or it cannot be said.</summary>
    public bool? InPublishedRange { get; internal init; }

    /// <summary>By how much this machine's clock is ahead of the endpoint's; null where it was not heard.</summary>
    public TimeSpan? ClockSkew { get; internal init; }

    /// <summary>The proxy, and who named it: setting, environment or system; null for none.</summary>
    public string? Proxy { get; internal init; }

    /// <summary>Every layer, in the order in which they can fail.</summary>
    public OBLayerTest[] Layers { get; internal init; } = [];

    /// <summary>As in "login.example.com: Failed (Tls)".</summary>
    public override string ToString() => FailedLayer is { } layer ? $"{Endpoint}: {Outcome} ({layer})" : $"{Endpoint}: {Outcome}";
}

/// <summary>A layer as it was found.</summary>
public sealed class OBLayerTest
{
    /// <summary>Which.</summary>
    public OBConnectivityLayer Layer { get; internal init; }

    /// <summary>How it stands.</summary>
    public OBTestOutcome Outcome { get; internal init; }

    /// <summary>What was seen; of a failure, its cause.</summary>
    public string Detail { get; internal init; } = "";

    /// <summary>What to do; null where nothing is to be done.</summary>
    public string? RecommendedAction { get; internal init; }

    /// <summary>As in "Tls: Failed".</summary>
    public override string ToString() => $"{Layer}: {Outcome}";
}
