using System.Text;
using MSOnlineBackup.Vaults.Cryptography;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Cryptography;

public class RecordEnvelopeTests
{
    private const string Vault = "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf";
    private const string Name = "settings/00000001";
    private const string Body = """{"machineLimit":7}""";

    private static readonly OwnerKey _owner = OwnerKey.Create();
    private static readonly byte[] _key = TestKeys.Bytes(7, 32);

    [Fact]
    public void A_signed_record_is_read_and_so_is_one_with_a_code()
    {
        byte[] signed = RecordEnvelope.Sign(_owner, Vault, Name, Encoding.UTF8.GetBytes(Body));
        byte[] coded = RecordEnvelope.Authenticate(_key, Vault, Name, Encoding.UTF8.GetBytes(Body));

        Assert.True(IsSigned(signed));
        Assert.False(IsAuthentic(signed));
        Assert.True(IsAuthentic(coded));
        Assert.False(IsSigned(coded));
        Assert.StartsWith(Body + "\n", Encoding.UTF8.GetString(signed), StringComparison.Ordinal);
    }

    [Fact]
    public void No_byte_of_a_record_can_be_changed_left_out_or_added()
    {
        byte[] signed = RecordEnvelope.Sign(_owner, Vault, Name, Encoding.UTF8.GetBytes(Body));
        byte[] coded = RecordEnvelope.Authenticate(_key, Vault, Name, Encoding.UTF8.GetBytes(Body));

        foreach ((byte[] record, Func<byte[], bool> holds) in new (byte[], Func<byte[], bool>)[] { (signed, record => IsSigned(record)), (coded, record => IsAuthentic(record)) })
        {
            for (int at = 0; at < record.Length; at++)
            {
                for (int bit = 0; bit < 8; bit++)
                {
                    byte[] flipped = [.. record];
                    flipped[at] ^= (byte)(1 << bit);
                    Assert.False(holds(flipped), $"bit {bit} of byte {at}");
                }

                Assert.False(holds(record[..at]), $"the first {at} bytes");
            }

            Assert.False(holds([.. record, (byte)'\n']));
            Assert.False(holds([(byte)' ', .. record]));
        }
    }

    [Fact]
    public void A_record_holds_under_its_own_name_in_its_own_vault_of_its_own_owner_only()
    {
        byte[] signed = RecordEnvelope.Sign(_owner, Vault, Name, Encoding.UTF8.GetBytes(Body));

        Assert.False(IsSigned(signed, name: "settings/00000002"));
        Assert.False(IsSigned(signed, name: "credentials/00000001"));
        Assert.False(IsSigned(signed, vault: "b0a1a2a3a4a5a6a7a8a9aaabacadaeaf"));
        using var other = OwnerKey.Create();
        Assert.False(IsSigned(signed, owner: other.Identity));
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n")]
    [InlineData("\n\n")]
    [InlineData("{}")]
    [InlineData("{}\n")]
    [InlineData("{}\nAAAA\n")]
    [InlineData("{}\nno base64!\n")]
    public void What_is_no_record_is_told(string content) =>
        Assert.False(RecordEnvelope.TrySplit(Encoding.UTF8.GetBytes(content), out _, out _));

    [Fact]
    public void A_record_that_is_too_long_is_none()
    {
        byte[] body = Encoding.ASCII.GetBytes(new string('x', RecordEnvelope.MaxLength));

        Assert.False(RecordEnvelope.TrySplit(RecordEnvelope.Sign(_owner, Vault, Name, body), out _, out _));
        Assert.True(RecordEnvelope.TrySplit(RecordEnvelope.Sign(_owner, Vault, Name, body.AsSpan(90)), out _, out _));
    }

    [Fact]
    public void An_owner_has_one_encoding_only()
    {
        byte[] encoded = _owner.Identity.Encode();

        Assert.Equal(_owner.Identity, OwnerIdentity.TryParse(encoded));
        Assert.Equal(_owner.Identity, OwnerIdentity.TryParse(_owner.Identity.PublicKey));
        Assert.Equal(64, _owner.Identity.Fingerprint.Length);
        Assert.Null(OwnerIdentity.TryParse(encoded.AsSpan(1)));
        Assert.Null(OwnerIdentity.TryParse((byte[])[.. encoded, 0]));
        Assert.Null(OwnerIdentity.TryParse(new byte[encoded.Length]));
        Assert.Null(OwnerIdentity.TryParse(_owner.Identity.PublicKey + "AAAA"));
        encoded[^1] ^= 1;
        Assert.Null(OwnerIdentity.TryParse(encoded));
    }

    [Fact]
    public void Halves_of_two_keys_are_no_key()
    {
        using var other = OwnerKey.Create();

        using OwnerKey? same = OwnerKey.TryImport(_owner.ExportSecret(), _owner.Identity);
        Assert.NotNull(same);
        Assert.Null(OwnerKey.TryImport(other.ExportSecret(), _owner.Identity));
        Assert.Null(OwnerKey.TryImport(new byte[32], _owner.Identity));
    }

    private static bool IsSigned(byte[] record, string vault = Vault, string name = Name, OwnerIdentity? owner = null) =>
        RecordEnvelope.TrySplit(record, out ReadOnlySpan<byte> body, out RecordProof proof) && proof.IsSigned(owner ?? _owner.Identity, vault, name, body);

    private static bool IsAuthentic(byte[] record) =>
        RecordEnvelope.TrySplit(record, out ReadOnlySpan<byte> body, out RecordProof proof) && proof.IsAuthentic(_key, Vault, Name, body);
}
