using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.VirtualMachines;
using MSOnlineBackup.Agent.Workloads;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Agent.Retention;

/// <summary>The tags of a new point, from as much of a machine's history as is needed.</summary>
internal static class RetentionHistory
{
    // What counts is the latest time, and points come in the order of commits: where a clock fell back for some of them, the latest is a little further on.
    private const int LookBack = 32;

    /// <summary>The words that say how long the point of a backup is kept; see <see cref="RetentionPlanner.TagsFor"/>.</summary>
    /// <param name="policy">The policy by which it is made.</param>
    /// <param name="run">The backup.</param>
    /// <param name="newestFirst">The machine's points, which are read as far back as they are needed.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="series">Of which series the new point is, see <see cref="SeriesOf"/>: those of others are not before it.</param>
    public static async Task<IReadOnlyList<string>> FindTagsAsync(
        BackupPolicy policy, RetentionRun run, IAsyncEnumerable<RecoveryPoint> newestFirst, CancellationToken cancellationToken, string? series = null)
    {
        var earlier = new List<RetentionPoint>();
        bool isEnough = false;
        int count = 0;
        await foreach (RecoveryPoint point in newestFirst.WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            count++;
            if (SeriesOf(point.Tags) == series)
            {
                var read = new RetentionPoint(point.SessionId, point.Started, point.Ended, point.Tags);
                earlier.Add(read);
                isEnough |= RetentionPlanner.IsForerunner(policy, run, read);
            }

            if (isEnough && count >= LookBack)
            {
                break;
            }
        }

        return RetentionPlanner.TagsFor(policy, run, earlier);
    }

    /// <summary>What a point is one of many of: a workload, by what its name is compared by, or a virtual machine that policies back up; null for files and the system state.</summary>
    public static string? SeriesOf(IReadOnlyCollection<string> tags) => WorkloadPoint.Of(tags)?.Key ?? (MachineRun.Of(tags) is null ? null : MachineRun.Series);
}
