using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Agent.Jobs;

/// <summary>The sources of a backup job that have recovery points of their own. One that fails keeps nothing from the others, or from the files. May be used from any thread.</summary>
/// <param name="work">The job.</param>
internal sealed class SourceRuns(JobWork work)
{
    private readonly Lock _gate = new();
    private readonly List<LostSource> _lost = [];
    private bool _hasPoint;

    /// <summary>Backs up one of them.</summary>
    /// <param name="run">Which, whose status is noted.</param>
    /// <param name="isItsOwn">Whether a failure is this source's alone; else the job ends with it.</param>
    /// <param name="backUp">Does it, and returns the newest point that was made.</param>
    public async Task RunAsync(SourceRun run, Func<BackupException, bool> isItsOwn, Func<Task<RecoveryPoint>> backUp)
    {
        try
        {
            RecoveryPoint point = await backUp().ConfigureAwait(false);
            lock (_gate)
            {
                _hasPoint = true;
                work.RecoveryPointId = point.SessionId;
            }

            run.End(point, failure: null);
        }
        catch (BackupException e) when (isItsOwn(e))
        {
            lock (_gate)
            {
                _lost.Add(new LostSource(run.Name, e));
            }

            run.End(point: null, e);
        }
    }

    /// <summary>All are through.</summary>
    /// <param name="hasMore">Whether the job does anything else: then it does not fail where all of them have.</param>
    /// <exception cref="BackupException">Nothing was backed up: the failure of the first.</exception>
    public void End(bool hasMore)
    {
        work.LostSources = [.. work.LostSources, .. _lost];
        if (!_hasPoint && !hasMore && _lost.Count > 0)
        {
            throw _lost[0].Failure;
        }
    }
}
