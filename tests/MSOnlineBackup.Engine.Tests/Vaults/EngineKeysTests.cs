using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Vaults.TestStores;

namespace MSOnlineBackup.Engine.Tests.Vaults;

public class EngineKeysTests
{
    private const string First = "the first passphrase";
    private const string Second = "the second passphrase";

    private static readonly VaultOptions _options = new() { KeyDerivationIterations = 10 };

    private readonly MemoryVaultStore _objects = new();

    [Fact]
    public async Task A_changed_passphrase_replaces_the_old_one_and_touches_no_data()
    {
        UnlockedVault engine = await CreateAsync();
        string[] before = [.. _objects.Names];

        KeySlotInfo changed = await engine.ChangeKeyAsync(Second, Cancel);

        Assert.True(changed.IsCurrent);
        Assert.Equal(BackupErrorId.PassphraseRejected, (await Assert.ThrowsAsync<BackupException>(() => OpenAsync(First))).Id);
        Assert.Equal(changed.KeyId, Assert.Single(await (await OpenAsync(Second)).ListKeysAsync(Cancel)).KeyId);
        Assert.Equal(
            before.Where(name => !name.StartsWith("keys/", StringComparison.Ordinal)),
            _objects.Names.Where(name => !name.StartsWith("keys/", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Where_the_old_key_slot_cannot_be_removed_that_both_open_the_vault_is_said()
    {
        await CreateAsync();
        var denied = new BackupException(BackupErrorId.VaultAccessDenied, "Nothing may be deleted.", "Ask the owner.");
        var objects = new WatchedVaultStore(_objects, _ => { }, _ => Task.FromException(denied));
        UnlockedVault engine = await TestVault.UnlockAsync(objects, First, _options, Cancel);
        string old = engine.Key.KeyId;

        BackupException error = await Assert.ThrowsAsync<BackupException>(() => engine.ChangeKeyAsync(Second, Cancel));

        Assert.Equal((BackupErrorId.VaultAccessDenied, old), (error.Id, error.Target));
        Assert.Contains("still does", error.Message, StringComparison.Ordinal);
        Assert.Contains($"key remove {old}", error.RecommendedAction, StringComparison.Ordinal);
        Assert.NotEqual((await OpenAsync(First)).Key.KeyId, (await OpenAsync(Second)).Key.KeyId);
    }

    [Fact]
    public async Task A_weak_new_passphrase_changes_nothing()
    {
        UnlockedVault engine = await CreateAsync();

        Assert.Equal(BackupErrorId.PassphraseInvalid, (await Assert.ThrowsAsync<BackupException>(() => engine.ChangeKeyAsync("weak", Cancel))).Id);

        await OpenAsync(First);
    }

    [Fact]
    public async Task A_key_is_removed_by_the_beginning_of_its_id_unless_it_is_the_last_or_unknown()
    {
        UnlockedVault engine = await CreateAsync();
        KeySlotInfo added = await engine.AddKeyAsync(Second, "spare", Cancel);
        Assert.Equal(("spare", false), (added.Label, added.IsCurrent));
        Assert.Equal(2, (await engine.ListKeysAsync(Cancel)).Count);

        await engine.RemoveKeyAsync(added.KeyId[..12], Cancel);

        Assert.Equal(BackupErrorId.KeySlotNotFound, (await Assert.ThrowsAsync<BackupException>(() => engine.RemoveKeyAsync(added.KeyId, Cancel))).Id);
        KeySlotInfo last = Assert.Single(await engine.ListKeysAsync(Cancel));
        Assert.Equal(BackupErrorId.KeySlotIsLast, (await Assert.ThrowsAsync<BackupException>(() => engine.RemoveKeyAsync(last.KeyId, Cancel))).Id);
        await OpenAsync(First);
    }

    [Fact]
    public async Task No_vault_is_made_in_a_vault()
    {
        await CreateAsync();

        Assert.Equal(BackupErrorId.VaultExists, (await Assert.ThrowsAsync<BackupException>(CreateAsync)).Id);
        await OpenAsync(First);
    }

    private async Task<UnlockedVault> CreateAsync()
    {
        await Vault.CreateAsync(_objects, First, _options, Cancel);
        return await OpenAsync(First);
    }

    private Task<UnlockedVault> OpenAsync(string passphrase) => TestVault.UnlockAsync(_objects, passphrase, _options, Cancel);
}
