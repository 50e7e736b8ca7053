using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Keys;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Storage;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Vaults.TestStores;

namespace MSOnlineBackup.Engine.Tests.Vaults;

public class VaultEntranceTests
{
    private const string First = "the first passphrase";
    private const string Second = "the second passphrase";

    private readonly MemoryVaultStore _objects = new();
    private readonly VaultEntrance _entrance;

    public VaultEntranceTests() => _entrance = EntranceOf(_objects);

    [Fact]
    public async Task The_fiftieth_machine_comes_in_and_the_next_one_when_another_has_left()
    {
        await FillAsync();

        BackupException fault = await Assert.ThrowsAsync<BackupException>(() => EnterAsync("one more", First));

        Assert.Equal((BackupErrorId.MachineLimitReached, "403"), (fault.Id, fault.ErrorCode));
        await EnterAsync("MACHINE 50", First);
        await new MachineDirectory(TestVault.Of(_objects, Header)).LeaveAsync(Owner, "machine 7", DateTimeOffset.UnixEpoch, Cancel);
        await EnterAsync("one more", First);
        Assert.Equal(BackupErrorId.MachineLimitReached, (await Assert.ThrowsAsync<BackupException>(() => EnterAsync("machine 7", First))).Id);
    }

    [Fact]
    public async Task The_owner_of_a_vault_says_how_many_machines_it_takes()
    {
        await FillAsync();
        VaultSettingsRegister settings = new VaultSettingsRegister(TestVault.Of(_objects, Header));

        await settings.ChangeAsync(Owner, known => known with { MachineLimit = 51 }, Cancel);
        await EnterAsync("machine 51", First);
        await settings.ChangeAsync(Owner, known => known with { MachineLimit = 1 }, Cancel);

        Assert.Contains("has 1 machines", (await Assert.ThrowsAsync<BackupException>(() => EnterAsync("machine 52", First))).Message, StringComparison.Ordinal);
        await EnterAsync("machine 51", First);
    }

    [Fact]
    public async Task Nobody_new_comes_in_while_the_settings_are_damaged()
    {
        await EnterAsync("server", First);
        _objects.SetContent("settings/00000001", "{"u8.ToArray());

        Assert.Equal(BackupErrorId.VaultDataCorrupt, (await Assert.ThrowsAsync<BackupException>(() => EnterAsync("another", First))).Id);
        await EnterAsync("server", First);
    }

    [Fact]
    public async Task A_machine_that_comes_back_gets_the_store_with_its_points_though_its_passphrase_opens_another_too()
    {
        UnlockedKey server = await EnterAsync("server", First);
        UnlockedKey other = await EnterAsync("other", Second);
        await PlantAsync(other, First);
        await PlantAsync(server, Second);

        foreach ((string name, UnlockedKey key) in new[] { ("server", server), ("other", other) })
        {
            await new MachineDirectory(TestVault.Of(_objects, Header)).LeaveAsync(Owner, name, DateTimeOffset.UnixEpoch, Cancel);
            Assert.Equal(key.StoreId, (await EnterAsync(name, First)).StoreId);
        }
    }

    [Fact]
    public async Task A_name_belongs_to_the_passphrase_that_came_first()
    {
        UnlockedKey first = await EnterAsync("server", First);

        Assert.Equal(BackupErrorId.MachineNameTaken, (await Assert.ThrowsAsync<BackupException>(() => EnterAsync("SERVER", Second))).Id);

        Assert.Equal(first.StoreId, (await EnterAsync("Server", First)).StoreId);
        Assert.NotEqual(first.StoreId, (await EnterAsync("other", Second)).StoreId);
    }

    [Fact]
    public async Task Of_two_who_claim_a_name_at_once_one_gets_it()
    {
        UnlockedKey[] keys = [await _entrance.UnlockAsync("server", First, Cancel), await _entrance.UnlockAsync("server", Second, Cancel)];

        Exception?[] outcomes = await Task.WhenAll(keys.Select(key => Record.ExceptionAsync(() => _entrance.ClaimAsync("server", key, Cancel)).AsTask()));

        BackupException fault = Assert.IsType<BackupException>(Assert.Single(outcomes.OfType<Exception>()));
        Assert.Equal(BackupErrorId.MachineNameTaken, fault.Id);
    }

