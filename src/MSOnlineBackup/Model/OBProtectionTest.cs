namespace MSOnlineBackup;

/// <summary>What came of something that an attacker would try.</summary>
public enum OBProtectionResult
{
    /// <summary>It was refused, or does no harm.</summary>
    Held,

    /// <summary>It succeeded.</summary>
    NotHeld,

    /// <summary>It could not be tried here.</summary>
    NotApplicable,
}

/// <summary>Something that an attacker would try with the rights of this machine, and what came of it.</summary>
public sealed class OBProtectionTest
{
    /// <summary>What was tried: Delete, Overwrite, Backdate, Hide, Shorten, BecomeOwner, Destroy, DeleteYoung, Flood, StorageLock.</summary>
    public string Name { get; internal init; } = "";

    /// <summary>What came of it.</summary>
    public OBProtectionResult Result { get; internal init; }

    /// <summary>The same as a sentence.</summary>
    public string Detail { get; internal init; } = "";

    /// <summary>What would help; empty where nothing is needed.</summary>
    public string Advice { get; internal init; } = "";

    /// <summary>The vault.</summary>
    public string Vault { get; internal init; } = "";
}
