using System.Collections;
using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Model.Conversions;

namespace MSOnlineBackup.Completion;

/// <summary>Completes the ids of jobs, the newest first.</summary>
public class JobCompleter : ValueCompleter
{
    private const int Newest = 20;

    /// <inheritdoc/>
    protected override IEnumerable<(string Text, string Tip)> Values(IDictionary bound) =>
        ModuleEnvironment.OpenAgent(_ => { }).Jobs.List().Reverse().Where(Offers).Take(Newest).Select(job => (job.Id.ToString(), job.ToOutput().ToString()));

    /// <summary>Whether a job is one of those that are offered; all are.</summary>
    private protected virtual bool Offers(JobRecord job) => true;
}

/// <summary>Completes the ids of jobs that still run: only those can be stopped.</summary>
public sealed class RunningJobCompleter : JobCompleter
{
    /// <inheritdoc/>
    private protected override bool Offers(JobRecord job) => job.State == JobState.InProgress;
}
