using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Statuses;

namespace MSOnlineBackup.Vaults.Compliance;

/// <summary>How the backups of a machine stand, by one policy.</summary>
public enum ComplianceState
{
    /// <summary>They come as expected.</summary>
    Ok,

    /// <summary>One that was expected has not come: the machine is silent, or its backups fail or are skipped for so long.</summary>
    Late,

    /// <summary>The last one failed, or its recovery point is missing.</summary>
    Failing,

    /// <summary>There was never one.</summary>
    Never,

    /// <summary>The last one has less than half of what those before it had.</summary>
    Shrinking,

    /// <summary>The policy is paused: none is expected.</summary>
    Stopped,
}

/// <summary>How the backups of a machine stand, by one policy. All times are by the store's clock.</summary>
/// <param name="Machine">The machine.</param>
/// <param name="Policy">The policy: <c>files</c>, <c>system-state</c>, or <c>other</c> for backups by none; null where no status can be read.</param>
/// <param name="State">How they stand.</param>
/// <param name="Message">That in whole sentences.</param>
/// <param name="RecommendedAction">What to do; empty where nothing is.</param>
public sealed record PolicyCompliance(string Machine, string? Policy, ComplianceState State, string Message, string RecommendedAction)
{
    /// <summary>When the last backup that succeeded had ended; null for never.</summary>
    public DateTimeOffset? LastSuccess { get; init; }

    /// <summary>When the last one had ended, whatever came of it; null for never.</summary>
    public DateTimeOffset? LastRun { get; init; }

    /// <summary>By when the next one must have come; null where none is expected.</summary>
    public DateTimeOffset? Due { get; init; }

    /// <summary>What the last status says.</summary>
    public RunOutcome? Outcome { get; init; }

    /// <summary>The job that it tells of.</summary>
    public Guid? Job { get; init; }

    /// <summary>Names of error ids that it has.</summary>
    public IReadOnlyList<string> Errors { get; init; } = [];

    /// <summary>Files in the last backup that succeeded.</summary>
    public long Files { get; init; }

    /// <summary>Their bytes.</summary>
    public long Bytes { get; init; }

    /// <summary>Whether what this goes by was written by somebody who has the key of the machine's chunk store; false where that cannot be known.</summary>
    public bool IsProved { get; init; }

    /// <summary>The error id of the state; null where all is well.</summary>
    public BackupErrorId? Id => State switch
    {
        ComplianceState.Late => BackupErrorId.BackupLate,
        ComplianceState.Failing => BackupErrorId.BackupFailing,
        ComplianceState.Never => BackupErrorId.BackupNeverMade,
        ComplianceState.Shrinking => BackupErrorId.BackupShrinking,
        ComplianceState.Stopped => BackupErrorId.PolicyPaused,
        _ => null,
    };

    /// <summary>Whether somebody should see to it.</summary>
    public bool IsAlarming => State != ComplianceState.Ok;

    /// <summary>First what somebody should see to: by state, and each from what has been without a backup for longest. All that is well is equal.</summary>
    public static IComparer<PolicyCompliance> ByUrgency { get; } = Comparer<PolicyCompliance>.Create((one, other) => one.Urgency.CompareTo(other.Urgency));

    private (bool IsWell, ComplianceState State, DateTimeOffset? LastSuccess) Urgency => (!IsAlarming, State, IsAlarming ? LastSuccess : null);
}

/// <summary>How the backups of a vault's machines stand.</summary>
/// <param name="At">When that was found out, by the store's clock as far as it is known.</param>
/// <param name="Policies">Each machine and policy, by name; machines that have left are not among them.</param>
/// <param name="Warnings">What keeps this from being certain, in whole sentences.</param>
public sealed record VaultCompliance(DateTimeOffset At, IReadOnlyList<PolicyCompliance> Policies, IReadOnlyList<string> Warnings);
