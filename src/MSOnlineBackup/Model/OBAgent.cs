namespace MSOnlineBackup;

/// <summary>What this machine knows of the agent that it has put on another machine.</summary>
public sealed class OBAgent
{
    /// <summary>The machine.</summary>
    public string HostName { get; internal init; } = "";

    /// <summary>How its agent stands.</summary>
    public OBAgentState State { get; internal init; }

    /// <summary>The version that is used there; null for none.</summary>
    public string? Version { get; internal init; }

    /// <summary>The version before, to which -Rollback goes back; null for none.</summary>
    public string? PreviousVersion { get; internal init; }

    /// <summary>What runs there, as .NET calls it: linux-x64; null while nobody knows.</summary>
    public string? Platform { get; internal init; }

    /// <summary>The account there; null for what ssh takes.</summary>
    public string? UserName { get; internal init; }

    /// <summary>The port; null for what ssh takes.</summary>
    public int? Port { get; internal init; }

    /// <summary>The file of the private key that logs in; null for those that ssh finds.</summary>
    public string? KeyFilePath { get; internal init; }

    /// <summary>The pinned key of the host, by its fingerprint.</summary>
    public string? HostKey { get; internal init; }

    /// <summary>The program's path there, which stays the same through updates.</summary>
    public string? Program { get; internal init; }

    /// <summary>When the machine last answered, in UTC; null for never.</summary>
    public DateTime? LastSeen { get; internal init; }

    /// <summary>Why it is Pending or Failed; null otherwise.</summary>
    public string? Reason { get; internal init; }

    /// <summary>The machine.</summary>
    public override string ToString() => HostName;
}
