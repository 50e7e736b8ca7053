using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Cryptography;

public class KeySlotTests
{
    private const string Right = "correct horse battery staple";

    private static readonly KeySlotIdentity _identity =
        new("0123456789abcdef0123456789abcdef", StoreId.Parse("1123456789abcdef0123456789abcdef"), "2123456789abcdef0123456789abcdef");
    private static readonly byte[] _master = TestKeys.Bytes(7, StoreKeys.MasterKeyLength);
    private static readonly JsonSerializerOptions _plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly PassphraseDerivation _quick = PassphraseDerivation.ByPbkdf2(10);
    private static readonly PassphraseDerivation _quickArgon = PassphraseDerivation.ByArgon2id(64, 1);

    public static TheoryData<bool> Both { get; } = [false, true];

    [Theory]
    [InlineData(null)]
    [InlineData("mine")]
    [InlineData("the owner's \"second\" passphrase, ä and 😀")]
    public void What_was_wrapped_comes_back(string? label)
    {
        KeySlot slot = Decode(Create(label: label).Encode());

        Assert.Equal(_master, slot.TryOpen(Right));
        Assert.Equal(label, slot.Label);
        Assert.Equal(_identity, slot.Identity);
        Assert.Equal(new DateTimeOffset(2024, 2, 29, 12, 0, 0, TimeSpan.Zero), slot.CreatedAt);
    }

    [Fact]
    public void What_was_wrapped_by_Argon2id_comes_back_and_says_what_it_cost()
    {
        KeySlot slot = Decode(Create(derivation: _quickArgon).Encode());

        Assert.Equal(_master, slot.TryOpen(Right));
        Assert.Null(slot.TryOpen(Right + "!"));
        Assert.Equal(("argon2id", 64, 1, 16), (slot.Kdf, slot.MemoryKiB, slot.Passes, slot.Salt!.Length));
        Assert.Null(slot.Iterations);
        Assert.Equal(_quickArgon, slot.Derivation);
    }

    [Theory]
    [InlineData("correct horse battery stapl")]
    [InlineData("correct horse battery staple ")]
    [InlineData("Correct horse battery staple")]
    [InlineData("")]
    public void Another_passphrase_opens_nothing_and_is_no_damage(string wrong) => Assert.Null(Decode(Create().Encode()).TryOpen(wrong));

    [Fact]
    public void A_letter_that_ASCII_lacks_is_no_question_mark() => Assert.Null(Create(passphrase: "0123456789abcdef?").TryOpen("0123456789abcdefä"));

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

