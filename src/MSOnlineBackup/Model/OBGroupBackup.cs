namespace MSOnlineBackup;

/// <summary>What became of a machine in a run of its protection group. Sizes are in bytes.</summary>
public sealed class OBGroupBackup
{
    /// <summary>The group.</summary>
    public string ProtectionGroup { get; internal init; } = "";

    /// <summary>The machine.</summary>
    public string HostName { get; internal init; } = "";

    /// <summary>The disk vault that has its recovery point, or was to have it; null where none could take it.</summary>
    public string? DiskVault { get; internal init; }

    /// <summary>The id of the recovery point; null where there is none.</summary>
    public string? RecoveryPointId { get; internal init; }

    /// <summary>Files in it.</summary>
    public long Files { get; internal init; }

    /// <summary>Their size.</summary>
    public long Bytes { get; internal init; }

    /// <summary>What was new in the vault, as it is stored.</summary>
    public long BytesStored { get; internal init; }

    /// <summary>Items that could not be read.</summary>
    public long Skipped { get; internal init; }

    /// <summary>Why there is no recovery point; null where there is one.</summary>
    public string? Reason { get; internal init; }

    /// <summary>The machine.</summary>
    public override string ToString() => HostName;
}
