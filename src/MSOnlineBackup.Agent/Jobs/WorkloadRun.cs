using MSOnlineBackup.Agent.Workloads;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Progress;

namespace MSOnlineBackup.Agent.Jobs;

/// <summary>How far a backup job is with one workload, for its record.</summary>
/// <param name="Settings">The workload.</param>
internal sealed record WorkloadRun(WorkloadSettings Settings)
{
    private volatile IReadOnlyList<JobMonitor> _parts = [];
    private volatile BackupException? _failure;
    private volatile bool _hasEnded;

    /// <summary>A part of it begins: the full backup, or the log.</summary>
    public void Add(JobMonitor part) => _parts = [.. _parts, part];

    /// <summary>It is through.</summary>
    /// <param name="failure">Why it failed; null where it did not.</param>
    public void End(BackupException? failure)
    {
        _failure = failure;
        _hasEnded = true;
    }

    /// <summary>As the job's record has it.</summary>
    public JobSourceStatus ToStatus()
    {
        List<SourceProgress> read = [.. _parts.SelectMany(part => part.ReadSources())];
        return new JobSourceStatus(
            Settings.Name,
            !_hasEnded ? JobState.InProgress : _failure is null ? JobState.Completed : JobState.Failed,
            read.Sum(part => part.Bytes),
            read.Sum(part => part.ReadBytes),
            read.Sum(part => part.TotalBytes ?? part.Bytes),
            read.Sum(part => part.Files),
            read.Sum(part => part.ChangedFiles),
            read.Sum(part => part.TotalFiles ?? part.Files),
            _failure is { } failure ? JobError.Of(failure) : null);
    }
}
