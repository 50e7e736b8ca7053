using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Agent.Jobs;

/// <summary>What a job does.</summary>
public enum JobKind
{
    /// <summary>Backs up what a policy names.</summary>
    Backup,

    /// <summary>Brings items back.</summary>
    Recovery,
}

/// <summary>How a job stands.</summary>
public enum JobState
{
    /// <summary>At work.</summary>
    InProgress,

    /// <summary>Done.</summary>
    Completed,

    /// <summary>Done but for items that were skipped.</summary>
    CompletedWithWarnings,

    /// <summary>It could not do its work; <see cref="JobRecord.Error"/> says why.</summary>
    Failed,

    /// <summary>Stopped by somebody.</summary>
    Aborted,

    /// <summary>A backup that a schedule wanted and that was not begun; <see cref="JobRecord.Error"/> says why.</summary>
    Skipped,
}

/// <summary>A job as it is kept on disk: while it runs, and afterwards as history. All times are UTC.</summary>
public sealed record JobRecord
{
    /// <summary>Its id.</summary>
    public required Guid Id { get; init; }

    /// <summary>What it does.</summary>
    public required JobKind Kind { get; init; }

    /// <summary>How it stands.</summary>
    public required JobState State { get; init; }

    /// <summary>What it is doing.</summary>
    public JobPhase Phase { get; init; }

    /// <summary>When it began.</summary>
    public required DateTimeOffset Started { get; init; }

    /// <summary>When it ended; null while it runs.</summary>
    public DateTimeOffset? Ended { get; init; }

    /// <summary>When it last gave a sign of life.</summary>
    public required DateTimeOffset Heartbeat { get; init; }

    /// <summary>The process that does it.</summary>
    public required int ProcessId { get; init; }

    /// <summary>Its sources, in the policy's order.</summary>
    public IReadOnlyList<JobSourceStatus> Sources { get; init; } = [];

    /// <summary>Why it failed; of a backup that completed, which sources it could not read at all.</summary>
    public JobError? Error { get; init; }

    /// <summary>The recovery point that it made or read.</summary>
    public SessionId? RecoveryPointId { get; init; }

    /// <summary>Bytes that were new to the vault.</summary>
    public long NewBytes { get; init; }

    /// <summary>Bytes sent to the vault.</summary>
    public long StoredBytes { get; init; }

    /// <summary>How many items were skipped.</summary>
    public long Skipped { get; init; }

    /// <summary>What somebody may want to know and need not see to, a line each, the first hundred; null for nothing.</summary>
    public string? Notes { get; init; }

    /// <summary>What the vault was asked, from opening it on; null where nobody counts.</summary>
    public VaultTraffic? Traffic { get; init; }

    /// <summary>What somebody should see to, though the job did its work; null for nothing.</summary>
    public IReadOnlyList<JobError>? Warnings { get; init; }

    /// <summary>What it waits for; null while it gets on, and when it has ended.</summary>
    public JobWait? Wait { get; init; }

    /// <summary>What it keeps to now, in bits a second, all connections together; null for no limit, and of a job that has ended.</summary>
    public long? BandwidthLimit { get; init; }

    /// <summary>The record of the job when it has ended, with sources that were not through ending as it does.</summary>
    internal JobRecord EndedAs(JobState state, JobError? error, DateTimeOffset at) => this with
    {
        State = state,
        Phase = JobPhase.Finished,
        Ended = at,
        Error = error,
        Wait = null,
        BandwidthLimit = null,
        Sources = [.. Sources.Select(source => source.State == JobState.InProgress ? source with { State = state, Error = error } : source)],
    };
}

/// <summary>How far a job is with one source.</summary>
/// <param name="Name">The source's path, or "System State".</param>
/// <param name="State">How it stands.</param>
/// <param name="Bytes">Bytes done.</param>
/// <param name="ChangedBytes">Bytes that had to be read.</param>
/// <param name="TotalBytes">Bytes in all; 0 until known.</param>
/// <param name="Files">Files done.</param>
/// <param name="ChangedFiles">Files new or changed.</param>
/// <param name="TotalFiles">Files in all; 0 until known.</param>
/// <param name="Error">Why it failed.</param>
/// <param name="Consistency">Of a backup, how far what was read is of one moment; null until it is through, and where nothing says.</param>
public sealed record JobSourceStatus(
    string Name,
    JobState State,
    long Bytes,
    long ChangedBytes,
    long TotalBytes,
    long Files,
    long ChangedFiles,
    long TotalFiles,
    JobError? Error = null,
    SourceConsistency? Consistency = null);

/// <summary>An error as a job keeps it.</summary>
/// <param name="Id">The <see cref="BackupErrorId"/>'s name.</param>
/// <param name="ErrorCode">The original's number, for example "34506"; null where there is none.</param>
/// <param name="Message">What is wrong.</param>
/// <param name="RecommendedAction">What to do.</param>
/// <param name="Target">With what.</param>
public sealed record JobError(string Id, string? ErrorCode, string Message, string RecommendedAction, string? Target)
{
    /// <summary>Keeps an exception; one that is no <see cref="BackupException"/> is a bug, and is named as such.</summary>
    internal static JobError Of(Exception exception) => exception is BackupException known
        ? new JobError(known.Id.ToString(), known.ErrorCode, known.Message, known.RecommendedAction, known.Target)
        : new JobError(
            nameof(BackupErrorId.UnexpectedError),
            null,
            $"{exception.GetType().Name}: {exception.Message}",
            "This is a bug: report it with the job's log.",
            null);
}
