using MSOnlineBackup.Engine.Errors;
using MSOnlineBackup.Engine.Tests.Cryptography;
using MSOnlineBackup.Engine.Vaults;
using MSOnlineBackup.Testing;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Vaults.TestStores;

namespace MSOnlineBackup.Engine.Tests.Vaults;

public class KeyRingTests
{
    private const string First = "the first passphrase";
    private const string Second = "the second passphrase";

    private readonly MemoryVaultStore _objects = new();
    private readonly KeyRing _ring;

    public KeyRingTests() => _ring = new KeyRing(_objects, Header, new FakeClock(), iterations: 10);

    [Fact]
    public async Task Every_slot_opens_the_same_store_with_the_same_key()
    {
        UnlockedKey made = await _ring.CreateStoreAsync(First, Cancel);
        string second = await _ring.AddAsync(made.StoreId, made.MasterKey, Second, "spare", Cancel);

        UnlockedKey byFirst = await _ring.UnlockAsync(First, Cancel);
        UnlockedKey bySecond = await _ring.UnlockAsync(Second, Cancel);

        Assert.Equal((made.StoreId, made.KeyId), (byFirst.StoreId, byFirst.KeyId));
        Assert.Equal((made.StoreId, second), (bySecond.StoreId, bySecond.KeyId));
        Assert.Equal(made.MasterKey, byFirst.MasterKey);
        Assert.Equal(made.MasterKey, bySecond.MasterKey);
    }

    [Fact]
    public async Task Of_two_stores_a_passphrase_opens_its_own()
    {
        UnlockedKey one = await _ring.CreateStoreAsync(First, Cancel);
        UnlockedKey other = await _ring.CreateStoreAsync(Second, Cancel);

        Assert.Equal(one.StoreId, (await _ring.UnlockAsync(First, Cancel)).StoreId);
        Assert.Equal(other.StoreId, (await _ring.UnlockAsync(Second, Cancel)).StoreId);
        Assert.NotEqual(one.MasterKey, other.MasterKey);
        Assert.Single(await _ring.ListAsync(one.StoreId, Cancel));
    }

    [Fact]
    public async Task A_wrong_passphrase_is_rejected_and_a_vault_without_slots_is_no_wrong_passphrase()
    {
        Assert.Equal(BackupErrorId.KeySlotNotFound, await UnlockFaultAsync(First));
        await _ring.CreateStoreAsync(First, Cancel);

        Assert.Equal(BackupErrorId.PassphraseRejected, await UnlockFaultAsync(Second));
    }

    [Theory]
    [InlineData("flip", BackupErrorId.KeySlotDamaged)]
    [InlineData("empty", BackupErrorId.KeySlotDamaged)]
    [InlineData("huge", BackupErrorId.VaultDataCorrupt)]
    [InlineData("newer", BackupErrorId.VaultFormatUnsupported)]
    public async Task A_slot_that_cannot_be_read_hides_no_other_and_is_told_where_none_opens(string damage, BackupErrorId expected)
    {
        UnlockedKey made = await _ring.CreateStoreAsync(First, Cancel);
        string second = await _ring.AddAsync(made.StoreId, made.MasterKey, Second, null, Cancel);
        Damage(VaultLayout.Key(made.StoreId, made.KeyId), damage);

        Assert.Equal(second, (await _ring.UnlockAsync(Second, Cancel)).KeyId);
        Assert.Equal(expected, await UnlockFaultAsync(First));
        IReadOnlyList<(string KeyId, Engine.Cryptography.KeySlot? Slot)> slots = await _ring.ListAsync(made.StoreId, Cancel);
        Assert.Equal([made.KeyId], slots.Where(slot => slot.Slot is null).Select(slot => slot.KeyId));

        // It opens nothing, so it may go; the sound one is the last.
        Assert.Equal(BackupErrorId.KeySlotIsLast, await RemoveFaultAsync(made.StoreId, second));
        await _ring.RemoveAsync(made.StoreId, made.KeyId, Cancel);
        Assert.Equal(second, (await _ring.UnlockAsync(Second, Cancel)).KeyId);
    }

