using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Agent.Workloads;

/// <summary>Where what is recovered comes from.</summary>
internal interface IWorkloadItems
{
    /// <summary>A recovery point.</summary>
    Task<RecoveryPoint> ReadAsync(SessionId point, CancellationToken stop);

    /// <summary>Restores items of a point into a folder, each by its own name. All of them, or it fails.</summary>
    /// <exception cref="BackupException">WorkloadIncomplete where something was left out; what a restore throws.</exception>
    Task RestoreAsync(RecoveryPoint point, IReadOnlyList<string> paths, string folder, CancellationToken stop);
}

/// <summary>Makes of a full backup and its log what a server recovers from. Needs no server. One class for each kind of workload.</summary>
internal interface IWorkloadRecovery
{
    /// <summary>Recovers. The target appears when all is there, and is complete then.</summary>
    /// <param name="chain">The full backup and the log up to the moment, without a gap.</param>
    /// <param name="moment">The time to recover to; null for as far as the log goes.</param>
    /// <param name="staging">An empty folder on the target's disk.</param>
    /// <param name="target">The absolute path of the folder to make; it does not exist, or is empty.</param>
    /// <param name="items">Where the data come from.</param>
    /// <param name="stop">Stops it; the target is as it was.</param>
    /// <exception cref="BackupException">WorkloadIncomplete; what a restore throws.</exception>
    Task RestoreAsync(WorkloadChain chain, DateTimeOffset? moment, string staging, string target, IWorkloadItems items, CancellationToken stop);

    /// <summary>What somebody does with the target, in a sentence or two.</summary>
    string Advise(WorkloadChain chain, string target);
}
