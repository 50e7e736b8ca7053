using MSOnlineBackup.Engine.Storage;
using MSOnlineBackup.Storage.Azure.Costs;

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
