namespace MSOnlineBackup;

/// <summary>Machines that this one, their server, backs up as one.</summary>
public sealed class OBProtectionGroup
{
    /// <summary>What it is called.</summary>
    public string Name { get; internal init; } = "";

    /// <summary>Its id, which stays when its name changes: 32 hexadecimal digits.</summary>
    public string Id { get; internal init; } = "";

    /// <summary>Its machines, in the order in which they were named.</summary>
    public string[] Machine { get; internal init; } = [];

    /// <summary>What is backed up of each machine, when, and for how long it is kept on disk.</summary>
    public OBPolicy? Policy { get; internal init; }

    /// <summary>Its disk vaults, in the order in which they take machines.</summary>
    public OBDiskVault[] DiskVault { get; internal init; } = [];

    /// <summary>Where its recovery points are copied to.</summary>
    public string[] CopyTo { get; internal init; } = [];

    /// <summary>For how long the copies are kept; null where they keep what comes.</summary>
    public OBRetentionPolicy? CopyRetention { get; internal init; }

    /// <summary>The id of the vault of which all its places are twins.</summary>
    public string VaultId { get; internal init; } = "";

    /// <summary>When it was last changed (UTC).</summary>
    public DateTime Changed { get; internal init; }

    /// <summary>Its name.</summary>
    public override string ToString() => Name;
}

/// <summary>A disk vault of a protection group. Sizes are in bytes.</summary>
public sealed class OBDiskVault
{
    /// <summary>Its folder.</summary>
    public string Path { get; internal init; } = "";

    /// <summary>How it stands.</summary>
    public OBDiskVaultState State { get; internal init; }

    /// <summary>What its disk has free; null where that is not known.</summary>
    public long? FreeBytes { get; internal init; }

    /// <summary>How large its disk is; null where that is not known.</summary>
    public long? TotalBytes { get; internal init; }

    /// <summary>When it is full (UTC), if its machines go on changing as they do; null where that is not known, or not within a hundred years.</summary>
    public DateTime? FullOn { get; internal init; }

    /// <summary>Why it is Away; null otherwise.</summary>
    public string? Reason { get; internal init; }

    /// <summary>Its folder.</summary>
    public override string ToString() => Path;
}
