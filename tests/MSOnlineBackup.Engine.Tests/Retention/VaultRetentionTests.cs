using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Retention;
using MSOnlineBackup.Engine.Tests.Backup;
using MSOnlineBackup.Vaults.Maintenance;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Backup.BackupFixture;
using static MSOnlineBackup.Engine.Tests.Policies.SamplePolicy;
using static MSOnlineBackup.Engine.Tests.Retention.Simulation;

namespace MSOnlineBackup.Engine.Tests.Retention;

/// <summary>Retention in force on the points of a real vault.</summary>
public sealed class VaultRetentionTests
{
    private static readonly BackupPolicy _daily = Files with { Schedule = new(EveryDay, [At(8)]), Retention = new(30) };

    private static BackupPolicy Kept(int days) => _daily with { Retention = new(days) };

    [Fact]
    public async Task A_shorter_retention_deletes_with_the_next_maintenance_and_not_before()
    {
        using RetainedVault machine = await RetainedVault.MakeAsync(Kept(30), At("2026-01-01"));
        await machine.RunDaysAsync("2026-01-01", "2026-01-31");
        machine.Policies = [Kept(7)];

        Assert.Equal(30, (await machine.ListAsync()).Count);
        Assert.Equal(23, (await machine.PlanAsync(At("2026-01-31"))).Expiring.Count());
        Assert.Equal(30, (await machine.ListAsync()).Count);

        Assert.Equal(23, await machine.LetGoAsync(At("2026-01-31")));
        Assert.Equal(Days("2026-01-24", 7), await machine.ListAsync());
        IReadOnlyList<DeletedPoint> deleted = await machine.Vault.Deletions.ListAsync(BackupFixture.Machine, Cancel);
        Assert.Equal(23, deleted.Count);
        Assert.All(deleted, point => Assert.Equal("The time of its daily retention was over.", point.Reason));
        Assert.Equal(0, await machine.LetGoAsync(At("2026-01-31")));
    }

    [Fact]
    public async Task A_longer_retention_keeps_the_points_that_are_there()
    {
        using RetainedVault machine = await RetainedVault.MakeAsync(Kept(7), At("2026-01-01"));
        await machine.RunDaysAsync("2026-01-01", "2026-01-07", machine.LetGoAsync);
        machine.Policies = [Kept(30)];
        await machine.RunDaysAsync("2026-01-07", "2026-01-30", machine.LetGoAsync);

        Assert.Equal(Days("2026-01-01", 29), await machine.ListAsync());
        await machine.RunDaysAsync("2026-01-30", "2026-02-01", machine.LetGoAsync);
        Assert.Equal(Days("2026-01-02", 30), await machine.ListAsync());
    }

    [Fact]
    public async Task Without_a_policy_the_dates_in_the_tags_hold()
    {
        using RetainedVault machine = await RetainedVault.MakeAsync(Kept(7), At("2026-01-01"));
        await machine.RunDaysAsync("2026-01-01", "2026-01-11");
        machine.Policies = [Kept(30)];
        Assert.Equal(0, await machine.LetGoAsync(At("2026-01-11")));

        machine.Policies = [];
        Assert.Equal(Days("2026-01-01", 3), (await machine.PlanAsync(At("2026-01-11"))).Expiring.Select(NameOf));
        RetentionPlan byTags = await VaultRetention.ByTags(machine.Vault, machine.Backups.Clock).PlanAsync(null, Cancel);
        Assert.Equal(Days("2026-01-01", 3), byTags.Expiring.Select(NameOf));
    }

