using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Cryptography;

/// <summary>A key slot whose slot key a Key Vault key has wrapped.</summary>
public class KeyVaultSlotTests
{
    private static readonly KeySlotIdentity _identity =
        new("0123456789abcdef0123456789abcdef", StoreId.Parse("1123456789abcdef0123456789abcdef"), "2123456789abcdef0123456789abcdef");
    private static readonly byte[] _master = TestKeys.Bytes(7, StoreKeys.MasterKeyLength);

    private readonly RsaKey _key = RsaKey.Create();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_was_sealed_comes_back_and_no_passphrase_opens_it()
    {
        KeySlot slot = Decode((await CreateAsync()).Encode());

        Assert.Equal(_master, await slot.OpenAsync(_key, Cancel));
        Assert.True(slot.IsFor(_key));
        Assert.True(slot.Proves(_master));
        Assert.Null(slot.TryOpen("correct horse battery staple"));
        Assert.Equal(("azure-key-vault", "https://backups.vault.azure.net/keys/wrapping/1", "mine"), (slot.Kind, slot.KeyVaultKey, slot.Label));
    }

    [Fact]
    public async Task A_slot_is_for_its_key_in_any_version_and_for_no_key_whose_name_begins_alike()
    {
        KeySlot slot = await CreateAsync();

        Assert.False(slot.IsFor(RsaKey.Create("wrap")));
        Assert.False(slot.IsFor(RsaKey.Create("wrapping2")));
        Assert.True(slot.IsFor(RsaKey.Create("wrapping/1")));
        Assert.False(slot.IsFor(RsaKey.Create("wrapping/2")));
    }

    [Fact]
    public async Task The_master_key_never_goes_to_the_Key_Vault()
    {
        KeySlot slot = await CreateAsync();

        byte[]? unwrapped = await _key.UnwrapAsync(new WrappedKey(slot.KeyVaultKey!, slot.EncryptedKey!), Cancel);

        Assert.NotEqual(_master, unwrapped);
    }

    [Fact]
    public async Task A_slot_in_another_vault_store_or_place_is_refused()
    {
        KeySlot slot = await CreateAsync();
        string other = new('3', 32);

        Assert.Equal(
            BackupErrorId.KeySlotDamaged, Assert.Throws<BackupException>(() => KeySlot.Decode(slot.Encode(), StoreId.Parse(other), _identity.KeyId)).Id);
        Assert.Equal(BackupErrorId.KeySlotDamaged, Assert.Throws<BackupException>(() => KeySlot.Decode(slot.Encode(), _identity.StoreId, other)).Id);
        foreach (KeySlot forged in (KeySlot[])[slot with { VaultId = other }, slot with { StoreId = StoreId.Parse(other) }, slot with { KeyId = other }])
        {
            Assert.Equal(BackupErrorId.KeySlotDamaged, (await Assert.ThrowsAsync<BackupException>(() => forged.OpenAsync(_key, Cancel))).Id);
        }
    }

    [Theory]
    [InlineData("key", "\"\"")]
    [InlineData("key", "\"a\\nb\"")]
    [InlineData("key", "null")]
    [InlineData("encryptedKey", "\"\"")]
    [InlineData("encryptedKey", "null")]
    [InlineData("wrapped", "\"AAAA\"")]
    [InlineData("proof", "\"AAAA\"")]
    [InlineData("proof", "null")]
    public async Task A_field_that_nobody_writes_is_damage(string field, string value)
    {
        byte[] forged = KeySlotTests.With(await CreateAsync(), field, value);

        Assert.Equal(BackupErrorId.KeySlotDamaged, Assert.Throws<BackupException>(() => Decode(forged)).Id);
    }

    [Theory]
    [InlineData("label", "\"yours\"")]
    [InlineData("created", "\"2023-02-28T12:00:00Z\"")]
    [InlineData("key", "\"https://backups.vault.azure.net/keys/wrapping/2\"")]
    [InlineData("encryptedKey", "\"AAAA\"")]
    [InlineData("proof", "\"AAAAAAAAAAAAAAAAAAAAAA==\"")]
    public async Task What_the_checksum_alone_would_let_pass_the_seal_and_the_proof_refuse(string field, string value)
    {
        KeySlot forged = Decode(KeySlotTests.With(await CreateAsync(), field, value));

        Assert.Equal(BackupErrorId.KeySlotDamaged, (await Assert.ThrowsAsync<BackupException>(() => forged.OpenAsync(_key, Cancel))).Id);
    }

    [Fact]
    public async Task Every_changed_bit_is_damage()
    {
        byte[] stored = (await CreateAsync()).Encode();
        for (int bit = 0; bit < stored.Length * 8; bit++)
        {
            stored[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Equal(BackupErrorId.KeySlotDamaged, Assert.Throws<BackupException>(() => Decode(stored)).Id);
            stored[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Fact]
    public async Task What_another_key_wrapped_is_damage()
    {
        KeySlot slot = await CreateAsync();

        Assert.Equal(BackupErrorId.KeySlotDamaged, (await Assert.ThrowsAsync<BackupException>(() => slot.OpenAsync(RsaKey.CreateAnother(), Cancel))).Id);
    }

    [Theory]
    [InlineData("kind", "\"face\"")]
    [InlineData("algorithm", "\"ml-kem\"")]
    [InlineData("format", "2")]
    public async Task A_kind_that_is_not_known_is_of_a_newer_version(string field, string value)
    {
        byte[] newer = KeySlotTests.With(await CreateAsync(), field, value);

        Assert.Equal(BackupErrorId.VaultFormatUnsupported, Assert.Throws<BackupException>(() => Decode(newer)).Id);
    }

    private static KeySlot Decode(byte[] stored) => KeySlot.Decode(stored, _identity.StoreId, _identity.KeyId);

    private Task<KeySlot> CreateAsync() =>
        KeySlot.CreateAsync(_key, _master, _identity, "mine", new DateTimeOffset(2024, 2, 29, 13, 0, 0, TimeSpan.FromHours(1)), Cancel);
}
