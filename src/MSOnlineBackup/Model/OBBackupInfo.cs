namespace MSOnlineBackup;

/// <summary>A recovery point of this machine.</summary>
public sealed class OBBackupInfo
{
    /// <summary>When the backup began, in UTC.</summary>
    public DateTime BackupTime { get; internal init; }

    /// <summary>What it holds: the sources, by comma.</summary>
    public string DataSources { get; internal init; } = "";

    /// <summary>Its id in the vault.</summary>
    public string RecoveryPointId { get; internal init; } = "";

    /// <summary>Its time, which can be typed as it is shown, and what it holds.</summary>
    public override string ToString() => $"{BackupTime:u} {DataSources}";
}
