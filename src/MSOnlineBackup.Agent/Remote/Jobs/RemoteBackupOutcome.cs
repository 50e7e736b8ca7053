using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Agent.Remote.Jobs;

/// <summary>What came of the backup of another machine. It has a point, which was read back from the vault, or a failure.</summary>
public sealed record RemoteBackupOutcome
{
    /// <summary>The machine.</summary>
    public required RemoteMachine Machine { get; init; }

    /// <summary>Its name in the vault.</summary>
    public required string MachineName { get; init; }

    /// <summary>When it was begun, by this machine's clock.</summary>
    public required DateTimeOffset Started { get; init; }

    /// <summary>When it had ended, by this machine's clock.</summary>
    public required DateTimeOffset Ended { get; init; }

    /// <summary>The recovery point, as the vault has it; null where there is none.</summary>
    public RecoveryPoint? Point { get; init; }

    /// <summary>Its id; null where there is none.</summary>
    public SessionId? PointId => Point?.SessionId;

    /// <summary>Why there is no point; null where there is one.</summary>
    public BackupException? Failure { get; init; }

    /// <summary>Sources that could not be read at all, and why: the point is without them. The first hundred.</summary>
    public IReadOnlyList<RemoteLoss> LostSources { get; init; } = [];

    /// <summary>What somebody should see to, though the backup went on, the first hundred.</summary>
    public IReadOnlyList<BackupException> Warnings { get; init; } = [];

    /// <summary>What somebody may want to know, the first hundred.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>Files that were not in the previous point, as the machine has counted them.</summary>
    public long NewFiles { get; init; }

    /// <summary>Files that were read because they changed.</summary>
    public long ChangedFiles { get; init; }

    /// <summary>Files that were not read.</summary>
    public long UnchangedFiles { get; init; }

    /// <summary>Bytes that were read there.</summary>
    public long ReadBytes { get; init; }

    /// <summary>Whether an interrupted backup was continued.</summary>
    public bool WasResumed { get; init; }

    /// <summary>The version of the agent there; null where it did not come to say it.</summary>
    public string? AgentVersion { get; init; }
}

/// <summary>A source of another machine that could not be read.</summary>
/// <param name="Name">As it was named.</param>
/// <param name="Failure">Why.</param>
public sealed record RemoteLoss(string Name, BackupException Failure);

/// <summary>How far the backup of another machine is.</summary>
/// <param name="Machine">The machine.</param>
/// <param name="MachineName">Its name in the vault.</param>
/// <param name="Progress">As the machine counts.</param>
public sealed record RemoteBackupProgress(RemoteMachine Machine, string MachineName, JobProgress Progress);