        Assert.DoesNotContain(Convert.ToBase64String(_master)[..40], stored, StringComparison.Ordinal);
        Assert.DoesNotContain(Right, stored, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void Every_changed_bit_is_damage(bool argon)
    {
        byte[] stored = Create(derivation: argon ? _quickArgon : _quick).Encode();
        for (int bit = 0; bit < stored.Length * 8; bit++)
        {
            byte[] altered = [.. stored];
            altered[bit / 8] ^= (byte)(1 << (bit % 8));

            Assert.Equal(BackupErrorId.KeySlotDamaged, Assert.Throws<BackupException>(() => Decode(altered)).Id);
        }
    }

    [Fact]
    public void Every_truncation_is_damage()
    {
        byte[] stored = Create().Encode();
        for (int length = 0; length < stored.Length; length++)
        {
            Assert.Equal(BackupErrorId.KeySlotDamaged, Assert.Throws<BackupException>(() => Decode(stored[..length])).Id);
        }
    }

    [Fact]
    public void A_slot_tells_whether_a_master_key_is_its_own_and_does_not_open_where_it_lies()
    {
        KeySlot slot = Decode(Create().Encode());
        KeySlot lying = Decode((slot with { Proof = [(byte)(slot.Proof[0] ^ 1), .. slot.Proof[1..]] }).Encode());

        Assert.True(slot.Proves(_master));
        Assert.False(slot.Proves(TestKeys.Bytes(8, StoreKeys.MasterKeyLength)));
        Assert.False((slot with { VaultId = new string('9', 32) }).Proves(_master));
        Assert.False(lying.Proves(_master));
        Assert.Equal(BackupErrorId.KeySlotDamaged, Assert.Throws<BackupException>(() => lying.TryOpen(Right)).Id);
    }

    [Theory]
    [InlineData("[1]")]
    [InlineData("""{"format":0}""")]
    [InlineData("""{"format":1}""")]
    [InlineData("""{"format":1,"kind":null,"vaultId":null,"store":null,"slot":null}""")]
    [InlineData("""{"format":"1"}""")]
    [InlineData("""{"format":1,"x":[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]}""")]
    public void Other_JSON_is_damage(string json) =>
        Assert.Equal(BackupErrorId.KeySlotDamaged, Assert.Throws<BackupException>(() => Decode(CheckedJson.Complete(Encoding.UTF8.GetBytes(json[..^1])))).Id);

    public static TheoryData<string, string> Faults { get; } = new()
    {
        { "vaultId", "\"x\"" },
        { "created", "\"yesterday\"" },
        { "label", "\"\"" },
        { "label", "\"a\\nb\"" },
        { "label", $"\"{new string('x', 101)}\"" },
        { "salt", "\"AAAA\"" },
        { "salt", "null" },
        { "verifier", "\"AAAA\"" },
        { "verifier", "null" },
        { "wrapped", "\"AAAA\"" },
        { "proof", "\"AAAA\"" },
        { "proof", "null" },
        { "iterations", "null" },
        { "iterations", "0" },
        { "iterations", "-1" },
        { "iterations", "4194305" },
        { "iterations", "2147483647" },
        { "iterations", "1e99" },
        { "epoch", "-1" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public void What_nobody_writes_is_refused_before_any_key_is_derived(string field, string value) =>
        Assert.Equal(BackupErrorId.KeySlotDamaged, Assert.Throws<BackupException>(() => Decode(With(Create(), field, value))).Id);

    [Theory]
    [InlineData("memoryKiB", "1048577")]
    [InlineData("memoryKiB", "7")]
    [InlineData("memoryKiB", "null")]
    [InlineData("passes", "0")]
    [InlineData("passes", "null")]
    [InlineData("passes", "2147483647")]
    public void Memory_and_passes_that_nobody_writes_are_refused_before_any_is_taken(string field, string value) =>
        Assert.Equal(BackupErrorId.KeySlotDamaged, Assert.Throws<BackupException>(() => Decode(With(Create(derivation: _quickArgon), field, value))).Id);

    [Theory]
    [InlineData("store")]
    [InlineData("slot")]
    public void A_slot_in_another_place_is_refused(string field)
    {
        KeySlot slot = Create();
        KeySlotIdentity elsewhere =
            field == "store" ? _identity with { StoreId = StoreId.Parse(new string('3', 32)) } : _identity with { KeyId = new string('3', 32) };

        Assert.Equal(BackupErrorId.KeySlotDamaged, Assert.Throws<BackupException>(() => KeySlot.Decode(slot.Encode(), elsewhere.StoreId, elsewhere.KeyId)).Id);
    }

    [Theory]
    [InlineData("vaultId", "\"3123456789abcdef0123456789abcdef\"")]
    [InlineData("label", "\"yours\"")]
    [InlineData("label", "null")]
    [InlineData("created", "\"2023-02-28T12:00:00Z\"")]
    public void What_the_checksum_alone_would_let_pass_the_seal_refuses(string field, string value)
    {
        KeySlot forged = Decode(With(Create(label: "mine"), field, value));

        Assert.Equal(BackupErrorId.KeySlotDamaged, Assert.Throws<BackupException>(() => forged.TryOpen(Right)).Id);
    }

    [Fact]
    public void No_two_slots_are_bound_to_the_same_bytes()
    {
        // By texts that are merely joined they would be: the one's label is the other's date and label.
        KeySlot one = Create() with { Created = "2024-02-29T12:00:00Z\nx", Label = "y" };
        KeySlot other = Create() with { Created = "2024-02-29T12:00:00Z", Label = "x\ny" };

        Assert.NotEqual(one.Bound(), other.Bound());
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void Less_work_than_was_done_does_not_open_the_slot(bool argon)
    {
        byte[] forged = argon ? With(Create(derivation: PassphraseDerivation.ByArgon2id(64, 2)), "passes", "1") : With(Create(), "iterations", "1");

        Assert.Null(Decode(forged).TryOpen(Right));
    }

    [Theory]
    [InlineData("format", "2")]
    [InlineData("kind", "\"face\"")]
    [InlineData("kdf", "\"argon3\"")]
    public void A_slot_of_a_newer_version_is_told_from_a_damaged_one(string field, string value) =>
        Assert.Equal(BackupErrorId.VaultFormatUnsupported, Assert.Throws<BackupException>(() => Decode(With(Create(), field, value))).Id);

    [Fact]
    public void The_first_epoch_may_be_named() => Assert.Equal(0, Decode(With(Create(), "epoch", "0")).Epoch);

    [Fact]
    public void Names_that_a_newer_version_wrote_are_covered_and_kept()
    {
        byte[] stored = With(Create(), "later", "7");

        Assert.Equal(stored, Decode(stored).Encode());
        stored[stored.AsSpan().IndexOf("\"later\":7"u8) + 8]++;
        Assert.Equal(BackupErrorId.KeySlotDamaged, Assert.Throws<BackupException>(() => Decode(stored)).Id);
    }

    [Fact]
    public void A_weak_passphrase_gets_no_slot() =>
        Assert.Equal(BackupErrorId.PassphraseInvalid, Assert.Throws<BackupException>(() => Create(passphrase: "too short")).Id);

    [Theory]
    [InlineData("")]
    [InlineData("a\u001bb")]
    public void A_label_that_no_reader_takes_gets_no_slot(string label) =>
        Assert.Equal(BackupErrorId.ArgumentInvalid, Assert.Throws<BackupException>(() => Create(label: label)).Id);

    /// <summary>A slot with one field changed, and the checksum that belongs to it.</summary>
    internal static byte[] With(KeySlot slot, string field, string value)
    {
        JsonNode json = JsonNode.Parse(CheckedJson.Covered(slot.Encode()).ToArray().Append((byte)'}').ToArray())!;
        json[field] = JsonNode.Parse(value);
        return CheckedJson.Complete(Encoding.UTF8.GetBytes(json.ToJsonString(_plain)[..^1]));
    }

    private static KeySlot Create(string passphrase = Right, string? label = null, PassphraseDerivation? derivation = null) =>
        KeySlot.Create(passphrase, _master, _identity, derivation ?? _quick, label, new DateTimeOffset(2024, 2, 29, 13, 0, 0, TimeSpan.FromHours(1)));

    private static KeySlot Decode(byte[] stored) => KeySlot.Decode(stored, _identity.StoreId, _identity.KeyId);
}
