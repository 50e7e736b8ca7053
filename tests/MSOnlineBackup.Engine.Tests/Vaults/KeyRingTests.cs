using System.Globalization;
using MSOnlineBackup.Engine.Tests.Cryptography;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Keys;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Stores;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Vaults.TestStores;

namespace MSOnlineBackup.Engine.Tests.Vaults;

public class KeyRingTests
{
    private const string First = "the first passphrase";
    private const string Second = "the second passphrase";

    private readonly MemoryVaultStore _objects = new();
    private readonly KeyRing _ring;

    public KeyRingTests() => _ring = new KeyRing(TestVault.Of(_objects, Header, new FakeClock(), 10));

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
        Damage(VaultLayout.CopyBeside(VaultLayout.Key(made.StoreId, made.KeyId)), damage);

        Assert.Equal(second, (await _ring.UnlockAsync(Second, Cancel)).KeyId);
        Assert.Equal(expected, await UnlockFaultAsync(First));
        IReadOnlyList<(string KeyId, KeySlot? Slot)> slots = await _ring.ListAsync(made.StoreId, Cancel);
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
        var watched = new WatchedVaultStore(_objects, _ => { }, name => name == VaultLayout.Key(made.StoreId, made.KeyId) ? _ring.RemoveAsync(made.StoreId, second, Cancel) : Task.CompletedTask);
        KeyRing slower = new KeyRing(TestVault.Of(watched, Header, new FakeClock(), 10));

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
        _objects.Remove(VaultLayout.CopyBeside(VaultLayout.Key(one.StoreId, one.KeyId)));

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

    [Fact]
    public async Task The_slot_of_another_vault_is_told_as_such_and_hides_no_other()
    {
        KeyRing other = new KeyRing(TestVault.Of(_objects, Header with { VaultId = new string('9', 32) }, new FakeClock(), 10));
        await other.CreateStoreAsync(First, Cancel);
        UnlockedKey made = await _ring.CreateStoreAsync(Second, Cancel);

        BackupException fault = await Assert.ThrowsAsync<BackupException>(() => _ring.UnlockAsync(First, Cancel));

        Assert.Equal(BackupErrorId.KeySlotDamaged, fault.Id);
        Assert.Contains(new string('9', 32), fault.Message, StringComparison.Ordinal);
        Assert.Contains(Header.VaultId, fault.Message, StringComparison.Ordinal);
        Assert.Equal(made.KeyId, (await _ring.UnlockAsync(Second, Cancel)).KeyId);
    }

    [Fact]
    public async Task A_slot_that_costs_much_is_tried_after_those_that_cost_little()
    {
        UnlockedKey made = await _ring.CreateStoreAsync(First, Cancel);
        string costly = new('0', 32);
        KeySlot slot = KeySlot.Create(
            First, made.MasterKey, new KeySlotIdentity(Header.VaultId, made.StoreId, costly), PassphraseDerivation.ByPbkdf2(11), null, DateTimeOffset.UnixEpoch);
        await _objects.TryCreateAsync(VaultLayout.Key(made.StoreId, costly), slot.Encode(), Cancel);

        Assert.Equal(made.KeyId, (await _ring.UnlockAsync(First, Cancel)).KeyId);
    }

    [Fact]
    public async Task What_a_passphrase_is_tried_on_is_bounded_in_number_and_what_is_left_out_is_said()
    {
        UnlockedKey made = await _ring.CreateStoreAsync(First, Cancel);
        for (int i = 0; i < KeyRing.MaxTried + 7; i++)
        {
            await PlantAsync(made, i.ToString("x32", CultureInfo.InvariantCulture), PassphraseDerivation.ByPbkdf2(1));
        }

        BackupException fault = await Assert.ThrowsAsync<BackupException>(() => _ring.UnlockAsync(First, Cancel));

        Assert.Equal(BackupErrorId.KeySlotsNotTried, fault.Id);
        Assert.Contains("8 were left out", fault.Message, StringComparison.Ordinal);
        Assert.Equal(made.KeyId, (await Ring(everySlot: true).UnlockAsync(First, Cancel)).KeyId);
        BackupException finding = Assert.Single(await KeyRing.CheckAsync(_objects, Header, null, Cancel));
        Assert.Equal((BackupErrorId.KeySlotsNotTried, "keys/"), (finding.Id, finding.Target));
    }

    [Fact]
    public async Task What_a_passphrase_is_tried_on_is_bounded_in_cost()
    {
        UnlockedKey made = await _ring.CreateStoreAsync(First, Cancel);
        for (int i = 0; i < 8; i++)
        {
            await PlantAsync(made, i.ToString("x32", CultureInfo.InvariantCulture), PassphraseDerivation.ByPbkdf2((int)PassphraseDerivation.MaxWork));
        }

        Assert.Equal(BackupErrorId.KeySlotsNotTried, Assert.Single(await KeyRing.CheckAsync(_objects, Header, null, Cancel)).Id);
        Assert.InRange(KeyRing.MaxWork / PassphraseDerivation.MaxWork, 1, 6);
        Assert.Equal(made.KeyId, (await _ring.UnlockAsync(First, Cancel)).KeyId);
    }