    [Fact]
    public async Task A_removed_slot_opens_nothing_and_the_last_one_stays()
    {
        UnlockedKey made = await _ring.CreateStoreAsync(First, Cancel);
        string second = await _ring.AddAsync(made.StoreId, made.MasterKey, Second, null, Cancel);

        await _ring.RemoveAsync(made.StoreId, made.KeyId, Cancel);

        Assert.Equal(BackupErrorId.PassphraseRejected, await UnlockFaultAsync(First));
        Assert.Equal(BackupErrorId.KeySlotIsLast, await RemoveFaultAsync(made.StoreId, second));
        Assert.Equal(BackupErrorId.KeySlotNotFound, await RemoveFaultAsync(made.StoreId, made.KeyId));
        Assert.Equal(second, (await _ring.UnlockAsync(Second, Cancel)).KeyId);
    }

    [Fact]
    public async Task Of_two_who_remove_the_last_two_slots_at_once_one_is_refused_and_its_slot_stays()
    {
        UnlockedKey made = await _ring.CreateStoreAsync(First, Cancel);
        string second = await _ring.AddAsync(made.StoreId, made.MasterKey, Second, null, Cancel);
        var slower = new KeyRing(new WatchedVaultStore(_objects, _ => { }, _ => _ring.RemoveAsync(made.StoreId, second, Cancel)), Header, new FakeClock(), iterations: 10);

        BackupException fault = await Assert.ThrowsAsync<BackupException>(() => slower.RemoveAsync(made.StoreId, made.KeyId, Cancel));

        Assert.Equal(BackupErrorId.KeySlotIsLast, fault.Id);
        Assert.Equal(made.MasterKey, (await _ring.UnlockAsync(First, Cancel)).MasterKey);
    }

    [Fact]
    public async Task A_slot_of_another_store_does_not_count_as_one_that_is_left()
    {
        UnlockedKey one = await _ring.CreateStoreAsync(First, Cancel);
        await _ring.CreateStoreAsync(Second, Cancel);

        Assert.Equal(BackupErrorId.KeySlotIsLast, await RemoveFaultAsync(one.StoreId, one.KeyId));
    }

    [Fact]
    public async Task A_slot_copied_to_another_store_opens_nothing()
    {
        UnlockedKey one = await _ring.CreateStoreAsync(First, Cancel);
        UnlockedKey other = await _ring.CreateStoreAsync(Second, Cancel);
        _objects.SetContent(VaultLayout.Key(other.StoreId, one.KeyId), _objects.GetContent(VaultLayout.Key(one.StoreId, one.KeyId)));
        _objects.Remove(VaultLayout.Key(one.StoreId, one.KeyId));

        Assert.Equal(BackupErrorId.KeySlotDamaged, await UnlockFaultAsync(First));
    }

    [Fact]
    public async Task A_weak_new_passphrase_leaves_no_slot_behind()
    {
        BackupException fault = await Assert.ThrowsAsync<BackupException>(() => _ring.CreateStoreAsync("weak", Cancel));

        Assert.Equal(BackupErrorId.PassphraseInvalid, fault.Id);
        Assert.Empty(_objects.Names);
    }

    [Fact]
    public async Task Strange_files_among_the_slots_are_passed_over()
    {
        UnlockedKey made = await _ring.CreateStoreAsync(First, Cancel);
        _objects.SetContent("keys/readme.txt", [1]);
        _objects.SetContent(VaultLayout.Keys(made.StoreId) + "backup-of-key", [1]);
        _objects.SetContent(VaultLayout.Key(made.StoreId, made.KeyId) + "/x", [1]);

        Assert.Equal(made.KeyId, (await _ring.UnlockAsync(First, Cancel)).KeyId);
        Assert.Single(await _ring.ListAsync(made.StoreId, Cancel));
    }

    private void Damage(string name, string damage)
    {
        switch (damage)
        {
            case "flip":
                _objects.FlipBit(name, _objects.GetContent(name).AsSpan().IndexOf("\"wrapped\":\""u8) + 20);
                break;
            case "empty":
                _objects.SetContent(name, []);
                break;
            case "huge":
                _objects.SetContent(name, TestKeys.Bytes(1, 1 << 20));
                break;
            case "newer":
                _objects.FlipBit(name, _objects.GetContent(name).AsSpan().IndexOf("\"passphrase\""u8) + 1);
                break;
        }
    }

    private async Task<BackupErrorId> UnlockFaultAsync(string passphrase) =>
        (await Assert.ThrowsAsync<BackupException>(() => _ring.UnlockAsync(passphrase, Cancel))).Id;

    private async Task<BackupErrorId> RemoveFaultAsync(string storeId, string keyId) =>
        (await Assert.ThrowsAsync<BackupException>(() => _ring.RemoveAsync(storeId, keyId, Cancel))).Id;
}
