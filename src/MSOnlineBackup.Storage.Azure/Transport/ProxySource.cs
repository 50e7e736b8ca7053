namespace MSOnlineBackup.Storage.Azure.Transport;

/// <summary>Who named the proxy.</summary>
internal enum ProxySource
{
    /// <summary>There is none.</summary>
    None,

    /// <summary>None is used, because the connection says so.</summary>
    Direct,

    /// <summary>The machine's setting.</summary>
    Setting,

    /// <summary>HTTPS_PROXY and its like.</summary>
    Environment,

    /// <summary>The system's settings.</summary>
    System,
}

/// <summary>How a URL is reached.</summary>
/// <param name="Source">Who named the proxy.</param>
/// <param name="Address">The proxy, without user and password; null where none is used.</param>
internal readonly record struct ProxyUse(ProxySource Source, Uri? Address);
