using System.Globalization;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Storage.Azure.Costs;

/// <summary>What a vault costs in a month, about.</summary>
/// <param name="Currency">Of all amounts.</param>
/// <param name="Storage">To keep for a whole month what is stored now.</param>
/// <param name="Operations">What this machine's jobs have asked since the month began, by class.</param>
/// <param name="Transfer">What they have fetched: its retrieval, and its way out of the region.</param>
/// <param name="Basis">What the estimate is based on, and what it leaves out.</param>
public sealed record CostEstimate(string Currency, decimal Storage, decimal Operations, decimal Transfer, string Basis)
{
    private const decimal Gigabyte = 1L << 30;
    private const decimal Pack = 10_000;

    /// <summary>All of it.</summary>
    public decimal Total => Storage + Operations + Transfer;

    /// <summary>Estimates a month.</summary>
    /// <param name="prices">The prices.</param>
    /// <param name="bytesByTier">What is stored, by access tier; under the base tier where the tiers are not known.</param>
    /// <param name="jobs">What the jobs on this vault that are on record have asked.</param>
    /// <param name="now">The time, which says which month it is (in UTC, as Azure charges).</param>
    public static CostEstimate Of(PriceTable prices, IReadOnlyDictionary<string, long> bytesByTier, IEnumerable<DatedTraffic> jobs, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(prices);
        ArgumentNullException.ThrowIfNull(bytesByTier);
        DateTime today = now.UtcDateTime;
        VaultTraffic[] counted =
        [
            .. jobs.Where(job => (job.Started.UtcDateTime.Year, job.Started.UtcDateTime.Month) == (today.Year, today.Month))
                .Select(job => job.Traffic),
        ];
        VaultTraffic traffic = counted.Aggregate(default(VaultTraffic), (sum, one) => sum + one);

        // Most that jobs read and write is contents, and most of the vault is contents: its tier is theirs.
        TierPrices used = prices.Of(bytesByTier.Count == 0 ? PriceTable.BaseTier : bytesByTier.MaxBy(tier => tier.Value).Key);
        string tiers = string.Join(", ", bytesByTier.OrderByDescending(tier => tier.Value).Select(tier => Describe(tier.Key, tier.Value)));
        return new CostEstimate(
            prices.Currency,
            bytesByTier.Sum(tier => tier.Value / Gigabyte * prices.Of(tier.Key).StoragePerGigabyteMonth),
            ((traffic.Writes * used.WritesPer10000) + (traffic.Lists * used.ListsPer10000) + (traffic.Reads * used.ReadsPer10000) + (traffic.Others * used.OthersPer10000)) / Pack,
            traffic.FetchedBytes / Gigabyte * (used.RetrievalPerGigabyte + prices.OutboundPerGigabyte),
            string.Create(
                CultureInfo.InvariantCulture,
                $"{tiers} for a whole month, and {counted.Length} jobs of this machine since {today:yyyy-MM}-01; prices of {prices.Region}, "
                    + $"{prices.AsOf:yyyy-MM-dd}. "
                + $"Not in it: other machines' jobs, taxes, discounts, free allowances, redundancy beyond the table's."));
    }

    private static string Describe(string tier, long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / Gigabyte:0.###} GB in {tier}");
}
