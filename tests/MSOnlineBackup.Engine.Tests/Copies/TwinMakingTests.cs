using MSOnlineBackup.Engine.Tests.Backup;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Storage;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Backup.BackupFixture;

namespace MSOnlineBackup.Engine.Tests.Copies;

/// <summary>A twin has what opens and governs its vault, and no backups.</summary>
public sealed class TwinMakingTests : IDisposable
{
    private readonly TwinnedVault _vaults = new();

    public void Dispose() => _vaults.Dispose();

    [Fact]
    public async Task A_twin_has_ids_keys_owner_and_settings_of_its_vault_and_is_another_place()
    {
        await _vaults.Source.CreateAsync();
        await _vaults.Source.SetParityAsync(10);
        await _vaults.Source.BackUpAsync([1]);
        MemoryVaultStore twin = await _vaults.CreateTwinAsync(_vaults.Source.Objects);

        VaultHeader original = await VaultHeader.ReadAsync(_vaults.Source.Objects, Cancel);
        VaultHeader header = await VaultHeader.ReadAsync(twin, Cancel);
        Assert.Equal((original.VaultId, original.OwnerIdentity), (header.VaultId, header.OwnerIdentity));
        Assert.NotEqual(original.Copy, header.Copy);
        VaultInfo info = await TestVault.InspectAsync(twin, Cancel);
        Assert.Equal((0, 10), (info.Points, info.Settings.ParityPercent));
        Assert.Equal([BackupFixture.Machine], info.Machines);
        using UnlockedVault vault = await _vaults.Source.Backups.OpenAsync(_vaults.Source.Objects);
        using UnlockedVault opened = await _vaults.Source.Backups.OpenAsync(twin);
        Assert.Equal(vault.Key.StoreId, opened.Key.StoreId);
        Assert.Equal(vault.Key.MasterKey, opened.Key.MasterKey);
        Assert.NotEqual(vault.Vault.CopyId, opened.Vault.CopyId);

        // From here on each place has settings of its own, and one owner.
        await TestVault.ChangeSettingsAsync(twin, _vaults.Source.Backups.Owner.Key, settings => settings with { ParityPercent = 0 }, Cancel);
        Assert.Equal(0, (await TestVault.ReadSettingsAsync(twin, Cancel)).ParityPercent);
        Assert.Equal(10, (await TestVault.ReadSettingsAsync(_vaults.Source.Objects, Cancel)).ParityPercent);
    }

    [Theory]
    [InlineData(FaultTiming.BeforeEffect)]
    [InlineData(FaultTiming.AfterEffect)]
    public async Task Wherever_it_is_interrupted_doing_it_again_goes_on(FaultTiming timing)
    {
        await _vaults.Source.CreateAsync();
        await _vaults.Source.SetParityAsync(5);
        Vault original = await Vault.OpenAsync(_vaults.Source.Objects, _vaults.Source.Backups.Options, Cancel);
        bool wasDone = false;
        for (int at = 1; !wasDone; at++)
        {
            MemoryVaultStore place = _vaults.NewPlace();
            try
            {
                await Vault.CreateTwinAsync(new FaultyVaultStore(place) { FailAt = at, Timing = timing, Kind = FaultKind.ForGood }, original, Cancel);
                wasDone = true;
            }
            catch (BackupException e) when (e.Id == BackupErrorId.VaultUnreachable)
            {
                if (!place.Names.Contains(VaultLayout.Header))
                {
                    await Vault.CreateTwinAsync(place, original, Cancel);
                }
            }

            using UnlockedVault twin = await _vaults.Source.Backups.OpenAsync(place);
            Assert.Equal(5, (await twin.Vault.ReadSettingsAsync(Cancel)).ParityPercent);
        }
    }

