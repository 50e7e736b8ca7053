using System.Buffers.Binary;
using System.IO.Hashing;
using System.Security.Cryptography;
using FsCheck;
using FsCheck.Fluent;
using MSOnlineBackup.Engine.Chunks;
using MSOnlineBackup.Engine.Errors;
using MSOnlineBackup.Engine.Packs;
using MSOnlineBackup.Engine.Tests.Cryptography;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Packs;

public class PackTests
{
    [Theory]
    [InlineData(new int[0])]
    [InlineData(new[] { 0 })]
    [InlineData(new[] { 1 })]
    [InlineData(new[] { 100_000, 0, 1, 100_000, 300_000, 5_000 })]
    public void The_footer_lists_all_chunks_and_each_opens(int[] lengths)
    {
        TestPack pack = TestPack.Make(1, lengths);

        Assert.Equal(pack.Chunks, TestPack.ReadFooter(pack.Content));
        Assert.All(pack.Chunks.Zip(pack.Plaintexts), chunk => Assert.Equal(chunk.Second, TestPack.Open(pack.Content, chunk.First)));
        Assert.Equal(2, pack.Content[PackFormat.VersionOffset]);
        Assert.Equal([.. XxHash128.Hash(pack.Content.AsSpan(..^32)), .. new byte[16]], pack.Content[^32..]);
        Assert.Equal(PackFormat.Overhead(lengths.Length) + pack.Chunks.Sum(chunk => chunk.StoredLength), pack.Content.Length);
    }