    [Fact]
    public async Task What_was_asked_for_the_newest_and_the_last_whole_one_stay_and_each_says_why()
    {
        using RetainedVault machine = await RetainedVault.MakeAsync(Kept(7), At("2026-01-01"));
        await machine.BackUpAsync(At("2026-01-01T08:00:00"), retainUntil: At("2026-06-01"));
        await machine.BackUpAsync(At("2026-01-02T08:00:00"));
        await machine.BackUpAsync(At("2026-01-03T08:00:00"));
        await machine.BackUpAsync(At("2026-01-05T08:00:00"), isPartial: true);
        await machine.BackUpAsync(At("2026-01-06T08:00:00"), isPartial: true);

        RetentionPlan plan = await machine.PlanAsync(At("2026-01-20"));
        Assert.Equal(
            [
                (RetentionReason.WithinRetention, RetentionKind.Asked),
                (RetentionReason.Expired, RetentionKind.Daily),
                (RetentionReason.Newest, RetentionKind.Daily),
                (RetentionReason.Expired, RetentionKind.Partial),
                (RetentionReason.Newest, RetentionKind.Partial),
            ],
            plan.Points.Select(planned => (planned.Reason, planned.Rule!.Value)));
        Assert.All(plan.Points, planned => Assert.Equal(PolicyKind.Files, planned.Policy));
        Assert.Equal(At("2026-06-01"), plan.Points[0].Until);

        Assert.Equal(2, await machine.LetGoAsync(At("2026-01-20")));
        Assert.Equal(["2026-01-01T08:00:00", "2026-01-03T08:00:00", "2026-01-06T08:00:00"], await machine.ListAsync());
    }

    [Fact]
    public async Task A_clock_that_leaps_ten_years_and_back_deletes_nothing()
    {
        using RetainedVault machine = await RetainedVault.MakeAsync(Kept(30), At("2026-01-01"));
        await machine.RunDaysAsync("2026-01-01", "2026-01-31", machine.LetGoAsync);

        Assert.Equal(0, await machine.LetGoAsync(At("2036-01-31")));
        await machine.BackUpAsync(At("2036-01-31T08:00:00"));
        Assert.Equal(0, await machine.LetGoAsync(At("2036-01-31T09:00:00")));
        Assert.Equal(0, await machine.LetGoAsync(At("2026-01-31T00:00:00")));
        Assert.Equal([.. Days("2026-01-01", 30), "2036-01-31T08:00:00"], await machine.ListAsync());

        // Put right, all goes on as if nothing had been.
        await machine.RunDaysAsync("2026-01-31", "2026-02-02", machine.LetGoAsync);
        Assert.Equal([.. Days("2026-01-03", 28), "2036-01-31T08:00:00", .. Days("2026-01-31", 2)], await machine.ListAsync());
    }

    [Fact]
    public async Task How_old_a_point_is_the_vault_says_and_not_the_machine()
    {
        using RetainedVault machine = await RetainedVault.MakeAsync(Kept(7), At("2026-01-01"));
        await machine.RunDaysAsync("2026-01-01", "2026-01-11");

        Assert.All((await machine.PlanAsync(At("2026-01-11"))).Points, planned => Assert.Equal(planned.Point.Started, planned.Point.Created));

        // Whatever clock the machine had when it made it.
        machine.Backups.Objects.SetCreated(machine.Backups.Points[0], At("2026-01-06T12:00:00"));
        machine.Backups.Objects.SetCreated(machine.Backups.Points[8], At("2025-12-30T12:00:00"));

        RetentionPlan plan = await machine.PlanAsync(At("2026-01-11"));
        Assert.Equal([.. Days("2026-01-09", 1), .. Days("2026-01-02", 2)], plan.Expiring.Select(NameOf));
        Assert.Equal(At("2026-01-13T12:00:00"), plan.Points.Single(planned => NameOf(planned) == "2026-01-01T08:00:00").Until);
    }

    [Fact]
    public async Task While_a_point_cannot_be_read_none_is_let_go_of()
    {
        using RetainedVault machine = await RetainedVault.MakeAsync(Kept(7), At("2026-01-01"));
        await machine.RunDaysAsync("2026-01-01", "2026-01-21");
        machine.Backups.Objects.FlipBit(machine.Backups.Points[15], 100);

        RetentionPlan plan = await machine.PlanAsync(At("2026-01-21"));

        Assert.Single(plan.Damaged);
        Assert.Contains(plan.Points, planned => planned.Expires);
        Assert.Empty(plan.Expiring);
        Assert.Equal(0, await machine.LetGoAsync(At("2026-01-21")));
        Assert.Equal(19, (await machine.ListAsync()).Count);
    }

