namespace MSOnlineBackup;

/// <summary>How the backups of a machine of a vault stand, by all its policies. All times are by the clock of the vault's store, in UTC.</summary>
public sealed class OBFleetMachine
{
    /// <summary>The machine.</summary>
    public string ServerName { get; internal init; } = "";

    /// <summary>The vault's folder or URL.</summary>
    public string Vault { get; internal init; } = "";

    /// <summary>How they stand, by the policy that somebody should see to first.</summary>
    public OBComplianceState State { get; internal init; }

    /// <summary>The same in whole sentences.</summary>
    public string Message { get; internal init; } = "";

    /// <summary>What to do; empty where nothing is.</summary>
    public string RecommendedAction { get; internal init; } = "";

    /// <summary>When the last success had ended of the policy that has been without one for longest; null where one has none.</summary>
    public DateTime? LastSuccess { get; internal init; }

    /// <summary>By when the next backup must have come; null where none is expected.</summary>
    public DateTime? Due { get; internal init; }

    /// <summary>Files in the last backups that succeeded.</summary>
    public long Files { get; internal init; }

    /// <summary>Their bytes.</summary>
    public long Bytes { get; internal init; }

    /// <summary>Its system, as it last said.</summary>
    public string OperatingSystem { get; internal init; } = "";

    /// <summary>The version of its software, as it last said.</summary>
    public string AgentVersion { get; internal init; } = "";

    /// <summary>Whether another machine that was listed has a newer version.</summary>
    public bool IsOutdated { get; internal init; }

    /// <summary>Each of its policies.</summary>
    public OBCompliance[] Policies { get; internal init; } = [];

    /// <summary>The machine.</summary>
    public override string ToString() => ServerName;
}