    [Fact]
    public async Task A_folder_in_which_it_was_interrupted_is_taken_again_and_by_nothing_else()
    {
        await _vaults.Source.CreateAsync();
        await _vaults.Source.SetParityAsync(5);
        Vault original = await Vault.OpenAsync(_vaults.Source.Objects, _vaults.Source.Backups.Options, Cancel);
        using var folder = new TempFolder();
        var dying = new FaultyVaultStore(FolderVaultStore.Create(folder["twin"])) { FailAt = 1, Kind = FaultKind.ForGood, Counts = (call, name) => call == VaultCall.Create && name == VaultLayout.Header };
        await Assert.ThrowsAsync<BackupException>(() => Vault.CreateTwinAsync(dying, original, Cancel));
        Assert.True(Directory.Exists(folder["twin/settings"]));

        Assert.Equal(BackupErrorId.VaultExists, (await Assert.ThrowsAsync<BackupException>(() => Vault.CreateAsync(
            FolderVaultStore.Create(folder["twin"]), BackupFixture.Passphrase, _vaults.Source.Backups.Options, Cancel))).Id);
        Vault twin = await Vault.CreateTwinAsync(FolderVaultStore.Create(folder["twin"]), original, Cancel);

        Assert.Equal((original.VaultId, 5), (twin.VaultId, (await twin.ReadSettingsAsync(Cancel)).ParityPercent));
    }

    [Theory]
    [InlineData(VaultLayout.Header)]
    [InlineData("settings/00000009")]
    [InlineData("stranger.txt")]
    public async Task A_place_that_holds_something_else_is_refused(string name)
    {
        await _vaults.Source.CreateAsync();
        MemoryVaultStore place = _vaults.NewPlace();
        place.SetContent(name, [1, 2, 3]);

        BackupException e = await Assert.ThrowsAsync<BackupException>(async () => await Vault.CreateTwinAsync(
            place, await Vault.OpenAsync(_vaults.Source.Objects, _vaults.Source.Backups.Options, Cancel), Cancel));

        Assert.Equal(BackupErrorId.VaultExists, e.Id);
        Assert.Contains(name, e.Message, StringComparison.Ordinal);
        Assert.Equal([name], place.Names);
    }

    [Fact]
    public async Task A_vault_that_is_no_twin_is_refused_with_both_ids()
    {
        await _vaults.CreateAsync();
        await _vaults.Source.BackUpAsync([1]);
        using var other = new BackupFixture();
        using UnlockedVault vault = await _vaults.Source.Backups.OpenAsync();
        using UnlockedVault stranger = await other.OpenAsync();
        int before = other.Objects.Names.Count;

        BackupException e = await Assert.ThrowsAsync<BackupException>(() => vault.CopyToAsync(stranger, new(), new(), Cancel));

        Assert.Equal(BackupErrorId.VaultNotTwin, e.Id);
        Assert.Contains(vault.VaultId, e.Message, StringComparison.Ordinal);
        Assert.Contains(stranger.VaultId, e.Message, StringComparison.Ordinal);
        Assert.Equal(before, other.Objects.Names.Count);
        Assert.Equal(BackupErrorId.ArgumentInvalid, (await Assert.ThrowsAsync<BackupException>(() => vault.CopyToAsync(vault, new(), new(), Cancel))).Id);
    }

    [Fact]
    public async Task Nothing_is_copied_to_a_place_whose_subscription_has_expired()
    {
        await _vaults.CreateAsync();
        await _vaults.Source.BackUpAsync([1]);
        await TestVault.ChangeSettingsAsync(_vaults.Twin, _vaults.Source.Backups.Owner.Key, settings => settings with { Subscription = VaultSubscription.Expired }, Cancel);

        Assert.Equal(BackupErrorId.SubscriptionExpired, (await Assert.ThrowsAsync<BackupException>(() => _vaults.CopyAsync())).Id);

        Assert.Empty(TwinnedVault.Names(_vaults.Twin, StoredKind.Pack));
        Assert.Single(TwinnedVault.Names(_vaults.Twin, StoredKind.SessionEnd));
    }
}
