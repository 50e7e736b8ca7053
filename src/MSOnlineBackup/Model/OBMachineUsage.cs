namespace MSOnlineBackup;

/// <summary>What this machine takes of the vault.</summary>
public sealed class OBMachineUsage
{
    /// <summary>Bytes in the vault.</summary>
    public long StorageUsedByMachineInBytes { get; internal init; }

    /// <summary>When that was found out, in UTC.</summary>
    public DateTime Time { get; internal init; }
}
