using MSOnlineBackup.Engine.Tests.Backup;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Protection;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Verification;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Backup.BackupFixture;

namespace MSOnlineBackup.Engine.Tests.Protection;

/// <summary>Once the vault asks for it, what destroys needs a PIN that only its owner gives out: for five minutes, once.</summary>
public sealed class SecurityPinTests : IDisposable
{
    private readonly BackupFixture _backups = new();

    public void Dispose() => _backups.Dispose();

    [Fact]
    public async Task Without_a_pin_nothing_is_destroyed_and_with_it_once()
    {
        RecoveryPoint[] points = await MakeAsync(3);
        UnlockedVault vault = await _backups.OpenAsync();
        string code = (await PinAsync()).Code;
        int objects = _backups.Objects.Names.Count;

        foreach (Consent? none in new[] { null, new Consent(null), new Consent(""), new Consent("1234-5678"), new Consent("nonsense") })
        {
            Refused(await Assert.ThrowsAsync<BackupException>(() => vault.Deletions.DeleteAsync(points[0], "", Cancel, none)));
            Refused(await Assert.ThrowsAsync<BackupException>(() => vault.Deletions.DeleteMachineAsync(BackupFixture.Machine, "", Cancel, none)));
            Refused(await Assert.ThrowsAsync<BackupException>(() => vault.RemoveKeyAsync(vault.Key.KeyId, Cancel, none)));
            Refused(await Assert.ThrowsAsync<BackupException>(() => vault.ChangeKeyAsync("another passphrase for tests", Cancel, none)));
        }

        Assert.Equal(objects, _backups.Objects.Names.Count);
        await vault.Deletions.DeleteAsync(points[0], "", Cancel, new Consent(code.ToLowerInvariant().Replace("-", " ", StringComparison.Ordinal)));
        Assert.Equal(2, (await vault.ListPointsAsync(null, Cancel)).Count);
        BackupException again = await Assert.ThrowsAsync<BackupException>(() => vault.Deletions.DeleteAsync(points[1], "", Cancel, new Consent(code)));
        Refused(again);
        Assert.Contains("used already", again.Message, StringComparison.Ordinal);
        Assert.Empty((await _backups.VerifyAsync(VerifyLevel.Structure)).Findings);
    }

    [Fact]
    public async Task One_pin_is_for_one_operation_however_many_points_that_deletes()
    {
        RecoveryPoint[] points = await MakeAsync(4);
        UnlockedVault vault = await _backups.OpenAsync();

        await vault.Deletions.DeleteManyAsync(points[..3], "", evenNewest: false, Cancel, new Consent((await PinAsync()).Code));

        Assert.Single(await vault.ListPointsAsync(null, Cancel));
        await vault.ChangeKeyAsync("another passphrase for tests", Cancel, new Consent((await PinAsync()).Code));
        Assert.Single(await vault.ListKeysAsync(Cancel));
    }

    [Theory]
    [InlineData(300, true)]
    [InlineData(301, false)]
    public async Task It_is_good_for_five_minutes_by_the_clock_of_the_store(int seconds, bool isGood)
    {
        RecoveryPoint[] points = await MakeAsync(2);
        IssuedConsent pin = await PinAsync();
        Assert.Equal(_backups.Clock.GetUtcNow().AddMinutes(5), pin.ValidUntil);
        _backups.Clock.Advance(TimeSpan.FromSeconds(seconds));

        // A machine whose own clock stands still.
        UnlockedVault vault = await TestVault.UnlockAsync(
            _backups.Objects, BackupFixture.Passphrase, _backups.Options with { TimeProvider = new FakeClock(pin.ValidUntil.AddMinutes(-5)) }, Cancel);
        if (isGood)
        {
            await vault.Deletions.DeleteAsync(points[0], "", Cancel, new Consent(pin.Code));
            return;
        }

        BackupException error = await Assert.ThrowsAsync<BackupException>(() => vault.Deletions.DeleteAsync(points[0], "", Cancel, new Consent(pin.Code)));
        Refused(error);
        Assert.Contains("expired", error.Message, StringComparison.Ordinal);
        Assert.Equal(2, (await vault.ListPointsAsync(null, Cancel)).Count);
    }

    [Fact]
    public async Task What_somebody_else_gives_out_is_none_and_stands_in_nobodys_way()
    {
        RecoveryPoint[] points = await MakeAsync(2);
        UnlockedVault vault = await _backups.OpenAsync();
        using var stranger = OwnerKey.Create();
        VaultHeader header = await VaultHeader.ReadAsync(_backups.Objects, Cancel);
        KnownVault known = TestVault.Of(_backups.Objects, header, _backups.Clock);
        IssuedConsent forged =
            await new ConsentRegister(known, [stranger.Identity], ConsentRecord.Pin).IssueAsync(stranger, null, TimeSpan.FromMinutes(5), Cancel);
        Assert.Equal(BackupErrorId.OwnerForeign, (await Assert.ThrowsAsync<BackupException>(() => vault.Vault.Guard.IssuePinAsync(stranger, Cancel))).Id);

        Refused(await Assert.ThrowsAsync<BackupException>(() => vault.Deletions.DeleteAsync(points[0], "", Cancel, new Consent(forged.Code))));

        await vault.Deletions.DeleteAsync(points[0], "", Cancel, new Consent((await PinAsync()).Code));
    }

