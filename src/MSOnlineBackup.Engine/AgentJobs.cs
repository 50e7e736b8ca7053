using MSOnlineBackup.Engine.Jobs;
using MSOnlineBackup.Engine.Policies;
using MSOnlineBackup.Engine.RecoveryPoints;
using MSOnlineBackup.Engine.Restore;

namespace MSOnlineBackup.Engine;

/// <summary>A backup to be run by this machine's policy.</summary>
public sealed record BackupOrder
{
    /// <summary>Which policy.</summary>
    public PolicyKind Kind { get; init; }

    /// <summary>Only these of the policy's sources; empty for all.</summary>
    public IReadOnlyList<string> Only { get; init; } = [];

    /// <summary>Until when the point is kept at least; null: by the policy.</summary>
    public DateTimeOffset? RetainUntil { get; init; }
}

/// <summary>A recovery to be run.</summary>
public sealed record RecoveryOrder
{
    /// <summary>The vault; null for this machine's own.</summary>
    public string? VaultLocation { get; init; }

    /// <summary>Whose data.</summary>
    public required string MachineName { get; init; }

    /// <summary>The recovery point's session id.</summary>
    public required string PointId { get; init; }

    /// <summary>Full paths of the items.</summary>
    public required IReadOnlyList<string> Paths { get; init; }

    /// <summary>Where to; null for where they came from.</summary>
    public string? TargetFolder { get; init; }

    /// <summary>What to do where something is there.</summary>
    public RestoreConflict Conflict { get; init; } = RestoreConflict.Copy;

    /// <summary>Whether owner, mode and ACLs are left as new files have them.</summary>
    public bool SkipSecurity { get; init; }

    /// <summary>The passphrase; null for this machine's own key. Never written to disk.</summary>
    public string? Passphrase { get; init; }

    /// <summary>Whether what was restored is read again and compared.</summary>
    public bool Verify { get; init; }
}

/// <summary>The jobs of this machine.</summary>
public sealed class AgentJobs
{
    internal AgentJobs(BackupAgent agent, AgentOptions options, string stateFolder)
    {
    }

    /// <summary>The job that is running; null where none is.</summary>
    public JobRecord? Running => throw new NotImplementedException();

    /// <summary>Runs a backup to its end. Its record says how it ended; a failure is also thrown.</summary>
    /// <param name="order">What.</param>
    /// <param name="progress">Told of every change, several times a second, from any thread.</param>
    /// <param name="cancellationToken">Stops in order: the record says Aborted, and OperationCanceledException is thrown.</param>
    public Task<JobRecord> BackUpAsync(BackupOrder order, Action<JobRecord> progress, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Runs a recovery to its end.</summary>
    public Task<JobRecord> RecoverAsync(RecoveryOrder order, Action<JobRecord> progress, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Has a process of its own run a backup; returns as soon as that has begun.</summary>
    public Task<JobRecord> StartAsync(BackupOrder order, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Has a process of its own run a recovery.</summary>
    public Task<JobRecord> StartAsync(RecoveryOrder order, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>All jobs that are on record, oldest first.</summary>
    public IReadOnlyList<JobRecord> List() => throw new NotImplementedException();

    /// <summary>One job.</summary>
    public JobRecord Get(Guid id) => throw new NotImplementedException();

    /// <summary>Stops a job in order and returns when it has ended.</summary>
    public Task<JobRecord> StopAsync(Guid id, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>What a job skipped, and why.</summary>
    public IReadOnlyList<SkippedItem> ListSkipped(Guid id) => throw new NotImplementedException();
}
