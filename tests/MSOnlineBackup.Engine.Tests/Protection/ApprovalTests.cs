using MSOnlineBackup.Engine.Tests.Backup;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Protection;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Registers;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Backup.BackupFixture;

namespace MSOnlineBackup.Engine.Tests.Protection;

/// <summary>Where the vault has approvers, what destroys needs the approval of one of them: of just this, for a time, once.</summary>
public sealed class ApprovalTests : IDisposable
{
    private readonly BackupFixture _backups = new();
    private readonly OwnerKey _approver = OwnerKey.Create();

    public void Dispose()
    {
        _approver.Dispose();
        _backups.Dispose();
    }

    [Fact]
    public async Task Without_an_approval_nothing_is_destroyed_and_with_it_once()
    {
        RecoveryPoint[] points = await MakeAsync();
        UnlockedVault vault = await _backups.OpenAsync();
        var consent = new Consent(null, (await ApproveAsync(GuardedOperation.DeletePoints)).Code);

        Refused(await Assert.ThrowsAsync<BackupException>(() => vault.Deletions.DeleteAsync(points[0], "", Cancel)));
        await vault.Deletions.DeleteAsync(points[0], "", Cancel, consent);
        Refused(await Assert.ThrowsAsync<BackupException>(() => vault.Deletions.DeleteAsync(points[1], "", Cancel, consent)));
    }

    [Fact]
    public async Task It_is_of_one_operation_for_its_time_and_of_an_approver()
    {
        RecoveryPoint[] points = await MakeAsync();
        UnlockedVault vault = await _backups.OpenAsync();
        var other = new Consent(null, (await ApproveAsync(GuardedOperation.RemoveKey)).Code);
        Refused(await Assert.ThrowsAsync<BackupException>(() => vault.Deletions.DeleteAsync(points[0], "", Cancel, other)));

        // Neither the owner nor a stranger is one.
        Refused(await Assert.ThrowsAsync<BackupException>(() => vault.Vault.Guard.ApproveAsync(_backups.Owner.Key, GuardedOperation.DeletePoints, TimeSpan.FromHours(1), Cancel)));
        IssuedConsent pin = await vault.Vault.Guard.IssuePinAsync(_backups.Owner.Key, Cancel);
        Refused(await Assert.ThrowsAsync<BackupException>(() => vault.Deletions.DeleteAsync(points[0], "", Cancel, new Consent(pin.Code, pin.Code))));

        var late = new Consent(null, (await ApproveAsync(GuardedOperation.DeletePoints)).Code);
        _backups.Clock.Advance(TimeSpan.FromMinutes(61));
        Refused(await Assert.ThrowsAsync<BackupException>(() => vault.Deletions.DeleteAsync(points[0], "", Cancel, late)));
        Assert.Equal(
            BackupErrorId.ArgumentInvalid,
            (await Assert.ThrowsAsync<BackupException>(() => vault.Vault.Guard.ApproveAsync(_approver, GuardedOperation.DeletePoints, TimeSpan.FromHours(25), Cancel))).Id);
    }

    [Fact]
    public async Task Of_a_pin_and_an_approval_neither_is_used_up_where_the_other_is_missing()
    {
        RecoveryPoint[] points = await MakeAsync();
        await ChangeAsync(settings => settings with { RequiresPin = true });
        UnlockedVault vault = await _backups.OpenAsync();
        string pin = (await vault.Vault.Guard.IssuePinAsync(_backups.Owner.Key, Cancel)).Code;
        string approval = (await ApproveAsync(GuardedOperation.DeletePoints)).Code;

        Refused(await Assert.ThrowsAsync<BackupException>(() => vault.Deletions.DeleteAsync(points[0], "", Cancel, new Consent(pin))));
        Assert.Equal(
            BackupErrorId.SecurityPinRejected, (await Assert.ThrowsAsync<BackupException>(() => vault.Deletions.DeleteAsync(points[0], "", Cancel, new Consent(null, approval)))).Id);
        await vault.Deletions.DeleteAsync(points[0], "", Cancel, new Consent(pin, approval));
    }

