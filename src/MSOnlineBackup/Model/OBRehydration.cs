namespace MSOnlineBackup;

/// <summary>What Start-OBRehydration found archived in a vault.</summary>
public sealed class OBRehydration
{
    /// <summary>Where the vault is.</summary>
    public string Location { get; internal init; } = "";

    /// <summary>How many archived objects it has asked for.</summary>
    public int StartedObjects { get; internal init; }

    /// <summary>Their bytes.</summary>
    public long StartedBytes { get; internal init; }

    /// <summary>How many had been asked for before, and are not yet readable.</summary>
    public int PendingObjects { get; internal init; }

    /// <summary>Their bytes.</summary>
    public long PendingBytes { get; internal init; }

    /// <summary>Where the vault is.</summary>
    public override string ToString() => Location;
}