    [Fact]
    public void A_chunk_fits_exactly_as_long_as_the_finished_pack_fits_its_buffer()
    {
        Prop.ForAll<int>(seed =>
        {
            var random = new Random(seed);
            byte[] buffer = new byte[PackFormat.Overhead(0) + random.Next(2000)];
            using var builder = new PackBuilder(TestKeys.Keys, PackKind.Data, buffer);
            int sealedLength = 0;
            while (true)
            {
                int length = random.Next(200);
                int finished = PackFormat.Overhead(builder.Chunks.Count + 1) + sealedLength + length + PackFormat.TagLength;
                Assert.Equal(finished <= buffer.Length, builder.Fits(length));
                if (finished > buffer.Length)
                {
                    break;
                }

                sealedLength += builder.Append(default, ChunkKind.Content, ChunkEncoding.Raw, length, new byte[length]).StoredLength;
            }

            Assert.Equal(PackFormat.Overhead(builder.Chunks.Count) + sealedLength, builder.Finish().Length);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void No_length_overflows_the_question_whether_it_fits()
    {
        using var builder = new PackBuilder(TestKeys.Keys, PackKind.Data, new byte[1000]);

        Assert.False(builder.Fits(int.MaxValue));
    }

    [Fact]
    public void Any_flipped_bit_keeps_shut_what_it_touched_and_nothing_else()
    {
        TestPack pack = TestPack.Make(1, [60, 90, 0, 40]);
        for (int bit = 0; bit < pack.Content.Length * 8; bit++)
        {
            int at = bit / 8;
            byte[] altered = [.. pack.Content];
            altered[at] ^= (byte)(1 << (bit % 8));

            bool header = at < PackFormat.HeaderLength;
            int body = pack.Content.Length - PackFormat.TrailerLength - ((pack.Chunks.Count * PackFormat.RecordLength) + PackFormat.TagLength);
            bool footer = header || (at >= body && at < pack.Content.Length - ObjectChecksum.Length);
            Assert.Equal(footer, FaultOf(altered) is not null);
            if (!header)
            {
                foreach ((PackedChunk chunk, byte[] plaintext) in pack.Chunks.Zip(pack.Plaintexts))
                {
                    bool touched = at >= chunk.Offset && at < chunk.Offset + chunk.StoredLength;
                    Assert.Equal(touched ? null : plaintext, TestPack.Open(altered, chunk));
                }
            }

            Assert.Throws<BackupException>(() => ObjectChecksum.Check(TestPack.Name, altered));
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(PackFormat.VersionOffset)]
    [InlineData(PackFormat.KindOffset)]
    [InlineData(PackFormat.SaltOffset)]
    public void A_changed_header_opens_no_chunk(int at)
    {
        TestPack pack = TestPack.Make(1, [60, 90]);
        byte[] altered = [.. pack.Content];
        altered[at] ^= 1;
        byte[]? opened = null;
        try
        {
            opened = TestPack.Open(altered, pack.Chunks[0]);
        }
        catch (BackupException e)
        {
            Assert.True(e.Id is BackupErrorId.VaultDataCorrupt or BackupErrorId.VaultFormatUnsupported);
        }

        Assert.Null(opened);
    }

    [Fact]
    public void Every_truncation_is_found_by_the_footer()
    {
        TestPack pack = TestPack.Make(1, [60, 90]);
        for (int length = PackFormat.Overhead(0); length < pack.Content.Length; length++)
        {
            Assert.Equal(BackupErrorId.VaultDataCorrupt, FaultOf(pack.Content[..length]));
        }
    }

    [Fact]
    public void A_chunk_does_not_open_in_the_place_of_another()
    {
        TestPack pack = TestPack.Make(1, [64, 64]);
        TestPack other = TestPack.Make(1, [64, 64]);
        Assert.Equal(pack.Chunks, other.Chunks);
        PackedChunk chunk = pack.Chunks[0];

        // In the same pack, between packs, and under another description.
        byte[] swapped = [.. pack.Content];
        pack.Content.AsSpan(pack.Chunks[1].Offset, pack.Chunks[1].StoredLength).CopyTo(swapped.AsSpan(chunk.Offset));
        Assert.Null(TestPack.Open(swapped, chunk));

        byte[] mixed = [.. pack.Content];
        other.Content.AsSpan(chunk.Offset, chunk.StoredLength).CopyTo(mixed.AsSpan(chunk.Offset));
        Assert.Null(TestPack.Open(mixed, chunk));

        Assert.Null(TestPack.Open(pack.Content, chunk with { Id = pack.Chunks[1].Id }));
        Assert.Null(TestPack.Open(pack.Content, chunk with { Kind = ChunkKind.ManifestLeaf }));
        Assert.Null(TestPack.Open(pack.Content, chunk with { Ordinal = 1 }));
        Assert.Null(TestPack.Open(pack.Content, chunk with { Encoding = ChunkEncoding.Brotli }));
        Assert.Null(TestPack.Open(pack.Content, chunk with { RawLength = 63 }));
        Assert.Null(TestPack.Open(pack.Content, chunk with { StoredLength = chunk.StoredLength - 1 }));
        Assert.Null(TestPack.Open(pack.Content, chunk with { StoredLength = PackFormat.TagLength - 1 }));
        Assert.Null(TestPack.Open(pack.Content, chunk with { Offset = chunk.Offset + 1 }));
        Assert.Equal(pack.Plaintexts[0], TestPack.Open(pack.Content, chunk));
    }

    [Fact]
    public void A_pack_of_another_store_does_not_open()
    {
        TestPack pack = TestPack.Make(1, [64]);
        PackReader.ReadHeader(TestPack.Name, pack.Content, out byte[] salt);
        var others = TestKeys.KeysOf(TestKeys.VaultId, TestKeys.Bytes(9, 16));
        using AesGcm aes = PackReader.OpenPack(others, salt);
        PackedChunk chunk = pack.Chunks[0];

        Assert.False(PackReader.TryOpenChunk(
            others, aes, PackKind.Data, chunk, pack.Content.AsSpan(chunk.Offset, chunk.StoredLength), new byte[chunk.StoredLength], new byte[chunk.RawLength]));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(15)]
    [InlineData(17)]
    [InlineData(0x10 + PackFormat.RecordLength - 1)]
    [InlineData(0x10 + (100 * PackFormat.RecordLength))]
    [InlineData(int.MaxValue)]
    [InlineData(-1)]
    [InlineData(int.MinValue)]
    public void A_footer_length_that_cannot_be_is_refused(int length)
    {
        byte[] pack = TestPack.Make(1, [60]).Content;
        BinaryPrimitives.WriteInt32LittleEndian(pack.AsSpan(pack.Length - PackFormat.TrailerLength), length);

        Assert.Equal(BackupErrorId.VaultDataCorrupt, FaultOf(TestPack.WithChecksum(pack)));
    }

    [Fact]
    public void A_pack_that_is_too_long_is_refused_before_anything_is_allocated()
    {
        byte[] trailer = new byte[PackFormat.TrailerLength];
        BinaryPrimitives.WriteInt32LittleEndian(trailer, PackFormat.TagLength + (1_000_000 * PackFormat.RecordLength));

        BackupException fault = Assert.Throws<BackupException>(() => PackReader.ReadFooterLength(TestPack.Name, PackFormat.MaxLength + 1L, trailer));

        Assert.Equal(BackupErrorId.VaultDataCorrupt, fault.Id);
    }

    [Theory]
    [InlineData(100, 15, "less than a tag")]
    [InlineData(100, 0, "nothing")]
    [InlineData(100, 1001, "more than the pack has")]
    [InlineData(100, uint.MaxValue, "far more than the pack has")]
    [InlineData((uint)ChunkCodec.MaxRawLength + 1, 16, "more plaintext than a chunk may have")]
    [InlineData(uint.MaxValue, 16, "far more plaintext than a chunk may have")]
    public void A_record_that_cannot_be_is_refused_though_its_seal_is_right(uint raw, uint stored, string because)
    {
        byte[] footer = new byte[PackFormat.RecordLength];
        footer[PackFormat.RecordKindOffset] = (byte)ChunkKind.Content;
        BinaryPrimitives.WriteUInt32LittleEndian(footer.AsSpan(PackFormat.RecordRawOffset), raw);
        BinaryPrimitives.WriteUInt32LittleEndian(footer.AsSpan(PackFormat.RecordStoredOffset), stored);

        Assert.True(FaultOf(TestPack.Forge(footer, bodyLength: 1000)) == BackupErrorId.VaultDataCorrupt, because);
    }

    [Fact]
    public void Records_that_together_are_longer_than_the_pack_are_refused()
    {
        byte[] footer = new byte[3 * PackFormat.RecordLength];
        for (int i = 0; i < 3; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(footer.AsSpan((i * PackFormat.RecordLength) + PackFormat.RecordStoredOffset), 400);
        }

        Assert.Equal(BackupErrorId.VaultDataCorrupt, FaultOf(TestPack.Forge(footer, bodyLength: 1000)));
        Assert.Null(FaultOf(TestPack.Forge(footer, bodyLength: 1200)));
    }

    [Fact]
    public void A_pack_kind_that_nobody_writes_is_refused()
    {
        byte[] pack = TestPack.Make(1, [], (PackKind)3).Content;

        Assert.Equal(BackupErrorId.VaultDataCorrupt, FaultOf(pack));
    }

    [Fact]
    public void Plaintext_shows_nowhere_in_a_pack()
    {
        TestPack pack = TestPack.Make(1, [1000, 1000]);
        byte[] id = new byte[ChunkId.Length];
        pack.Chunks[0].Id.CopyTo(id);

        Assert.Equal(-1, pack.Content.AsSpan().IndexOf(pack.Plaintexts[0].AsSpan(0, 8)));
        Assert.Equal(-1, pack.Content.AsSpan().IndexOf(id.AsSpan(0, 8)));
    }

    private static BackupErrorId? FaultOf(byte[] pack)
    {
        try
        {
            TestPack.ReadFooter(pack);
            return null;
        }
        catch (BackupException e)
        {
            Assert.Equal(TestPack.Name, e.Target);
            return e.Id;
        }
    }
}
