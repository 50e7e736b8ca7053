using System.Text;
using MSOnlineBackup.Engine.Tests.Cryptography;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Keys;
using MSOnlineBackup.Vaults.Layout;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Vaults.TestStores;

namespace MSOnlineBackup.Engine.Tests.Vaults;

/// <summary>Key slots of Key Vault keys beside those of passphrases.</summary>
public class KeyVaultRingTests
{
    private const string Passphrase = "the first passphrase";

    private readonly MemoryVaultStore _objects = new();
    private readonly RsaKey _key = RsaKey.Create();
    private readonly KeyRing _ring;

    public KeyVaultRingTests() => _ring = new KeyRing(TestVault.Of(_objects, Header, new FakeClock(), 10));

    [Fact]
    public async Task Both_open_the_same_store_and_neither_is_in_the_other_s_way()
    {
        UnlockedKey made = await _ring.CreateStoreAsync(Passphrase, Cancel);
        string added = await _ring.AddAsync(made.StoreId, made.MasterKey, _key, null, Cancel);

        UnlockedKey byKey = await _ring.UnlockAsync(_key, Cancel);

        Assert.Equal((made.StoreId, added), (byKey.StoreId, byKey.KeyId));
        Assert.Equal(made.MasterKey, byKey.MasterKey);
        Assert.Equal(made.KeyId, (await _ring.UnlockAsync(Passphrase, Cancel)).KeyId);
        Assert.Equal(BackupErrorId.PassphraseRejected, (await Assert.ThrowsAsync<BackupException>(() => _ring.UnlockAsync("a wrong passphrase", Cancel))).Id);
        await _ring.VerifyAsync(byKey, Cancel);
    }

    [Fact]
    public async Task A_key_without_a_slot_opens_nothing_and_is_asked_nothing()
    {
        UnlockedKey made = await _ring.CreateStoreAsync(Passphrase, Cancel);
        await _ring.AddAsync(made.StoreId, made.MasterKey, _key, null, Cancel);
        RsaKey other = RsaKey.CreateAnother("other");

        Assert.Equal(BackupErrorId.KeySlotNotFound, await FaultAsync(other));
        Assert.Equal(0, other.Unwraps);
    }

    [Fact]
    public async Task A_key_opens_one_store_only()
    {
        UnlockedKey one = await _ring.CreateStoreAsync(Passphrase, Cancel);
        UnlockedKey other = await _ring.CreateStoreAsync("the second passphrase", Cancel);
        await _ring.AddAsync(one.StoreId, one.MasterKey, _key, null, Cancel);

        BackupException fault = await Assert.ThrowsAsync<BackupException>(() => _ring.AddAsync(other.StoreId, other.MasterKey, _key, null, Cancel));

        Assert.Equal(BackupErrorId.KeyVaultKeyTaken, fault.Id);
        Assert.Single(await _ring.ListAsync(other.StoreId, Cancel));
    }

    [Fact]
    public async Task A_store_that_somebody_else_put_there_for_the_key_is_noticed()
    {
        UnlockedKey made = await _ring.CreateStoreAsync(Passphrase, Cancel);
        await PlantAsync(StoreId.Parse("eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"));
        await PlantAsync(StoreId.Parse("00000000000000000000000000000000"));
        await _ring.AddAsync(made.StoreId, made.MasterKey, RsaKey.CreateAnother("other"), null, Cancel);

        Assert.Equal(BackupErrorId.KeySlotContradicted, await FaultAsync(_key));
        Assert.Equal(made.StoreId, (await _ring.UnlockAsync(Passphrase, Cancel)).StoreId);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_slot_that_somebody_else_put_into_the_store_is_noticed(bool besideAnHonestOne)
    {
        UnlockedKey made = await _ring.CreateStoreAsync(Passphrase, Cancel);
        if (besideAnHonestOne)
        {
            await _ring.AddAsync(made.StoreId, made.MasterKey, _key, null, Cancel);
        }

        await PlantAsync(made.StoreId);

        Assert.Equal(BackupErrorId.KeySlotContradicted, await FaultAsync(_key));
        Assert.Equal(made.MasterKey, (await _ring.UnlockAsync(Passphrase, Cancel)).MasterKey);
    }

    [Fact]
    public async Task A_slot_of_a_kind_to_come_hides_no_other()
    {
        UnlockedKey made = await _ring.CreateStoreAsync(Passphrase, Cancel);
        await _ring.AddAsync(made.StoreId, made.MasterKey, _key, null, Cancel);
        string unknown = VaultLayout.Key(made.StoreId, new string('0', 32));
        await _objects.TryCreateAsync(unknown, CheckedJson.Complete(Encoding.UTF8.GetBytes("""{"format":1,"kind":"face","x":1""")), Cancel);

        Assert.Equal(made.KeyId, (await _ring.UnlockAsync(Passphrase, Cancel)).KeyId);
        Assert.Equal(made.StoreId, (await _ring.UnlockAsync(_key, Cancel)).StoreId);
        Assert.Equal(3, (await _ring.ListAsync(made.StoreId, Cancel)).Count);
    }

    [Fact]
    public async Task A_damaged_slot_of_the_key_is_told_where_no_other_opens()
    {
        UnlockedKey made = await _ring.CreateStoreAsync(Passphrase, Cancel);
        string added = await _ring.AddAsync(made.StoreId, made.MasterKey, _key, null, Cancel);
        await _ring.RemoveAsync(made.StoreId, made.KeyId, Cancel);
        RsaKey exchanged = RsaKey.CreateAnother();

        Assert.Equal(BackupErrorId.KeySlotDamaged, await FaultAsync(exchanged));
        Assert.Equal(BackupErrorId.KeySlotIsLast, (await Assert.ThrowsAsync<BackupException>(() => _ring.RemoveAsync(made.StoreId, added, Cancel))).Id);
    }

    // Whoever knows the public half can do this; the whole one is used here because a slot is checked when it is made.
    private async Task PlantAsync(StoreId storeId)
    {
        byte[] theirs = TestKeys.Bytes(66, 32);
        string keyId = new('9', 32);
        var slot = await KeySlot.CreateAsync(_key, theirs, new KeySlotIdentity(Header.VaultId, storeId, keyId), null, DateTimeOffset.UnixEpoch, Cancel);
        await _objects.TryCreateAsync(VaultLayout.Key(storeId, keyId), slot.Encode(), Cancel);
    }

    private async Task<BackupErrorId> FaultAsync(RsaKey key) => (await Assert.ThrowsAsync<BackupException>(() => _ring.UnlockAsync(key, Cancel))).Id;
}
