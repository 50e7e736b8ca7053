using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Retention;
using MSOnlineBackup.Engine.Tests.Backup;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Registers;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Backup.BackupFixture;

namespace MSOnlineBackup.Engine.Tests.Protection;

/// <summary>What is immutable stays for its time, whoever wants it gone; what is locked stays locked.</summary>
public sealed class ImmutabilityTests : IDisposable
{
    private readonly BackupFixture _backups = new();

    public void Dispose() => _backups.Dispose();

    [Theory]
    [InlineData(VaultImmutability.On)]
    [InlineData(VaultImmutability.Locked)]
    public async Task A_point_is_not_deleted_before_its_time(VaultImmutability immutability)
    {
        RecoveryPoint[] points = await MakeAsync(2);
        await SetAsync(settings => settings with { Immutability = immutability, ImmutableDays = 30 });
        UnlockedVault vault = await _backups.OpenAsync();

        Refused(await Assert.ThrowsAsync<BackupException>(() => vault.Deletions.DeleteAsync(points[0], "", Cancel)));
        Refused(await Assert.ThrowsAsync<BackupException>(() => vault.Deletions.DeleteMachineAsync(BackupFixture.Machine, "", Cancel)));
        Assert.Equal(2, (await vault.ListPointsAsync(null, Cancel)).Count);

        _backups.Clock.Advance(TimeSpan.FromDays(30));

        await vault.Deletions.DeleteAsync(points[0], "", Cancel);
    }

    [Fact]
    public async Task What_was_deleted_all_the_same_does_not_end_before_its_time_whatever_a_clock_says()
    {
        RecoveryPoint[] points = await MakeAsync(3);
        await SetAsync(settings => settings with { Immutability = VaultImmutability.On, ImmutableDays = 60 });

        // A machine that was taken over has a clock of its own.
        var ahead = new FakeClock(_backups.Clock.GetUtcNow().AddYears(1));
        UnlockedVault taken = await TestVault.UnlockAsync(_backups.Objects, BackupFixture.Passphrase, _backups.Options with { TimeProvider = ahead }, Cancel);
        await taken.Deletions.DeleteManyAsync(points[..2], "", evenNewest: false, Cancel);

        for (int day = 1; day < 60; day++)
        {
            _backups.Clock.Advance(TimeSpan.FromDays(1) - TimeSpan.FromMinutes(1));
            await _backups.BackUpAsync();
            Assert.Equal(0, (await MaintainAsync()).PointsGone);
        }

        Assert.Equal([0], await _backups.ReadAsync(points[0], $"{_backups.Root}/0"));
        _backups.Clock.Advance(TimeSpan.FromDays(1));
        await _backups.BackUpAsync();
        await _backups.BackUpAsync();
        Assert.Equal(2, (await MaintainAsync()).PointsGone);
    }

    [Fact]
    public async Task Retention_waits_for_it()
    {
        DateTimeOffset until = _backups.Clock.GetUtcNow().AddDays(1);
        await MakeAsync(1, new RetentionTag(PolicyKind.Files, RetentionKind.Daily, until).ToString());
        _backups.Clock.Advance(TimeSpan.FromDays(5));
        await MakeAsync(1, new RetentionTag(PolicyKind.Files, RetentionKind.Daily, until.AddDays(5)).ToString());
        Assert.Single((await PlanAsync()).Expiring);
        await SetAsync(settings => settings with { Immutability = VaultImmutability.On, ImmutableDays = 20 });

        RetentionPlan plan = await PlanAsync();

        Assert.Empty(plan.Expiring);
        Assert.Equal((RetentionReason.Immutable, plan.Points[0].Point.Created!.Value.AddDays(20)), (plan.Points[0].Reason, plan.Points[0].Until));
        Refused(await Assert.ThrowsAsync<BackupException>(async () => await (await _backups.OpenAsync()).Deletions.DeleteExpiredAsync([plan.Points[0].Point], "", Cancel)));
        _backups.Clock.Advance(TimeSpan.FromDays(15));
        Assert.Single((await PlanAsync()).Expiring);

        async Task<RetentionPlan> PlanAsync() => await VaultRetention.ByTags(await _backups.OpenAsync(), _backups.Clock).PlanAsync(null, Cancel);
    }

