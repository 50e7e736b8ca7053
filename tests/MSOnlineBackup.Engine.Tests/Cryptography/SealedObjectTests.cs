using System.IO.Hashing;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Cryptography;

public class SealedObjectTests
{
    private const string Name = "stores/0123456789abcdef0123456789abcdef/points/a/b";

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(100_000)]
    public void What_was_sealed_comes_back(int length)
    {
        byte[] plaintext = TestKeys.Bytes(length, length);

        byte[] opened = SealedObject.Open(TestKeys.Keys, Name, Seal(plaintext, SealedObjectKind.Checkpoint), out SealedObjectKind kind).ToArray();

        Assert.Equal(plaintext, opened);
        Assert.Equal(SealedObjectKind.Checkpoint, kind);
    }

    [Fact]
    public void The_checksum_at_the_end_covers_all_before_it()
    {
        byte[] content = Seal(TestKeys.Bytes(1, 1000));

        Assert.Equal(XxHash128.Hash(content.AsSpan(..^16)), content[^16..]);
    }

    [Fact]
    public void Its_length_says_little_of_what_it_holds() =>
        Assert.Equal(
            [4096, 8192],
            Enumerable.Range(0, 80).Select(i => Seal(new byte[100 * i]).Length).Distinct());

    [Fact]
    public void Every_flipped_bit_is_damage_whether_or_not_the_checksum_is_made_to_fit()
    {
        byte[] content = Seal(TestKeys.Bytes(1, 100));
        for (int bit = 0; bit < (content.Length - ObjectChecksum.Length) * 8; bit += bit < 400 * 8 ? 1 : 61)
        {
            byte[] altered = [.. content];
            altered[bit / 8] ^= (byte)(1 << (bit % 8));

            Assert.Equal(BackupErrorId.VaultDataCorrupt, FaultOf(altered));
            Assert.True(FaultOf(TestKeys.WithChecksum(altered)) is BackupErrorId.VaultDataCorrupt or BackupErrorId.VaultFormatUnsupported);
        }
    }

    [Theory]
    [InlineData(4, "version")]
    [InlineData(6, "critical flags")]
    [InlineData(7, "epoch")]
    public void A_newer_version_is_told_from_a_damaged_one(int at, string what)
    {
        byte[] content = Seal(TestKeys.Bytes(1, 100));
        content[at] = 2;
        Assert.NotNull(what);

        Assert.Equal(BackupErrorId.VaultDataCorrupt, FaultOf(content));
        Assert.Equal(BackupErrorId.VaultFormatUnsupported, FaultOf(TestKeys.WithChecksum(content)));
    }

    [Fact]
    public void A_flipped_bit_in_the_checksum_loses_nothing_for_who_has_the_key()
    {
        byte[] plaintext = TestKeys.Bytes(1, 100);
        byte[] content = Seal(plaintext);
        content[^1] ^= 1;

        Assert.Equal(plaintext, SealedObject.Open(TestKeys.Keys, Name, content, out _).ToArray());
    }

    [Fact]
    public void Every_truncation_and_every_addition_is_damage()
    {
        byte[] content = Seal(TestKeys.Bytes(1, 100));
        for (int length = 0; length < content.Length; length += length < 200 || length > content.Length - 100 ? 1 : 37)
        {
            Assert.Equal(BackupErrorId.VaultDataCorrupt, FaultOf(content[..length]));
        }

        Assert.Equal(BackupErrorId.VaultDataCorrupt, FaultOf([.. content, 0]));
        Assert.Equal(BackupErrorId.VaultDataCorrupt, FaultOf([.. content, .. content]));
    }

    [Fact]
    public void An_object_under_another_name_or_in_another_vault_or_store_is_refused()
    {
        byte[] content = Seal(TestKeys.Bytes(1, 100));

        Assert.Equal(BackupErrorId.VaultDataCorrupt, FaultOf(content, name: Name + "c"));
        Assert.Equal(BackupErrorId.VaultDataCorrupt, FaultOf(content, TestKeys.KeysOf(TestKeys.Bytes(9, 16), TestKeys.StoreId)));
        Assert.Equal(BackupErrorId.VaultDataCorrupt, FaultOf(content, TestKeys.KeysOf(TestKeys.VaultId, new StoreId(TestKeys.Bytes(9, 16)))));
        Assert.Null(FaultOf(content));
    }

    [Fact]
    public void The_same_plaintext_is_never_sealed_alike() =>
        Assert.NotEqual(Seal([1, 2, 3])[40..47], Seal([1, 2, 3])[40..47]);

    private static byte[] Seal(byte[] plaintext, SealedObjectKind kind = SealedObjectKind.RecoveryPoint) =>
        SealedObject.Seal(TestKeys.Keys, kind, Name, plaintext);

    private static BackupErrorId? FaultOf(byte[] content, StoreKeys? keys = null, string name = Name)
    {
        try
        {
            SealedObject.Open(keys ?? TestKeys.Keys, name, content, out _);
            return null;
        }
        catch (BackupException e)
        {
            Assert.Equal(name, e.Target);
            return e.Id;
        }
    }
}
