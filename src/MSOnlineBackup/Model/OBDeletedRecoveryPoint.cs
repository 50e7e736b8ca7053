namespace MSOnlineBackup;

/// <summary>A recovery point that was deleted and can be brought back.</summary>
public sealed class OBDeletedRecoveryPoint
{
    /// <summary>Its id in the vault.</summary>
    public string RecoveryPointId { get; internal init; } = "";

    /// <summary>The machine that it is of.</summary>
    public string MachineName { get; internal init; } = "";

    /// <summary>When the backup began, in UTC; null where the point cannot be read.</summary>
    public DateTime? BackupTime { get; internal init; }

    /// <summary>What it holds: the sources, by comma.</summary>
    public string DataSources { get; internal init; } = "";

    /// <summary>When it was deleted, in UTC.</summary>
    public DateTime Deleted { get; internal init; }

    /// <summary>Until when it can be brought back at least, in UTC.</summary>
    public DateTime KeptUntil { get; internal init; }

    /// <summary>Why it was deleted; empty where nobody said.</summary>
    public string Reason { get; internal init; } = "";

    /// <summary>One that is only named, so that cmdlets take text where they ask for one. Whether there is such a point, they find out.</summary>
    /// <param name="recoveryPointId">The id of a point, or the beginning of one.</param>
    public static OBDeletedRecoveryPoint Parse(string recoveryPointId)
    {
        ArgumentException.ThrowIfNullOrEmpty(recoveryPointId);
        return new OBDeletedRecoveryPoint { RecoveryPointId = recoveryPointId };
    }

    /// <summary>Its time and what it holds.</summary>
    public override string ToString() => BackupTime is { } time ? $"{time:u} {DataSources}" : RecoveryPointId;
}
