using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using MSOnlineBackup.Engine.Cryptography;
using MSOnlineBackup.Engine.Errors;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Cryptography;

public class KeySlotTests
{
    private const string Right = "correct horse battery staple";
    private const string Identity = "0123456789abcdef0123456789abcdef/1123456789abcdef0123456789abcdef/2123456789abcdef0123456789abcdef";

    private static readonly byte[] Master = TestKeys.Bytes(7, StoreKeys.MasterKeyLength);

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("the owner's \"second\" passphrase\nwith a line break, ä and 😀")]
    public void What_was_wrapped_comes_back(string? label)
    {
        KeySlot slot = KeySlot.Decode(Create(label: label).Encode(), Identity);

        Assert.Equal(Master, slot.TryOpen(Right, Identity));
        Assert.Equal(label, slot.Label);
        Assert.Equal(new DateTimeOffset(2024, 2, 29, 12, 0, 0, TimeSpan.Zero), slot.CreatedAt);
    }

    [Theory]
    [InlineData("correct horse battery stapl")]
    [InlineData("correct horse battery staple ")]
    [InlineData("Correct horse battery staple")]
    [InlineData("")]
    public void Another_passphrase_opens_nothing_and_is_no_damage(string wrong) =>
        Assert.Null(KeySlot.Decode(Create().Encode(), Identity).TryOpen(wrong, Identity));

    [Fact]
    public void A_letter_that_ASCII_lacks_is_no_question_mark()
    {
        KeySlot slot = Create(passphrase: "0123456789abcdef?");

        Assert.Null(slot.TryOpen("0123456789abcdefä", Identity));
    }

    [Fact]
    public void The_same_passphrase_wraps_otherwise_each_time()
    {
        KeySlot first = Create();
        KeySlot second = Create();

        Assert.NotEqual(first.Salt, second.Salt);
        Assert.NotEqual(first.Verifier, second.Verifier);
        Assert.NotEqual(first.Wrapped, second.Wrapped);
    }

    [Fact]
    public void Neither_master_key_nor_passphrase_stand_in_the_slot()
    {
        string stored = Encoding.UTF8.GetString(Create().Encode());

        Assert.DoesNotContain(Convert.ToBase64String(Master)[..40], stored, StringComparison.Ordinal);
        Assert.DoesNotContain(Right, stored, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_changed_byte_is_damage_or_harmless_but_never_another_key()
    {
        byte[] stored = (Create(iterations: 1) with { Proof = null }).Encode();
        int refused = 0;
        for (int at = 0; at < stored.Length; at++)
        {
            for (int bit = 0; bit < 8; bit++)
            {
                byte[] altered = [.. stored];
                altered[at] ^= (byte)(1 << bit);
                if (Open(altered) is { } master)
                {
                    // Spare bits at the end of a base64 text mean nothing.
                    Assert.Equal(Master, master);
                }
                else
                {
                    refused++;
                }
            }
        }

        Assert.InRange(refused, (stored.Length * 8) - 32, stored.Length * 8);
    }

    [Fact]
    public void A_slot_tells_whether_a_master_key_is_its_own_and_opens_even_where_that_is_damaged()
    {
        KeySlot slot = KeySlot.Decode(Create(iterations: 1).Encode(), Identity);
        KeySlot altered = slot with { Proof = [(byte)(slot.Proof![0] ^ 1), .. slot.Proof[1..]] };

        Assert.True(slot.Wraps(Master, Identity));
        Assert.False(slot.Wraps(TestKeys.Bytes(8, StoreKeys.MasterKeyLength), Identity));
        Assert.False(slot.Wraps(Master, Identity.Replace('0', '9')));
        Assert.False(altered.Wraps(Master, Identity));
        Assert.Null((slot with { Proof = null }).Wraps(Master, Identity));
        Assert.Equal(Master, altered.TryOpen(Right, Identity));
    }

    [Fact]
    public void Every_truncation_is_damage()
    {
        byte[] stored = Create(iterations: 1).Encode();
        for (int length = 0; length < stored.Length; length++)
        {
            Assert.Null(Open(stored[..length]));
        }
    }

    [Theory]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("12")]
    [InlineData("""{"format":1,"kind":null,"kdf":null,"iterations":1,"created":null,"salt":null,"verifier":null,"wrapped":null,"checksum":null}""")]
    [InlineData("""{"format":1,"kind":"passphrase","kdf":"pbkdf2-hmac-sha512","iterations":1,"created":null,"salt":null,"verifier":null,"wrapped":null,"checksum":null}""")]
    [InlineData("""{"format":1,"kind":"passphrase","kdf":"pbkdf2-hmac-sha512","iterations":1,"created":"x","salt":"","verifier":"","wrapped":"","checksum":""}""")]
    [InlineData("""{"format":1,"kind":"passphrase","kdf":"pbkdf2-hmac-sha512","iterations":1e99,"created":"x","salt":"","verifier":"","wrapped":"","checksum":""}""")]
    public void Other_JSON_is_damage(string json) => Assert.Null(Open(Encoding.UTF8.GetBytes(json)));

    [Fact]
    public void Deeply_nested_JSON_is_damage() => Assert.Null(Open(Encoding.UTF8.GetBytes("{\"x\":" + new string('[', 10_000))));

    [Theory]
    [InlineData("3123456789abcdef0123456789abcdef/1123456789abcdef0123456789abcdef/2123456789abcdef0123456789abcdef")]
    [InlineData("0123456789abcdef0123456789abcdef/3123456789abcdef0123456789abcdef/2123456789abcdef0123456789abcdef")]
    [InlineData("0123456789abcdef0123456789abcdef/1123456789abcdef0123456789abcdef/3123456789abcdef0123456789abcdef")]
    public void A_slot_in_another_vault_store_or_place_is_refused(string elsewhere)
    {
        KeySlot slot = Create();

        Assert.Equal(BackupErrorId.KeySlotDamaged, Assert.Throws<BackupException>(() => KeySlot.Decode(slot.Encode(), elsewhere)).Id);

        // Even where the checksum, which needs no key, is made to fit.
        KeySlot moved = KeySlot.Decode(Forge(slot, elsewhere), elsewhere);
        Assert.Equal(BackupErrorId.KeySlotDamaged, Assert.Throws<BackupException>(() => moved.TryOpen(Right, elsewhere)).Id);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(int.MinValue)]
    [InlineData(50_000_001)]
    [InlineData(int.MaxValue)]
    public void Iterations_that_nobody_writes_are_refused_before_any_are_made(int iterations)
    {
        byte[] forged = Forge(Create() with { Iterations = iterations }, Identity);

        Assert.Equal(BackupErrorId.KeySlotDamaged, Assert.Throws<BackupException>(() => KeySlot.Decode(forged, Identity)).Id);
    }

    [Fact]
    public void Fewer_iterations_than_were_made_do_not_open_the_slot()
    {
        KeySlot forged = KeySlot.Decode(Forge(Create() with { Iterations = 1 }, Identity), Identity);

        Assert.Null(forged.TryOpen(Right, Identity));
    }

    [Theory]
    [InlineData("label")]
    [InlineData("created")]
    public void What_the_checksum_alone_would_let_pass_the_seal_refuses(string field)
    {
        KeySlot slot = Create(label: "mine");
        slot = field == "label" ? slot with { Label = "yours" } : slot with { Created = "2023-02-28T12:00:00Z" };

        KeySlot forged = KeySlot.Decode(Forge(slot, Identity), Identity);

        Assert.Equal(BackupErrorId.KeySlotDamaged, Assert.Throws<BackupException>(() => forged.TryOpen(Right, Identity)).Id);
    }

    [Theory]
    [InlineData("format", "2")]
    [InlineData("kind", "\"key-vault\"")]
    [InlineData("kdf", "\"argon2id\"")]
    public void A_slot_of_a_newer_version_is_told_from_a_damaged_one(string field, string value)
    {
        JsonNode slot = JsonNode.Parse(Create().Encode())!;
        slot[field] = JsonNode.Parse(value);

        BackupException fault = Assert.Throws<BackupException>(() => KeySlot.Decode(Encoding.UTF8.GetBytes(slot.ToJsonString()), Identity));

        Assert.Equal(BackupErrorId.VaultFormatUnsupported, fault.Id);
    }

    [Fact]
    public void A_weak_passphrase_gets_no_slot() =>
        Assert.Equal(BackupErrorId.PassphraseInvalid, Assert.Throws<BackupException>(() => Create(passphrase: "too short")).Id);

    private static KeySlot Create(string passphrase = Right, string? label = null, int iterations = 10) =>
        KeySlot.Create(passphrase, Master, Identity, iterations, label, new DateTimeOffset(2024, 2, 29, 13, 0, 0, TimeSpan.FromHours(1)));

    // The master key, or null where the slot was refused in one of the ways a slot may be.
    private static byte[]? Open(byte[] stored)
    {
        try
        {
            return KeySlot.Decode(stored, Identity).TryOpen(Right, Identity);
        }
        catch (BackupException e) when (e.Id is BackupErrorId.KeySlotDamaged or BackupErrorId.VaultFormatUnsupported)
        {
            return null;
        }
    }

    // As the format document describes the checksum.
    private static byte[] Forge(KeySlot slot, string identity)
    {
        byte[] facts = Encoding.UTF8.GetBytes(
            $"MSOnlineBackup key slot\n{slot.Format}\n{identity}\n{slot.Kind}\n{slot.Kdf}\n{slot.Iterations}\n{slot.Created}\n{slot.Label}");
        return (slot with { Checksum = SHA256.HashData([.. facts, .. slot.Salt!, .. slot.Verifier!, .. slot.Wrapped]) }).Encode();
    }
}
