using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using Xunit;
using static MSOnlineBackup.Storage.Azure.Tests.KeyVault.KeyVaultClients;

namespace MSOnlineBackup.Storage.Azure.Tests.KeyVault;

/// <summary>A vault that a key in Key Vault opens.</summary>
public class KeyVaultSlotTests
{
    private const string Passphrase = "a passphrase for tests";

    private readonly MemoryVaultStore _vault = new();

    [Fact]
    public async Task A_vault_opens_by_the_Key_Vault_s_consent_and_not_without()
    {
        await using var server = new KeyVaultServer();
        server.AddKey("wrapping");
        UnlockedVault engine = await CreateAsync();
        KeySlotInfo added = await engine.AddKeyAsync(server.Key(), "by the company's key", Cancel);

        UnlockedVault opened = await TestVault.UnlockAsync(_vault, server.Key(), new VaultOptions(), Cancel);

        Assert.Equal((engine.Key.StoreId, added.KeyId), (opened.Key.StoreId, opened.Key.KeyId));
        Assert.Equal(("azure-key-vault", "by the company's key"), (added.Kind, added.Label));
        Assert.StartsWith($"{KeyVaultServer.Uri}keys/wrapping/", added.KeyVaultKey, StringComparison.Ordinal);

        server.Permissions.Remove("keys/unwrapKey");
        await FailsAsync(BackupErrorId.KeyVaultAccessDenied, "391225", () => TestVault.UnlockAsync(_vault, server.Key(), new VaultOptions(), Cancel));
        Assert.Equal(engine.Key.StoreId, (await TestVault.UnlockAsync(_vault, Passphrase, new VaultOptions(), Cancel)).Key.StoreId);
    }

    [Fact]
    public async Task Rotation_writes_one_slot_and_removes_the_old()
    {
        await using var server = new KeyVaultServer();
        KeyVaultServer.Key first = server.AddKey("wrapping");
        await (await CreateAsync()).AddKeyAsync(server.Key(), null, Cancel);
        string[] before = Slots();
        KeyVaultServer.Key second = server.AddKey("wrapping");

        UnlockedVault engine = await TestVault.UnlockAsync(_vault, server.Key(), new VaultOptions(), Cancel);
        KeySlotInfo changed = await engine.ChangeKeyAsync(server.Key(), Cancel);
        first.IsEnabled = false;

        Assert.EndsWith(second.Version, changed.KeyVaultKey, StringComparison.Ordinal);
        Assert.Equal(before.Length, Slots().Length);
        Assert.Single(Slots().Except(before));
        Assert.Equal(changed.KeyId, (await TestVault.UnlockAsync(_vault, server.Key(), new VaultOptions(), Cancel)).Key.KeyId);

        // Copies and marks of removal have a suffix.
        string[] Slots() => [.. _vault.Names.Where(name => name.StartsWith("keys/", StringComparison.Ordinal) && !name.Contains("/order/", StringComparison.Ordinal) && !name.Contains('.'))];
    }

    [Fact]
    public async Task A_disabled_version_does_not_keep_the_slot_of_another_from_opening()
    {
        await using var server = new KeyVaultServer();
        KeyVaultServer.Key first = server.AddKey("wrapping");
        UnlockedVault engine = await CreateAsync();
        await engine.AddKeyAsync(server.Key(), null, Cancel);
        server.AddKey("wrapping");
        KeySlotInfo second = await engine.AddKeyAsync(server.Key(), null, Cancel);
        first.IsEnabled = false;

        Assert.Equal(second.KeyId, (await TestVault.UnlockAsync(_vault, server.Key(), new VaultOptions(), Cancel)).Key.KeyId);

        await engine.RemoveKeyAsync(second.KeyId, Cancel);
        await FailsAsync(BackupErrorId.KeyVaultKeyUnusable, null, () => TestVault.UnlockAsync(_vault, server.Key(), new VaultOptions(), Cancel));
    }

    [Fact]
    public async Task A_key_that_may_not_unwrap_gets_no_slot()
    {
        await using var server = new KeyVaultServer();
        server.AddKey("wrapping");
        server.Permissions.Remove("keys/unwrapKey");
        UnlockedVault engine = await CreateAsync();
        string[] before = [.. _vault.Names];

        await FailsAsync(BackupErrorId.KeyVaultAccessDenied, "391225", () => engine.AddKeyAsync(server.Key(), null, Cancel));

        Assert.Equal(before, _vault.Names);
    }

    private async Task<UnlockedVault> CreateAsync()
    {
        await Vault.CreateAsync(_vault, Passphrase, new VaultOptions(), Cancel);
        return await TestVault.UnlockAsync(_vault, Passphrase, new VaultOptions(), Cancel);
    }
}
