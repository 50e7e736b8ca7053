namespace MSOnlineBackup.Engine.Storage;

/// <summary>How a vault beyond this machine is reached. A folder needs none of it.</summary>
public sealed record VaultConnection
{
    /// <summary>The proxy; null for the one that the environment or the system names, if any.</summary>
    public ProxySetting? Proxy { get; init; }

    /// <summary>Goes past every proxy, whatever the environment says.</summary>
    public bool IsDirect { get; init; }

    /// <summary>Shared by everything that one job sends and fetches; null for no limit.</summary>
    public Bandwidth? Bandwidth { get; init; }

    /// <summary>Refuses public addresses before a byte is sent to them.</summary>
    public bool RequiresPrivateEndpoint { get; init; }

    /// <summary>A shared access signature or a connection string that this machine keeps; null for what the environment and the
    /// machine's own identity offer. Never shown.</summary>
    public string? Secret { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Without the secret.</summary>
    public override string ToString() => IsDirect ? "direct" : Proxy?.ToString() ?? "as the system is set up";
}
