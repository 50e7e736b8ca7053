using System.Text;
using System.Text.Json.Nodes;
using MSOnlineBackup.Engine.Cryptography;
using MSOnlineBackup.Engine.Errors;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Cryptography;

/// <summary>A key slot whose slot key a Key Vault key has wrapped.</summary>
public class KeyVaultSlotTests
{
    private const string Identity = "0123456789abcdef0123456789abcdef/1123456789abcdef0123456789abcdef/2123456789abcdef0123456789abcdef";

    private static readonly byte[] s_master = TestKeys.Bytes(7, StoreKeys.MasterKeyLength);

    private readonly RsaKey _key = RsaKey.Create();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_was_sealed_comes_back_and_no_passphrase_opens_it()
    {
        KeySlot slot = KeySlot.Decode((await CreateAsync()).Encode(), Identity);

        Assert.Equal(s_master, await slot.OpenAsync(_key, Identity, Cancel));
        Assert.True(slot.IsFor(_key));
        Assert.True(slot.Wraps(s_master, Identity));
        Assert.Null(slot.TryOpen("correct horse battery staple", Identity));
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

        Assert.NotEqual(s_master, unwrapped);
    }

    [Theory]
    [InlineData("3123456789abcdef0123456789abcdef/1123456789abcdef0123456789abcdef/2123456789abcdef0123456789abcdef")]
    [InlineData("0123456789abcdef0123456789abcdef/3123456789abcdef0123456789abcdef/2123456789abcdef0123456789abcdef")]
    [InlineData("0123456789abcdef0123456789abcdef/1123456789abcdef0123456789abcdef/3123456789abcdef0123456789abcdef")]
    public async Task A_slot_in_another_vault_store_or_place_is_refused(string elsewhere)
    {
        KeySlot slot = await CreateAsync();

        Assert.Equal(BackupErrorId.KeySlotDamaged, Assert.Throws<BackupException>(() => KeySlot.Decode(slot.Encode(), elsewhere)).Id);
        Assert.Equal(BackupErrorId.KeySlotDamaged, (await Assert.ThrowsAsync<BackupException>(() => slot.OpenAsync(_key, elsewhere, Cancel))).Id);
    }

    [Theory]
    [InlineData("label", "\"yours\"")]
    [InlineData("created", "\"2023-02-28T12:00:00Z\"")]
    [InlineData("key", "\"https://backups.vault.azure.net/keys/wrapping/2\"")]
    [InlineData("key", "\"\"")]
    [InlineData("key", "\"a\\nb\"")]
    [InlineData("key", "null")]
    [InlineData("encryptedKey", "\"\"")]
    [InlineData("encryptedKey", "\"AAAA\"")]
    [InlineData("encryptedKey", "null")]
    [InlineData("wrapped", "\"AAAA\"")]
    [InlineData("checksum", "null")]
    public async Task A_changed_field_is_damage(string field, string value)
    {
        JsonNode slot = JsonNode.Parse((await CreateAsync()).Encode())!;
        slot[field] = JsonNode.Parse(value);

        Assert.Equal(BackupErrorId.KeySlotDamaged, Assert.Throws<BackupException>(() => KeySlot.Decode(Encoding.UTF8.GetBytes(slot.ToJsonString()), Identity)).Id);
    }

    [Fact]
    public async Task What_another_key_wrapped_is_damage()
    {
        KeySlot slot = await CreateAsync();

        Assert.Equal(BackupErrorId.KeySlotDamaged, (await Assert.ThrowsAsync<BackupException>(() => slot.OpenAsync(RsaKey.Create(), Identity, Cancel))).Id);
    }

    [Theory]
    [InlineData("""{"format":1,"kind":"face"}""")]
    [InlineData("""{"format":1,"kind":"azure-key-vault","algorithm":"ml-kem","key":"x"}""")]
    [InlineData("""{"format":2,"kind":"azure-key-vault","algorithm":"rsa-oaep-256"}""")]
    public void A_kind_that_is_not_known_is_of_a_newer_version(string json) =>
        Assert.Equal(BackupErrorId.VaultFormatUnsupported, Assert.Throws<BackupException>(() => KeySlot.Decode(Encoding.UTF8.GetBytes(json), Identity)).Id);

    private Task<KeySlot> CreateAsync() =>
        KeySlot.CreateAsync(_key, s_master, Identity, "mine", new DateTimeOffset(2024, 2, 29, 13, 0, 0, TimeSpan.FromHours(1)), Cancel);
}
