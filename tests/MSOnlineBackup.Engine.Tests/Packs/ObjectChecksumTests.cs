using System.IO.Hashing;
using System.Security.Cryptography;
using FsCheck;
using FsCheck.Fluent;
using MSOnlineBackup.Engine.Errors;
using MSOnlineBackup.Engine.Packs;
using MSOnlineBackup.Engine.Tests.VaultFormat;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Packs;

public sealed class ObjectChecksumTests
{
    [Theory]
    [InlineData(1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    [InlineData(2, "99aa06d3014798d86001c324468d497f00000000000000000000000000000000")]
    public void The_checksum_of_nothing_is_the_published_one(byte version, string expected)
    {
        using ObjectChecksum checksum = ObjectChecksum.OfPack(version);

        Assert.Equal(expected, Finish(checksum));
    }

    [Fact]
    public void Pieces_of_any_length_have_the_checksum_of_the_whole() => Prop.ForAll<int>(seed =>
    {
        var random = new Random(seed);
        byte[] whole = new byte[random.Next(20_000)];
        random.NextBytes(whole);
        using ObjectChecksum first = ObjectChecksum.OfPack(1);
        using ObjectChecksum second = ObjectChecksum.OfPack(2);
        using ObjectChecksum sealedObject = ObjectChecksum.OfSealedObject();
        for (int at = 0; at < whole.Length;)
        {
            // Short ones, and ones longer than what the functions gather before they work.
            int length = Math.Min(whole.Length - at, random.Next(random.Next(3) == 0 ? 5_000 : 100));
            foreach (ObjectChecksum checksum in (ObjectChecksum[])[first, second, sealedObject])
            {
                checksum.Append(whole.AsSpan(at, length));
            }

            at += length;
        }

        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(whole)), Finish(first));
        Assert.Equal(Convert.ToHexStringLower([.. XxHash128.Hash(whole), .. new byte[16]]), Finish(second));
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(whole)), Finish(sealedObject));
    }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("pack of version 1")]
    [InlineData("pack of version 2")]
    public void Any_flipped_bit_of_a_pack_is_found(string vector)
    {
        byte[] pack = FormatDocument.Hex("pack", vector);
        ObjectChecksum.Check("p", pack);
        for (int bit = 0; bit < pack.Length * 8; bit++)
        {
            byte[] altered = [.. pack];
            altered[bit / 8] ^= (byte)(1 << (bit % 8));

            BackupException fault = Assert.Throws<BackupException>(() => ObjectChecksum.Check("p", altered));

            Assert.Equal("p", fault.Target);
            Assert.Equal(bit / 8 == PackFormat.VersionOffset ? BackupErrorId.VaultFormatUnsupported : BackupErrorId.VaultDataCorrupt, fault.Id);
        }
    }

    [Theory]
    [InlineData("pack of version 1", 2)]
    [InlineData("pack of version 2", 1)]
    public void A_pack_does_not_pass_for_one_of_another_version(string vector, byte version)
    {
        byte[] pack = FormatDocument.Hex("pack", vector);
        pack[PackFormat.VersionOffset] = version;

        BackupException fault = Assert.Throws<BackupException>(() => ObjectChecksum.Check("p", pack));

        Assert.Equal(BackupErrorId.VaultDataCorrupt, fault.Id);
        Assert.Contains("its checksum is not the one at its end", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_version_whose_checksum_nobody_knows_is_refused()
    {
        byte[] pack = FormatDocument.Hex("pack", "pack of version 2");
        for (int version = 0; version <= byte.MaxValue; version++)
        {
            if (version is not (1 or 2))
            {
                pack[PackFormat.VersionOffset] = (byte)version;

                BackupException fault = Assert.Throws<BackupException>(() => ObjectChecksum.Check("p", pack));

                Assert.Equal(BackupErrorId.VaultFormatUnsupported, fault.Id);
                Assert.Contains($"format {version};", fault.Message, StringComparison.Ordinal);
            }
        }
    }

    private static string Finish(ObjectChecksum checksum)
    {
        // What was there before does not show through.
        byte[] result = [.. Enumerable.Repeat((byte)0xff, ObjectChecksum.Length)];
        checksum.Finish(result);
        return Convert.ToHexStringLower(result);
    }
}