    [Fact]
    public async Task A_plan_says_how_many_bytes_go_or_why_nobody_knows()
    {
        using RetainedVault machine = await RetainedVault.MakeAsync(Kept(7), At("2026-01-01"));
        await machine.RunDaysAsync("2026-01-01", "2026-01-06", day =>
        {
            machine.Backups.Fakes["/data"] = new FakeSourceTree("/data").Folder("").File("a", Cryptography.TestKeys.Bytes(day.Day, 50_000 + day.Day));
            return Task.CompletedTask;
        });
        var retention = VaultRetention.ByPolicies(machine.Vault, machine.Backups.Clock, machine.Policies);
        RetentionPlan early = await retention.MeasureAsync(await machine.PlanAsync(At("2026-01-06")), Cancel);
        Assert.Equal(0, early.Bytes);
        Assert.All(early.Points, planned => Assert.Null(planned.Bytes));

        RetentionPlan plan = await retention.MeasureAsync(await machine.PlanAsync(At("2026-01-11")), Cancel);

        Assert.Equal([false, true, true, false, false], plan.Points.Select(planned => planned.Bytes > 50_000));
        Assert.Equal(plan.Expiring.Count(), plan.Points.Count(planned => planned.Bytes is not null));
        Assert.InRange(plan.Bytes!.Value, plan.Points.Sum(planned => planned.Bytes ?? 0), 120_000);

        foreach (string pack in machine.Backups.Objects.Names.Where(name => name.Contains("/packs/", StringComparison.Ordinal)))
        {
            machine.Backups.Objects.FlipBit(pack, 100);
        }

        RetentionPlan damaged = await retention.MeasureAsync(await machine.PlanAsync(At("2026-01-11")), Cancel);
        Assert.Equal((null, true), (damaged.Bytes, damaged.Unmeasured!.IsDamage));
    }

    [Fact]
    public async Task Points_that_no_policy_made_are_left_alone()
    {
        using RetainedVault machine = await RetainedVault.MakeAsync(Kept(7), At("2026-01-01"));
        await machine.Backups.BackUpAsync(Request("/data") with { Tags = ["by hand"] });
        await machine.RunDaysAsync("2026-01-02", "2026-01-21", machine.LetGoAsync);

        PlannedPoint first = (await machine.PlanAsync(At("2026-01-21"))).Points[0];
        Assert.Equal((RetentionReason.NotByPolicy, null, null), (first.Reason, first.Policy, first.Rule));
        Assert.Equal(8, (await machine.ListAsync()).Count);
    }

    [Fact]
    public async Task Two_years_of_three_backups_a_day_leave_what_the_rules_say()
    {
        using RetainedVault machine = await RetainedVault.MakeAsync(Files, At("2026-01-01"));
        string[] dates =
        [
            "2026-01-15", "2026-03-01", "2026-05-03", "2026-07-01", "2026-09-15", "2026-12-31",
            "2027-01-04", "2027-03-01", "2027-05-31", "2027-08-08", "2027-11-01", "2028-01-01",
        ];
        string from = "2026-01-01";

        // Two years take a minute; a full campaign has it.
        foreach (string to in Testing.Campaign.IsFull ? dates : Testing.Campaign.IsBrief ? dates[..2] : dates[..7])
        {
            await machine.RunDaysAsync(from, to, MaintainAsync);
            Assert.Equal(RetentionPlanTests.Expected(At("2026-01-01"), At(to)), await machine.ListAsync());
            from = to;
        }

        async Task MaintainAsync(DateTimeOffset now)
        {
            await machine.LetGoAsync(now);
            if (now.DayOfWeek == DayOfWeek.Monday)
            {
                await machine.FreeAsync();
            }
        }
    }

    private static IEnumerable<string> Days(string first, int count) =>
        Enumerable.Range(0, count).Select(day => At(first).AddDays(day).AddHours(8).ToString("s"));

    private static string NameOf(PlannedPoint planned) => planned.Point.Started.UtcDateTime.ToString("s");
}
