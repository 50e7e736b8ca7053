using MSOnlineBackup.Agent.Capacity;
using MSOnlineBackup.Vaults.Errors;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Capacity;

/// <summary>How much room backups take: a pure function.</summary>
public sealed class CapacityPlannerTests
{
    private const long Tib = 1L << 40;

    [Theory]
    [InlineData(Tib, 0.1, 10, 0, 0, 0, 11, 2 * Tib)]
    [InlineData(1000, 0, 30, 0, 0, 0, 31, 1000)]
    [InlineData(1000, 1, 3, 0, 0, 0, 4, 4000)]
    [InlineData(1_000_000, 0.03, 5, 0, 0, 0, 6, 1_150_000)]
    [InlineData(1_000_000, 0.1, 10, 4, 0, 0, 14, 3_387_306)]
    [InlineData(1_000_000, 0.1, 7, 0, 2, 0, 10, 3_573_219)]
    [InlineData(1_000_000, 0.02, 30, 52, 0, 3, 82, 9_912_937)]
    [InlineData(1_000_000, 1, 1, 4, 0, 0, 6, 6_000_000)]
    public void What_is_needed_is_a_full_and_what_each_older_point_has_that_the_next_newer_one_has_not(
        long bytes, double change, int days, int weeks, int months, int years, int points, long required)
    {
        CapacityPlan plan = CapacityPlanner.Plan(
            new CapacityRequest { ProtectedBytes = bytes, DailyChange = change, RetentionDays = days, RetentionWeeks = weeks, RetentionMonths = months, RetentionYears = years }, null);

        Assert.Equal((points, bytes, required), (plan.Points, plan.FullBytes, plan.RequiredBytes));
        Assert.Equal(required - bytes, plan.ChangeBytes);
        Assert.Equal((null, null), (plan.PoolBytes, plan.DaysUntilFull));
    }

    [Fact]
    public void What_is_stored_is_smaller_by_the_ratio()
    {
        CapacityPlan plan = CapacityPlanner.Plan(TenDays(Tib) with { ReductionRatio = 2 }, null);

        Assert.Equal((Tib / 2, Tib, Tib), (plan.FullBytes, plan.RequiredBytes, plan.ProtectedBytes));
    }

    [Fact]
    public void Growth_counts_until_the_year_that_is_planned_for()
    {
        CapacityPlan plan = CapacityPlanner.Plan(TenDays(1_000_000) with { RetentionDays = 1, GrowthPerYear = 0.2, Years = 1 }, null);

        Assert.Equal((1_199_850, 1_319_775), (plan.FullBytes, plan.RequiredBytes));
        Assert.Equal(1_099_950, CapacityPlanner.Plan(TenDays(1_000_000) with { RetentionDays = 1, GrowthPerYear = 0.2 }, null).RequiredBytes);
    }

    [Theory]
    [InlineData(900, 0.0, 0)]
    [InlineData(1000, 0.0, 1)]
    [InlineData(1500, 0.0, 6)]
    [InlineData(1999, 0.0, 10)]
    [InlineData(2000, 0.0, null)]
    [InlineData(2400, 0.1, 702)]
    public void A_pool_is_full_on_the_first_day_on_which_more_is_needed(long pool, double growth, int? days) =>
        Assert.Equal(days, CapacityPlanner.Plan(TenDays(1000) with { PoolBytes = pool, GrowthPerYear = growth }, null).DaysUntilFull);

    [Fact]
    public void A_vault_says_what_is_left_open_and_what_it_takes_already()
    {
        var measured = new CapacityMeasurement(1000, 0.1, 1, StoredBytes: 5000, AgeDays: 3, FreeBytes: 500);

        CapacityPlan plan = CapacityPlanner.Plan(new CapacityRequest { RetentionDays = 10 }, measured);

        Assert.Equal((1000, 0.1, 1, 2000), (plan.ProtectedBytes, plan.DailyChange, plan.ReductionRatio, plan.RequiredBytes));
        Assert.Equal((5500, 6), (plan.PoolBytes, plan.DaysUntilFull));
        Assert.Equal((10_000, 7), (CapacityPlanner.Plan(new CapacityRequest { RetentionDays = 10, ProtectedBytes = 5000 }, measured).RequiredBytes, CapacityPlanner.Plan(TenDays(1000) with { PoolBytes = 5699 }, measured).DaysUntilFull));
    }

    [Fact]
    public void What_cannot_be_is_refused_by_name()
    {
        CapacityRequest sound = TenDays(1000);

        Refused("-5 protected bytes", sound with { ProtectedBytes = -5 });
        Refused("0 protected bytes", sound with { ProtectedBytes = 0 });
        Refused("daily change of -10 %", sound with { DailyChange = -0.1 });
        Refused("daily change of 150 %", sound with { DailyChange = 1.5 });
        Refused("0 days of retention", sound with { RetentionDays = 0 });
        Refused("-1 days of retention", sound with { RetentionDays = -1 });
        Refused("36160 days of retention", sound with { RetentionDays = 36_160 });
        Refused("-1 weeks", sound with { RetentionWeeks = -1 });
        Refused("9999 months", sound with { RetentionMonths = 9999 });
        Refused("100 years of retention", sound with { RetentionYears = 100 });
        Refused("0 bytes read for one", sound with { ReductionRatio = 0 });
        Refused("growth of -20 %", sound with { GrowthPerYear = -0.2 });
        Refused("-1 years ahead", sound with { Years = -1 });
        Refused("pool of 0 bytes", sound with { PoolBytes = 0 });
        Refused("more bytes than can be counted", sound with { ProtectedBytes = long.MaxValue });
        Refused("more bytes than can be counted", sound with { GrowthPerYear = 10, Years = 99 });
        Refused("how many bytes are protected", sound with { ProtectedBytes = null });
        Refused("how much changes in a day", sound with { DailyChange = null });
    }

    [Theory]
    [InlineData("10%", 0.1)]
    [InlineData("10 %", 0.1)]
    [InlineData("0.1", 0.1)]
    [InlineData("2.5%", 0.025)]
    [InlineData("-1", -1.0)]
    [InlineData("1E-05", 0.00001)]
    public void Shares_are_percentages_and_fractions(string text, double share)
    {
        Assert.True(CapacityShare.TryParse(text, out double read));
        Assert.Equal(share, read, 12);
    }

    [Theory]
    [InlineData("")]
    [InlineData("%")]
    [InlineData("ten")]
    [InlineData("1,5%")]
    [InlineData("NaN")]
    [InlineData("Infinity")]
    public void What_is_no_share_is_none(string text) => Assert.False(CapacityShare.TryParse(text, out _));

    private static CapacityRequest TenDays(long bytes) => new() { ProtectedBytes = bytes, DailyChange = 0.1, RetentionDays = 10 };

    private static void Refused(string words, CapacityRequest request)
    {
        BackupException error = Assert.Throws<BackupException>(() => CapacityPlanner.Plan(request, null));
        Assert.Equal(BackupErrorId.ArgumentInvalid, error.Id);
        Assert.Contains(words, error.Message, StringComparison.Ordinal);
    }
}