    [Fact]
    public async Task Of_two_stores_that_a_passphrase_opens_the_first_by_cost_and_name_is_taken()
    {
        UnlockedKey one = await _ring.CreateStoreAsync(First, Cancel);
        UnlockedKey other = await _ring.CreateStoreAsync(First, Cancel);
        UnlockedKey cheaper = await new KeyRing(TestVault.Of(_objects, Header, new FakeClock(), 9)).CreateStoreAsync(Second, Cancel);
        await new KeyRing(TestVault.Of(_objects, Header, new FakeClock(), 11)).CreateStoreAsync(Second, Cancel);

        StoreId first = string.CompareOrdinal($"{one.StoreId}", $"{other.StoreId}") < 0 ? one.StoreId : other.StoreId;
        Assert.Equal(first, (await _ring.UnlockAsync(First, Cancel)).StoreId);
        Assert.Equal(cheaper.StoreId, (await _ring.UnlockAsync(Second, Cancel)).StoreId);
    }

    [Fact]
    public async Task Every_damaged_slot_is_found_and_a_sound_ring_has_no_fault()
    {
        UnlockedKey made = await _ring.CreateStoreAsync(First, Cancel);
        string second = await _ring.AddAsync(made.StoreId, made.MasterKey, Second, null, Cancel);
        ChunkStore opened = TestVault.StoreOf(_objects, Header, made.StoreId, made.MasterKey);
        Assert.Empty(await KeyRing.CheckAsync(_objects, Header, opened.Keys, Cancel));
        string name = VaultLayout.Key(made.StoreId, second);
        byte[] sound = _objects.GetContent(name);
        for (int at = 0; at < sound.Length; at++)
        {
            _objects.SetContent(name, [.. sound[..at], (byte)(sound[at] ^ 1), .. sound[(at + 1)..]]);

            Assert.Equal(name, Assert.Single(await KeyRing.CheckAsync(_objects, Header, opened.Keys, Cancel)).Target);
        }

        _objects.SetContent(name, sound);
        await PlantAsync(made with { KeyId = "x" }, new string('7', 32), PassphraseDerivation.ByPbkdf2(1));
        Assert.Equal(VaultLayout.Key(made.StoreId, new string('7', 32)), Assert.Single(await KeyRing.CheckAsync(_objects, Header, opened.Keys, Cancel)).Target);
        Assert.Empty(await KeyRing.CheckAsync(_objects, header: null, opened: null, Cancel));
    }

    // As whoever may write to the vault can.
    private async Task PlantAsync(UnlockedKey store, string keyId, PassphraseDerivation derivation)
    {
        var identity = new KeySlotIdentity(Header.VaultId, store.StoreId, keyId.PadLeft(32, '0'));
        KeySlot slot =
            KeySlot.Create("somebody else's passphrase", TestKeys.Bytes(66, 32), identity, PassphraseDerivation.ByPbkdf2(1), null, DateTimeOffset.UnixEpoch);
        bool argon = derivation.Method == PassphraseDerivation.Argon2id;
        slot = slot with
        {
            Kdf = derivation.Method,
            Iterations = argon ? null : derivation.Iterations,
            MemoryKiB = argon ? derivation.MemoryKiB : null,
            Passes = argon ? derivation.Passes : null,
            Salt = TestKeys.Bytes(1, derivation.SaltLength),
        };
        await _objects.TryCreateAsync(VaultLayout.Key(store.StoreId, identity.KeyId), slot.Encode(), Cancel);
    }

    private KeyRing Ring(bool everySlot) =>
        new KeyRing(
            new KnownVault(_objects, Header, new VaultOptions { TimeProvider = new FakeClock(), KeyDerivationIterations = 10, TriesEveryKeySlot = everySlot }));

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
                _objects.SetContent(name, KeySlotTests.With(KeySlot.Decode(_objects.GetContent(name), StoreId.Parse(name.Split('/')[1]), VaultLayout.FirstOf(name).Split('/')[2]), "kind", "\"face\""));
                break;
        }
    }

    private async Task<BackupErrorId> UnlockFaultAsync(string passphrase) =>
        (await Assert.ThrowsAsync<BackupException>(() => _ring.UnlockAsync(passphrase, Cancel))).Id;

    private async Task<BackupErrorId> RemoveFaultAsync(StoreId storeId, string keyId) =>
        (await Assert.ThrowsAsync<BackupException>(() => _ring.RemoveAsync(storeId, keyId, Cancel))).Id;
}