    [Fact]
    public async Task The_owner_turns_it_off_again_unless_it_is_locked()
    {
        RecoveryPoint[] points = await MakeAsync(2);
        await SetAsync(settings => settings with { Immutability = VaultImmutability.On, ImmutableDays = 30 });
        await SetAsync(settings => settings with { ImmutableDays = 10 });
        await SetAsync(settings => settings with { Immutability = VaultImmutability.Off });
        await (await _backups.OpenAsync()).Deletions.DeleteAsync(points[0], "", Cancel);
        await SetAsync(settings => settings with { Immutability = VaultImmutability.Locked, ImmutableDays = 20 });

        foreach (VaultSettings less in new[] { new VaultSettings { Immutability = VaultImmutability.Off }, new VaultSettings { Immutability = VaultImmutability.On, ImmutableDays = 20 }, new VaultSettings { Immutability = VaultImmutability.Locked, ImmutableDays = 19 } })
        {
            Refused(await Assert.ThrowsAsync<BackupException>(() => SetAsync(_ => less)));
        }

        Assert.Equal((VaultImmutability.Locked, 25), Of(await SetAsync(settings => settings with { ImmutableDays = 25, MachineLimit = 3 })));
    }

    // The owner's key and another program are not enough.
    [Theory]
    [InlineData("{}")]
    [InlineData("""{"immutability":"Off"}""")]
    [InlineData("""{"immutability":"On","immutableDays":1}""")]
    [InlineData("""{"immutability":"Locked","immutableDays":1}""")]
    public async Task A_later_record_that_loosens_what_is_locked_does_not_hold(string later)
    {
        await MakeAsync(1);
        await SetAsync(settings => settings with { Immutability = VaultImmutability.Locked, ImmutableDays = 20 });
        const string Name = "settings/00000002";
        string vaultId = (await _backups.OpenAsync()).VaultId;
        _backups.Objects.SetContent(
            Name, MSOnlineBackup.Vaults.Cryptography.RecordEnvelope.Sign(_backups.Owner.Key, vaultId, Name, System.Text.Encoding.UTF8.GetBytes(later)));

        Assert.Equal((VaultImmutability.Locked, 20), Of(await TestVault.ReadSettingsAsync(_backups.Objects, Cancel)));
        Assert.Equal((VaultImmutability.Locked, 20), Of(await SetAsync(settings => settings with { MachineLimit = 3 })));
    }

    [Fact]
    public async Task An_older_record_that_cannot_be_read_may_have_locked_it()
    {
        await MakeAsync(1);
        await SetAsync(settings => settings with { Immutability = VaultImmutability.Locked, ImmutableDays = 20 });
        await SetAsync(settings => settings with { MachineLimit = 3 });
        _backups.Objects.Damage("settings/00000001", content => content[..^1]);
        _backups.Objects.Damage("settings/00000001.copy", content => content[..^1]);

        Assert.Equal(
            BackupErrorId.VaultDataCorrupt, (await Assert.ThrowsAsync<BackupException>(() => TestVault.ReadSettingsAsync(_backups.Objects, Cancel))).Id);
    }

    [Theory]
    [InlineData(VaultImmutability.On, 0)]
    [InlineData(VaultImmutability.On, -1)]
    [InlineData(VaultImmutability.Locked, 36_501)]
    [InlineData((VaultImmutability)7, 5)]
    public async Task What_is_out_of_range_is_refused(VaultImmutability immutability, int days)
    {
        await MakeAsync(1);

        BackupException error =
            await Assert.ThrowsAsync<BackupException>(() => SetAsync(settings => settings with { Immutability = immutability, ImmutableDays = days }));

        Assert.Equal(BackupErrorId.ArgumentInvalid, error.Id);
    }

    private static (VaultImmutability, int) Of(VaultSettings settings) => (settings.Immutability, settings.ImmutableDays);

    private async Task<RecoveryPoint[]> MakeAsync(int count, params string[] tags)
    {
        var points = new List<RecoveryPoint>();
        for (int i = 0; i < count; i++)
        {
            _backups.Tree.File($"{i}", [(byte)i]);
            points.Add((await _backups.BackUpAsync(_backups.Job(_backups.Root) with { Tags = tags })).Point);
        }

        return [.. points];
    }

    private async Task<VaultSettings> SetAsync(Func<VaultSettings, VaultSettings> change) =>
        await TestVault.ChangeSettingsAsync(_backups.Objects, _backups.Owner.Key, change, Cancel);

    private async Task<MaintenanceReport> MaintainAsync() =>
        await (await _backups.OpenAsync()).MaintainAsync(new MaintenanceRequest(), new JobMonitor(), Cancel);

    private static void Refused(BackupException error) => Assert.Equal((BackupErrorId.VaultImmutable, "810001"), (error.Id, error.ErrorCode));
}