    [Fact]
    public async Task The_owner_needs_one_to_protect_less_and_none_to_protect_more()
    {
        await MakeAsync();
        await ChangeAsync(settings => settings with { Immutability = VaultImmutability.On, ImmutableDays = 30, UndeleteDays = 30, RequiresPin = true, MachineLimit = 3, ParityPercent = 10, VerifyDays = 20 });
        foreach (Func<VaultSettings, VaultSettings> less in new Func<VaultSettings, VaultSettings>[]
        {
            settings => settings with { Approvers = [] },
            settings => settings with { Immutability = VaultImmutability.Off },
            settings => settings with { ImmutableDays = 29 },
            settings => settings with { UndeleteDays = 29 },
            settings => settings with { RequiresPin = false },
            settings => settings with { ParityPercent = 0 },
            settings => settings with { VerifyDays = 0 },
            settings => settings with { MaintainsAfterBackup = false },
        })
        {
            Refused(await Assert.ThrowsAsync<BackupException>(() => ChangeAsync(less)));
        }

        VaultSettings changed = await (await _backups.OpenAsync()).Vault.ChangeSettingsAsync(
            _backups.Owner.Key, settings => settings with { Approvers = [] }, Cancel, new Consent(
                null, (await ApproveAsync(GuardedOperation.ChangeProtection)).Code));
        Assert.Empty(changed.Approvers!);
        await ChangeAsync(settings => settings with { UndeleteDays = 14 });
    }

    [Fact]
    public async Task An_approvers_file_approves_and_is_no_owners()
    {
        using var folder = new TempFolder();
        RecoveryPoint[] points = await MakeAsync();
        UnlockedVault vault = await _backups.OpenAsync();
        OwnerIdentity made = vault.Vault.CreateApprover(folder["bob"], "the passphrase of bob");
        Refused(await Assert.ThrowsAsync<BackupException>(() => vault.Vault.ApproveAsync(folder["bob"], "the passphrase of bob", GuardedOperation.DeletePoints, null, Cancel)));
        string change = (await ApproveAsync(GuardedOperation.ChangeProtection)).Code;
        await vault.Vault.ChangeSettingsAsync(
            _backups.Owner.Key, settings => settings with { Approvers = [made.PublicKey] }, Cancel, new Consent(null, change));

        IssuedConsent given = await vault.Vault.ApproveAsync(folder["bob"], "the passphrase of bob", GuardedOperation.DeletePoints, null, Cancel);

        await vault.Deletions.DeleteAsync(points[0], "", Cancel, new Consent(null, given.Code));
        Assert.Equal(
            BackupErrorId.OwnerForeign, (await Assert.ThrowsAsync<BackupException>(() => vault.Vault.IssuePinAsync(folder["bob"], "the passphrase of bob", Cancel))).Id);
        Refused(await Assert.ThrowsAsync<BackupException>(() => ApproveAsync(GuardedOperation.DeletePoints)));
    }

    private async Task<RecoveryPoint[]> MakeAsync()
    {
        var points = new List<RecoveryPoint>();
        for (int i = 0; i < 3; i++)
        {
            _backups.Tree.File($"{i}", [(byte)i]);
            points.Add((await _backups.BackUpAsync()).Point);
        }

        await ChangeAsync(settings => settings with { Approvers = [_approver.Identity.PublicKey] });
        return [.. points];
    }

    private async Task<VaultSettings> ChangeAsync(Func<VaultSettings, VaultSettings> change) =>
        await TestVault.ChangeSettingsAsync(_backups.Objects, _backups.Owner.Key, change, Cancel);

    private async Task<IssuedConsent> ApproveAsync(GuardedOperation operation) =>
        await (await _backups.OpenAsync()).Vault.Guard.ApproveAsync(_approver, operation, VaultGuard.ApprovalValidity, Cancel);

    private static void Refused(BackupException error) => Assert.Equal(BackupErrorId.ApprovalRejected, error.Id);
}
