using MSOnlineBackup.Storage.Azure.Costs;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;
using Xunit;

namespace MSOnlineBackup.Storage.Azure.Tests.Costs;

public sealed class CostTests
{
    private const long Gigabyte = 1L << 30;

    private static readonly DateTimeOffset _now = new(2024, 2, 29, 12, 0, 0, TimeSpan.Zero);

    private static readonly PriceTable _prices = new(
        1,
        "Nowhere",
        "EUR",
        new DateOnly(2024, 1, 1),
        OutboundPerGigabyte: 0.5m,
        new Dictionary<string, TierPrices> { ["Hot"] = new(2m, 10m, 20m, 30m, 40m, 0m), ["Cool"] = new(1m, 100m, 200m, 300m, 400m, 0.25m) });

    [Fact]
    public void A_month_is_what_is_stored_and_what_its_jobs_have_asked()
    {
        DatedTraffic[] jobs =
        [
            new(_now.AddDays(-1), new VaultTraffic(Writes: 5000, Lists: 1000, Reads: 2000, Others: 500, SentBytes: Gigabyte, FetchedBytes: 0)),
            new(_now.AddDays(-28), new VaultTraffic(Writes: 5000, Lists: 0, Reads: 0, Others: 0, SentBytes: 0, FetchedBytes: 4 * Gigabyte)),

            // In January, which is another month.
            new(_now.AddDays(-29), new VaultTraffic(90_000, 90_000, 90_000, 90_000, 0, 90 * Gigabyte)),
        ];

        var estimate = CostEstimate.Of(_prices, new Dictionary<string, long> { ["Hot"] = 3 * Gigabyte }, jobs, _now);

        Assert.Equal(6m, estimate.Storage);
        Assert.Equal(10m + 2m + 6m + 2m, estimate.Operations);
        Assert.Equal(4 * 0.5m, estimate.Transfer);
        Assert.Equal(28m, estimate.Total);
        Assert.Equal("EUR", estimate.Currency);
        Assert.StartsWith(
            "3 GB in Hot for a whole month, and 2 jobs of this machine since 2024-02-01; prices of Nowhere, 2024-01-01.",
            estimate.Basis,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Each_tier_has_its_price_and_jobs_are_charged_as_the_tier_that_holds_most()
    {
        DatedTraffic[] jobs = [new(_now, new VaultTraffic(Writes: 10_000, 0, 0, 0, 0, FetchedBytes: Gigabyte))];

        var estimate = CostEstimate.Of(_prices, new Dictionary<string, long> { ["Hot"] = Gigabyte, ["Cool"] = 10 * Gigabyte }, jobs, _now);

        Assert.Equal((12m, 100m, 0.75m), (estimate.Storage, estimate.Operations, estimate.Transfer));
    }

    [Fact]
    public void A_tier_without_prices_costs_what_the_base_tier_does()
    {
        var estimate = CostEstimate.Of(_prices, new Dictionary<string, long> { ["Frozen"] = Gigabyte }, [], _now);

        Assert.Equal(2m, estimate.Total);
    }

    [Fact]
    public void The_table_that_comes_along_has_all_tiers_and_says_what_it_is()
    {
        var table = PriceTable.Read(PriceTable.ShippedFile);

        Assert.Equal(["Archive", "Cold", "Cool", "Hot"], table.Tiers.Keys.Order());
        Assert.Equal("USD", table.Currency);
        Assert.True(table.Of("Hot").StoragePerGigabyteMonth > table.Of("Cool").StoragePerGigabyteMonth);
        Assert.True(table.Of("Cool").ReadsPer10000 < table.Of("Cold").ReadsPer10000);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("""{"version":1}""")]
    [InlineData("""{"version":2,"region":"r","currency":"EUR","asOf":"2024-01-01","outboundPerGigabyte":0,"tiers":{"Hot":TIER}}""")]
    [InlineData("""{"version":1,"region":"","currency":"EUR","asOf":"2024-01-01","outboundPerGigabyte":0,"tiers":{"Hot":TIER}}""")]
    [InlineData("""{"version":1,"region":"r","currency":"EUR","asOf":"soon","outboundPerGigabyte":0,"tiers":{"Hot":TIER}}""")]
    [InlineData("""{"version":1,"region":"r","currency":"EUR","asOf":"2024-01-01","outboundPerGigabyte":-1,"tiers":{"Hot":TIER}}""")]
    [InlineData("""{"version":1,"region":"r","currency":"EUR","asOf":"2024-01-01","outboundPerGigabyte":0,"tiers":{"Cool":TIER}}""")]
    [InlineData("""{"version":1,"region":"r","currency":"EUR","asOf":"2024-01-01","outboundPerGigabyte":0,"tiers":{"Hot":TIER,"Cool":null}}""")]
    [InlineData("""{"version":1,"region":"r","currency":"EUR","asOf":"2024-01-01","outboundPerGigabyte":0,"tiers":{"Hot":{"storagePerGigabyteMonth":1}}}""")]
    public void What_is_no_price_table_is_refused_by_its_name(string text)
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder["prices.json"], text.Replace("TIER", Tier("1"), StringComparison.Ordinal));

        BackupException refused = Assert.Throws<BackupException>(() => PriceTable.Read(folder["prices.json"]));

        Assert.Equal((BackupErrorId.PriceTableInvalid, folder["prices.json"]), (refused.Id, refused.Target));
    }

    [Fact]
    public void A_table_of_ones_own_is_read_and_a_price_below_nothing_or_beyond_reason_is_refused()
    {
        using var folder = new TempFolder();
        const string Table = """{"version":1,"region":"r","currency":"EUR","asOf":"2024-01-01","outboundPerGigabyte":0.1,"tiers":{"Hot":TIER}}""";
        File.WriteAllText(folder["good"], Table.Replace("TIER", Tier("0.015"), StringComparison.Ordinal));
        File.WriteAllText(folder["bad"], Table.Replace("TIER", Tier("-0.015"), StringComparison.Ordinal));
        File.WriteAllText(folder["absurd"], Table.Replace("TIER", Tier("79228162514264337593543950335"), StringComparison.Ordinal));

        Assert.Equal((0.015m, 0.1m), (PriceTable.Read(folder["good"]).Of("Hot").ReadsPer10000, PriceTable.Read(folder["good"]).OutboundPerGigabyte));
        Assert.Equal(BackupErrorId.PriceTableInvalid, Assert.Throws<BackupException>(() => PriceTable.Read(folder["bad"])).Id);
        Assert.Equal(BackupErrorId.PriceTableInvalid, Assert.Throws<BackupException>(() => PriceTable.Read(folder["absurd"])).Id);
        Assert.Equal(BackupErrorId.PriceTableInvalid, Assert.Throws<BackupException>(() => PriceTable.Read(folder["absent"])).Id);
    }

    private static string Tier(string price) =>
        $$"""{"storagePerGigabyteMonth":1,"writesPer10000":1,"listsPer10000":1,"readsPer10000":{{price}},"othersPer10000":1,"retrievalPerGigabyte":0}""";
}
