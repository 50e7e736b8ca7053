using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Agent.Jobs;

/// <summary>What a job's record says of its sources.</summary>
internal static class SourceStatuses
{
    /// <summary>Of a backup: its sources by name, each of so many of the request's, in the request's order.</summary>
    public static IReadOnlyList<JobSourceStatus> OfBackup(JobMonitor monitor, IReadOnlyList<(string Name, int Parts)> sources)
    {
        IReadOnlyList<SourceProgress> begun = monitor.ReadSources();
        var statuses = new List<JobSourceStatus>();
        int first = 0;
        foreach ((string name, int parts) in sources)
        {
            SourceProgress[] own = [.. begun.Skip(first).Take(parts)];
            first += parts;
            statuses.Add(new JobSourceStatus(
                name,
                StateOf(own, parts),
                own.Sum(part => part.Bytes),
                own.Sum(part => part.ReadBytes),
                own.Sum(part => part.TotalBytes ?? 0),
                own.Sum(part => part.Files),
                own.Sum(part => part.ChangedFiles),
                own.Sum(part => part.TotalFiles ?? 0),
                own.FirstOrDefault(part => part.Failure is not null)?.Failure is { } failure ? JobError.Of(failure) : null,
                SourceConsistency.Weakest(own.Select(part => part.Consistency))));
        }

        return statuses;
    }

    /// <summary>Of a recovery, which is one whole.</summary>
    public static IReadOnlyList<JobSourceStatus> OfRecovery(JobMonitor monitor, string name)
    {
        JobProgress counters = monitor.Snapshot();
        JobState state = counters.Phase != JobPhase.Finished ? JobState.InProgress
            : monitor.HasWarnings ? JobState.CompletedWithWarnings
            : JobState.Completed;
        return
        [
            new JobSourceStatus(
                name, state, counters.Bytes, counters.ReadBytes, counters.TotalBytes ?? 0, counters.Files, counters.Files, counters.TotalFiles ?? 0),
        ];
    }

    private static JobState StateOf(SourceProgress[] begun, int parts)
    {
        if (begun.Length < parts || !begun.All(part => part.HasEnded))
        {
            return JobState.InProgress;
        }

        return begun.All(part => part.Failure is not null) ? JobState.Failed
            : begun.Any(part => part.Skipped > 0) ? JobState.CompletedWithWarnings
            : JobState.Completed;
    }
}
