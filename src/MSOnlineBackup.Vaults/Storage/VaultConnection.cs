namespace MSOnlineBackup.Vaults.Storage;

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

    /// <summary>How long is waited for a vault that does not answer.</summary>
    public VaultPatience Patience { get; init; }

    /// <summary>Told, from any thread, before each wait for another try; null for nobody.</summary>
    public Action<VaultWait>? Waiting { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Without the secret.</summary>
    public override string ToString() => IsDirect ? "direct" : Proxy?.ToString() ?? "as the system is set up";
}

/// <summary>For whom a vault is asked, and so how long is waited for one that does not answer.</summary>
public enum VaultPatience
{
    /// <summary>For a job: a network that is away for a quarter of an hour ends none.</summary>
    Job,

    /// <summary>For somebody who waits for the answer: given up within a minute.</summary>
    Person,
}
