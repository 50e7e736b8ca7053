using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Agent.Jobs;

/// <summary>How a job is run whose order was checked.</summary>
/// <param name="ReadSources">How far it is with its sources, for its record; may be called at any time, before it begins and after it has ended too.</param>
/// <param name="RunAsync">Does the work.</param>
internal sealed record JobPlan(
    Func<JobMonitor, IReadOnlyList<JobSourceStatus>> ReadSources, Func<JobWork, CancellationToken, Task> RunAsync)
{
    /// <summary>What it goes by, for its log: by name, and never a secret.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();

    /// <summary>Which skipped items are what was asked for; none by default.</summary>
    public Func<SkippedItem, bool> IsExpected { get; init; } = static _ => false;

    /// <summary>Which failures say that the job is not to be done now, rather than that it went wrong; none by default.</summary>
    public Func<Exception, bool> IsRefusal { get; init; } = static _ => false;
}
