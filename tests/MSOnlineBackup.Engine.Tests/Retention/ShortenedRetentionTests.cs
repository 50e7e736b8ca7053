using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Engine.Tests.Backup;
using MSOnlineBackup.Vaults.Alarms;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.Protection;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Backup.BackupFixture;
using static MSOnlineBackup.Engine.Tests.Policies.SamplePolicy;
using static MSOnlineBackup.Engine.Tests.Retention.Simulation;

namespace MSOnlineBackup.Engine.Tests.Retention;

/// <summary>A shortened retention raises an alarm, and what goes by it before its time is held for longer, until the owner releases it or the time is over.</summary>
public sealed class ShortenedRetentionTests
{
    private static readonly BackupPolicy _daily = Files with { Schedule = new(EveryDay, [At(8)]), Retention = new(30) };

    private static BackupPolicy Kept(int days) => _daily with { Retention = new(days) };

    [Fact]
    public async Task What_goes_before_its_time_stays_for_the_days_of_the_brake_too()
    {
        using RetainedVault machine = await ShortenAsync();
        VaultAlarm alarm = Assert.Single(await AlarmsAsync(machine), alarm => alarm.Id == BackupErrorId.RetentionShortened);
        Assert.Equal((At("2026-01-31"), BackupFixture.Machine), (alarm.Since, alarm.Machine));
        Assert.Contains(
            "retention was shortened: 22 recovery points were let go of after 8 days and more, made to be kept for up to 30. No recovery point of it that retention let go of before its time is deleted for good until 2026-02-28",
            alarm.Message,
            StringComparison.Ordinal);
        DeletionBrake brake = Assert.Single((await MaintainAsync(machine)).Brakes);
        Assert.Equal((BrakeKind.ShortenedRetention, At("2026-01-31").AddDays(28)), (brake.Kind, brake.Until));

        // 14 days of undelete are over; those of the brake are not.
        await machine.RunDaysAsync("2026-02-01", "2026-02-20");
        Assert.Equal(1, (await MaintainAsync(machine)).PointsGone);
        Assert.Equal(22, (await machine.Vault.Deletions.ListAsync(BackupFixture.Machine, Cancel)).Count);
        await machine.RunDaysAsync("2026-02-20", "2026-03-01");
        MaintenanceReport report = await MaintainAsync(machine);

        Assert.Equal((22, 0), (report.PointsGone, report.Brakes.Count));
        Assert.Empty(await AlarmsAsync(machine));
    }

    [Fact]
    public async Task The_owner_releases_it_and_the_same_shortening_is_told_no_more()
    {
        using RetainedVault machine = await ShortenAsync();
        machine.Shortened = At("2026-01-31");
        await machine.RunDaysAsync("2026-02-01", "2026-02-05");
        await machine.Vault.Vault.ReleaseBrakeAsync(machine.Backups.Owner.Key, BackupFixture.Machine, Cancel);
        Assert.Empty(await AlarmsAsync(machine));

        // The points of January are let go of for weeks still.
        await machine.RunDaysAsync("2026-02-05", "2026-02-15", machine.LetGoAsync);
        Assert.Empty(await AlarmsAsync(machine));
        Assert.Equal(23, (await MaintainAsync(machine)).PointsGone);

        // Another shortening is another matter.
        machine.Policies = [Kept(2)];
        machine.Shortened = At("2026-02-16");
        await machine.LetGoAsync(At("2026-02-16"));
        Assert.Contains(await AlarmsAsync(machine), alarm => alarm.Id == BackupErrorId.RetentionShortened);
    }

    [Fact]
    public async Task Points_that_go_when_their_time_is_over_raise_none()
    {
        using RetainedVault machine = await RetainedVault.MakeAsync(Kept(7), At("2026-01-01"));
        await machine.RunDaysAsync("2026-01-01", "2026-01-30", machine.LetGoAsync);

        Assert.Empty(await AlarmsAsync(machine));
        MaintenanceReport report = await MaintainAsync(machine);
        Assert.True(report.PointsGone > 0);
        Assert.Empty(report.Brakes);
    }

    [Fact]
    public async Task A_longer_retention_and_what_was_asked_for_by_hand_raise_none()
    {
        using RetainedVault machine = await RetainedVault.MakeAsync(Kept(7), At("2026-01-01"));
        await machine.BackUpAsync(At("2026-01-01").AddHours(8), retainUntil: At("2026-01-12"));
        machine.Policies = [Kept(10)];
        await machine.RunDaysAsync("2026-01-02", "2026-01-30", machine.LetGoAsync);

        Assert.Empty(await AlarmsAsync(machine));
    }

    [Fact]
    public async Task Without_a_brake_nothing_is_held()
    {
        using RetainedVault machine = await ShortenAsync();
        await machine.Vault.Vault.ChangeSettingsAsync(machine.Backups.Owner.Key, settings => settings with { BrakeDays = 0 }, Cancel);
        await machine.RunDaysAsync("2026-02-01", "2026-02-16");

        Assert.Equal(23, (await MaintainAsync(machine)).PointsGone);
    }

    // Thirty days of points, of which a week is to be kept. The first of them would have gone that day anyway.
    private static async Task<RetainedVault> ShortenAsync()
    {
        RetainedVault machine = await RetainedVault.MakeAsync(Kept(30), At("2026-01-01"));
        await machine.RunDaysAsync("2026-01-01", "2026-01-31");
        machine.Policies = [Kept(7)];
        Assert.Equal(23, await machine.LetGoAsync(At("2026-01-31")));
        Assert.Contains(await AlarmsAsync(machine), alarm => alarm.Id == BackupErrorId.PointsDeletedAtOnce);
        return machine;
    }

    private static async Task<IReadOnlyList<VaultAlarm>> AlarmsAsync(RetainedVault machine) => await machine.Vault.ReadAlarmsAsync(BackupFixture.Machine, Cancel);

    private static Task<MaintenanceReport> MaintainAsync(RetainedVault machine) => machine.Vault.MaintainAsync(new MaintenanceRequest(), new JobMonitor(), Cancel);
}