    [Fact]
    public async Task A_record_of_a_pin_that_was_moved_to_another_number_or_vault_is_none()
    {
        RecoveryPoint[] points = await MakeAsync(2);
        UnlockedVault vault = await _backups.OpenAsync();
        string code = (await PinAsync()).Code;
        await vault.Deletions.DeleteAsync(points[0], "", Cancel, new Consent(code));

        // As if it had never been used.
        _backups.Objects.SetContent("consents/00000002", _backups.Objects.GetContent("consents/00000001"));

        Refused(await Assert.ThrowsAsync<BackupException>(() => vault.Deletions.DeleteMachineAsync(BackupFixture.Machine, "", Cancel, new Consent(code))));
    }

    [Fact]
    public async Task Of_two_at_once_one_has_it()
    {
        RecoveryPoint[] points = await MakeAsync(4);
        var consent = new Consent((await PinAsync()).Code);

        BackupException?[] failures = await Task.WhenAll(points[..3].Select(async point =>
        {
            try
            {
                await (await _backups.OpenAsync()).Deletions.DeleteAsync(point, "", Cancel, consent);
                return null;
            }
            catch (BackupException e)
            {
                return e;
            }
        }));

        Assert.Single(failures, failure => failure is null);
        Assert.All(failures.OfType<BackupException>(), Refused);
        Assert.Equal(3, (await (await _backups.OpenAsync()).ListPointsAsync(null, Cancel)).Count);
    }

    [Fact]
    public async Task A_refusal_for_another_reason_uses_up_none()
    {
        RecoveryPoint[] points = await MakeAsync(2);
        UnlockedVault vault = await _backups.OpenAsync();
        var consent = new Consent((await PinAsync()).Code);

        Assert.Equal(
            BackupErrorId.RecoveryPointIsNewest,
            (await Assert.ThrowsAsync<BackupException>(() => vault.Deletions.DeleteAsync(points[1], "", Cancel, consent))).Id);
        Assert.Equal(BackupErrorId.PassphraseInvalid, (await Assert.ThrowsAsync<BackupException>(() => vault.ChangeKeyAsync("short", Cancel, consent))).Id);

        await vault.Deletions.DeleteAsync(points[0], "", Cancel, consent);
    }

    [Fact]
    public async Task Settings_that_cannot_be_read_let_nothing_be_destroyed()
    {
        RecoveryPoint[] points = await MakeAsync(2);
        _backups.Objects.Damage("settings/00000001", content => [.. content[..^3], 0x41, 0x41, 0x0a]);
        _backups.Objects.Damage("settings/00000001.copy", content => [.. content[..^3], 0x41, 0x41, 0x0a]);

        Assert.Equal(
            BackupErrorId.VaultDataCorrupt,
            (await Assert.ThrowsAsync<BackupException>(async () => await (await _backups.OpenAsync()).Deletions.DeleteAsync(points[0], "", Cancel))).Id);
    }

    [Theory]
    [InlineData("AB12-CD34", "AB12CD34")]
    [InlineData("ab12 cd34", "AB12CD34")]
    [InlineData("oIlO1000", "01101000")]
    [InlineData("AB12CD3", null)]
    [InlineData("AB12CD345", null)]
    [InlineData("AB12CD3U", null)]
    [InlineData("ÄB12CD34", null)]
    public void It_is_typed_as_people_type(string typed, string? code) => Assert.Equal(code, ConsentCode.Normalize(typed));

    private async Task<RecoveryPoint[]> MakeAsync(int count)
    {
        var points = new List<RecoveryPoint>();
        for (int i = 0; i < count; i++)
        {
            _backups.Tree.File($"{i}", [(byte)i]);
            points.Add((await _backups.BackUpAsync()).Point);
        }

        await (await _backups.OpenAsync()).Vault.ChangeSettingsAsync(_backups.Owner.Key, settings => settings with { RequiresPin = true }, Cancel);
        return [.. points];
    }

    private async Task<IssuedConsent> PinAsync() => await (await _backups.OpenAsync()).Vault.Guard.IssuePinAsync(_backups.Owner.Key, Cancel);

    private static void Refused(BackupException error) => Assert.Equal((BackupErrorId.SecurityPinRejected, "100130"), (error.Id, error.ErrorCode));
}
