using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Storage.Azure.Costs;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Model.Conversions;

/// <summary>From what was counted and estimated to what scripts see.</summary>
internal static class CostConversion
{
    /// <summary>What a vault was asked.</summary>
    public static OBVaultTraffic ToOutput(this VaultTraffic traffic) => new()
    {
        Writes = traffic.Writes,
        Lists = traffic.Lists,
        Reads = traffic.Reads,
        Others = traffic.Others,
        SentBytes = traffic.SentBytes,
        FetchedBytes = traffic.FetchedBytes,
    };

    /// <summary>What jobs have asked of their vaults, of those for which it was counted.</summary>
    public static IEnumerable<DatedTraffic> Counted(this IEnumerable<JobRecord> jobs) =>
        jobs.Where(job => job.Traffic is not null).Select(job => new DatedTraffic(job.Started, job.Traffic!.Value));

    /// <summary>What a month costs.</summary>
    public static OBCostEstimate ToOutput(this CostEstimate estimate) => new()
    {
        Total = estimate.Total,
        Currency = estimate.Currency,
        Storage = estimate.Storage,
        Operations = estimate.Operations,
        Transfer = estimate.Transfer,
        Basis = estimate.Basis,
    };
}
