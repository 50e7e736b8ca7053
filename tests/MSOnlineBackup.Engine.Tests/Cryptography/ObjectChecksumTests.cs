using System.IO.Hashing;
using FsCheck;
using FsCheck.Fluent;
using MSOnlineBackup.Engine.Tests.VaultFormat;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Cryptography;

public sealed class ObjectChecksumTests
{
    [Fact]
    public void The_checksum_of_nothing_is_the_published_one()
    {
        byte[] content = new byte[ObjectChecksum.Length];

        ObjectChecksum.WriteTo(content);

        Assert.Equal("99aa06d3014798d86001c324468d497f", Convert.ToHexStringLower(content));
    }

    [Fact]
    public void Pieces_of_any_length_have_the_checksum_of_the_whole() => Prop.ForAll<int>(seed =>
    {
        var random = new Random(seed);
        byte[] whole = new byte[random.Next(20_000)];
        random.NextBytes(whole);
        var checksum = new ObjectChecksum();
        for (int at = 0; at < whole.Length;)
        {
            // Short ones, and ones longer than what the function gathers before it works.
            int length = Math.Min(whole.Length - at, random.Next(random.Next(3) == 0 ? 5_000 : 100));
            checksum.Append(whole.AsSpan(at, length));
            at += length;
        }

        checksum.Expect("o", XxHash128.Hash(whole));
        Assert.True(ObjectChecksum.IsRight([.. whole, .. XxHash128.Hash(whole)]));
    }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("pack", "pack")]
    [InlineData("segment", "object")]
    public void Any_flipped_bit_of_an_object_is_found(string block, string vector)
    {
        byte[] content = FormatDocument.Hex(block, vector);
        ObjectChecksum.Check("o", content);
        for (int bit = 0; bit < content.Length * 8; bit++)
        {
            byte[] altered = [.. content];
            altered[bit / 8] ^= (byte)(1 << (bit % 8));

            BackupException fault = Assert.Throws<BackupException>(() => ObjectChecksum.Check("o", altered));

            Assert.Equal((BackupErrorId.VaultDataCorrupt, "o"), (fault.Id, fault.Target));
        }
    }

    [Fact]
    public void What_is_shorter_than_a_checksum_has_none() => Assert.False(ObjectChecksum.IsRight(new byte[ObjectChecksum.Length - 1]));
}