    [Fact]
    public async Task A_damaged_slot_of_the_machine_is_no_wrong_passphrase()
    {
        UnlockedKey key = await EnterAsync("server", First);
        _objects.FlipBit(VaultLayout.Key(key.StoreId, key.KeyId), _objects.GetContent(VaultLayout.Key(key.StoreId, key.KeyId)).Length / 2);
        _objects.Remove(VaultLayout.CopyBeside(VaultLayout.Key(key.StoreId, key.KeyId)));

        BackupException fault = await Assert.ThrowsAsync<BackupException>(() => EnterAsync("server", First));

        Assert.Equal(BackupErrorId.KeySlotDamaged, fault.Id);
        Assert.Single(_objects.Names, name => name.StartsWith("machines/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_key_opens_the_engine_only_where_it_belongs()
    {
        var options = new VaultOptions { KeyDerivationIterations = 1 };
        await Vault.CreateNamedAsync(_objects, "Büro", options, Cancel);
        Assert.Equal("Büro", (await TestVault.InspectAsync(_objects, Cancel)).Name);
        VaultHeader header = await VaultHeader.ReadAsync(_objects, Cancel);
        UnlockedKey key = await new KeyRing(TestVault.Of(_objects, header)).CreateStoreAsync(First, Cancel);

        Assert.Equal(key.MasterKey, (await TestVault.UnlockAsync(_objects, key, options, Cancel)).Key.MasterKey);

        var foreign = new UnlockedKey(key.StoreId, key.KeyId, new byte[32]);
        BackupException fault = await Assert.ThrowsAsync<BackupException>(() => TestVault.UnlockAsync(_objects, foreign, options, Cancel));
        Assert.Equal((BackupErrorId.KeyFileInvalid, "34506"), (fault.Id, fault.ErrorCode));
        Assert.DoesNotContain(Convert.ToHexStringLower(key.MasterKey), key.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_is_a_store_s_own_where_a_slot_proves_it_whatever_others_prove()
    {
        KeyRing ring = new KeyRing(TestVault.Of(_objects, Header));
        UnlockedKey key = await ring.CreateStoreAsync(First, Cancel);
        var foreign = new UnlockedKey(key.StoreId, key.KeyId, new byte[32]);
        await ring.VerifyAsync(key, Cancel);
        Assert.Equal(BackupErrorId.KeyFileInvalid, (await Assert.ThrowsAsync<BackupException>(() => ring.VerifyAsync(foreign, Cancel))).Id);

        await ring.AddAsync(key.StoreId, foreign.MasterKey, "somebody else's passphrase", null, Cancel);

        await ring.VerifyAsync(key, Cancel);
    }

    [Theory]
    [InlineData("")]
    [InlineData("  ")]
    [InlineData("two\nlines")]
    public async Task What_is_no_name_makes_no_vault(string name)
    {
        BackupException fault = await Assert.ThrowsAsync<BackupException>(() => Vault.CreateNamedAsync(_objects, name, new VaultOptions(), Cancel));

        Assert.Equal(BackupErrorId.ArgumentInvalid, fault.Id);
        Assert.Empty(_objects.Names);
    }

    // As there may be from before passphrases came in an order.
    private async Task PlantAsync(UnlockedKey store, string passphrase)
    {
        var identity = new KeySlotIdentity(Header.VaultId, store.StoreId, new string('7', 32));
        KeySlot slot = KeySlot.Create(passphrase, store.MasterKey, identity, PassphraseDerivation.ByPbkdf2(1), null, DateTimeOffset.UnixEpoch);
        Assert.True(await _objects.TryCreateAsync(identity.Name, slot.Encode(), Cancel));
    }

    private static VaultEntrance EntranceOf(IVaultStore objects) => new VaultEntrance(TestVault.Of(objects, Header));

    private async Task FillAsync()
    {
        for (int i = 1; i <= 50; i++)
        {
            await EnterAsync($"machine {i}", First);
        }
    }

    private async Task<UnlockedKey> EnterAsync(string name, string passphrase)
    {
        UnlockedKey key = await _entrance.UnlockAsync(name, passphrase, Cancel);
        await _entrance.ClaimAsync(name, key, Cancel);
        return key;
    }
}
