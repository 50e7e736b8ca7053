namespace MSOnlineBackup;

/// <summary>A recovery point of this machine.</summary>
public sealed class OBBackupInfo
{
    /// <summary>When the backup began, in UTC.</summary>
    public DateTime BackupTime { get; internal init; }

    /// <summary>What it holds: the sources, by comma.</summary>
    public string DataSources { get; internal init; } = "";

    /// <summary>How far it is of one moment: as its weakest source is.</summary>
    public OBConsistency Consistency { get; internal init; }

    /// <summary>Why it is so; empty where there is nothing to say.</summary>
    public string ConsistencyReason { get; internal init; } = "";

    /// <summary>What was doubtful about backing up its sources, one each at most.</summary>
    public string[] Warnings { get; internal init; } = [];

    /// <summary>How far it has come: what is not in the vault is no backup.</summary>
    public OBRecoveryPointState State { get; internal init; } = OBRecoveryPointState.Vaulted;

    /// <summary>Whether it can be recovered from snapshots of this machine, without the vault.</summary>
    public bool HasLocalSnapshot { get; internal init; }

    /// <summary>How far it has come from the vault to the copies of that, where these were asked (-IncludeCopy).</summary>
    public OBRecoveryPointPlace Place { get; internal init; }

    /// <summary>The copies that have it, where these were asked.</summary>
    public string[] Copies { get; internal init; } = [];

    /// <summary>Its id in the vault.</summary>
    public string RecoveryPointId { get; internal init; } = "";

    /// <summary>The workload that it is of; empty where it is of files.</summary>
    public string Workload { get; internal init; } = "";

    /// <summary>What it holds of the workload.</summary>
    public OBWorkloadPart WorkloadPart { get; internal init; }

    /// <summary>The databases of a full backup of a workload, 200 at most.</summary>
    public string[] Databases { get; internal init; } = [];

    /// <summary>Its time, which can be typed as it is shown, and what it holds.</summary>
    public override string ToString() => $"{BackupTime:u} {DataSources}";
}
