using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Agent.Jobs;

/// <summary>How far a backup job is with one source that has recovery points of its own, for its record: a workload, or a virtual machine.</summary>
/// <param name="Name">What the job calls it.</param>
internal record SourceRun(string Name)
{
    private volatile IReadOnlyList<JobMonitor> _parts = [];
    private volatile BackupException? _failure;
    private volatile bool _hasEnded;

    /// <summary>The newest point that was made of it; null where there is none.</summary>
    public RecoveryPoint? Point { get; private set; }

    /// <summary>Why it failed; null where it did not.</summary>
    public BackupException? Failure => _failure;

    /// <summary>A part of it begins.</summary>
    public void Add(JobMonitor part) => _parts = [.. _parts, part];

    /// <summary>It is through.</summary>
    /// <param name="point">What was made of it; null where that failed.</param>
    /// <param name="failure">Why it failed; null where it did not.</param>
    public void End(RecoveryPoint? point, BackupException? failure)
    {
        Point = point;
        _failure = failure;
        _hasEnded = true;
    }

    /// <summary>As the job's record has it.</summary>
    public JobSourceStatus ToStatus()
    {
        List<SourceProgress> read = [.. _parts.SelectMany(part => part.ReadSources())];
        return new JobSourceStatus(
            Name,
            !_hasEnded ? JobState.InProgress : _failure is null ? JobState.Completed : JobState.Failed,
            read.Sum(part => part.Bytes),
            read.Sum(part => part.ReadBytes),
            read.Sum(part => part.TotalBytes ?? part.Bytes),
            read.Sum(part => part.Files),
            read.Sum(part => part.ChangedFiles),
            read.Sum(part => part.TotalFiles ?? part.Files),
            _failure is { } failure ? JobError.Of(failure) : null,
            SourceConsistency.Weakest(read.Select(part => part.Consistency)));
    }
}
