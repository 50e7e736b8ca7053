using System.Buffers.Binary;
using System.IO.Hashing;
using System.Security.Cryptography;
using FsCheck;
using FsCheck.Fluent;
using MSOnlineBackup.Engine.Tests.Cryptography;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Packs;
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
        Assert.Equal(1, pack.Content[PackFormat.VersionOffset]);
        Assert.Equal(XxHash128.Hash(pack.Content.AsSpan(..^16)), pack.Content[^16..]);
        Assert.Equal(
            Padding.LengthFor(PackFormat.Overhead(lengths.Length) + pack.Chunks.Sum(chunk => chunk.StoredLength), Padding.ObjectStep), pack.Content.Length);
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

            int least = PackFormat.Overhead(builder.Chunks.Count) + sealedLength;
            Assert.InRange(builder.Finish(isFull: random.Next(2) == 0).Length, least, Math.Max(least, buffer.Length));
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void What_a_pack_takes_over_from_another_is_sealed_anew_under_its_own_salt()
    {
        Prop.ForAll<int>(seed =>
        {
            var random = new Random(seed);
            using var into = new PackBuilder(TestKeys.Keys, PackKind.Data, new byte[1 << 20]);
            using var from = new PackBuilder(TestKeys.Keys, PackKind.Data, new byte[1 << 20]);
            var plaintexts = new List<byte[]>();
            foreach (PackBuilder builder in (PackBuilder[])[into, from])
            {
                for (int i = random.Next(5); i > 0; i--)
                {
                    plaintexts.Add(TestKeys.Bytes(random.Next(), random.Next(50_000)));
                    builder.Append(default, ChunkKind.Content, ChunkEncoding.Raw, plaintexts[^1].Length, plaintexts[^1]);
                }
            }

            Assert.True(into.TryTakeOver(from));

            byte[] pack = into.Finish(isFull: false).ToArray();
            List<PackedChunk> chunks = TestPack.ReadFooter(pack);
            Assert.Equal(into.Chunks, chunks);
            Assert.Equal(plaintexts.Select(Convert.ToHexString), chunks.Select(chunk => Convert.ToHexString(TestPack.Open(pack, chunk)!)));
            Assert.Equal(Enumerable.Range(0, chunks.Count).Select(i => (uint)i), chunks.Select(chunk => chunk.Ordinal));
            Assert.Equal(-1, pack.AsSpan().IndexOf(from.Salt));
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void A_pack_takes_over_all_of_another_or_nothing()
    {
        using var into = new PackBuilder(TestKeys.Keys, PackKind.Data, new byte[10_000]);
        using var from = new PackBuilder(TestKeys.Keys, PackKind.Data, new byte[10_000]);
        into.Append(default, ChunkKind.Content, ChunkEncoding.Raw, 5000, new byte[5000]);
        from.Append(default, ChunkKind.Content, ChunkEncoding.Raw, 100, new byte[100]);
        from.Append(default, ChunkKind.Content, ChunkEncoding.Raw, 5000, new byte[5000]);

        Assert.False(into.TryTakeOver(from));

        Assert.Single(into.Chunks);
        Assert.Equal(2, TestPack.ReadFooter(from.Finish(isFull: false).ToArray()).Count);
    }

    [Fact]
    public void The_length_of_a_pack_and_of_its_footer_say_little_of_what_it_holds()
    {
        var lengths = new HashSet<(int Pack, int Footer)>();
        for (int chunks = 1; chunks <= 20; chunks++)
        {
            byte[] pack = TestPack.Make(chunks, Enumerable.Range(1, chunks).Select(i => 61 * i)).Content;
            lengths.Add((pack.Length, PackReader.ReadFooterLength(TestPack.Name, pack.Length, pack.AsSpan(pack.Length - PackFormat.TrailerLength))));
        }

        Assert.Equal([(4096, 1024), (8192, 1024), (12_288, 1024)], lengths);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void No_more_is_padded_than_the_document_says(bool isFull)
    {
        foreach (int length in (int[])[1, 100_000, 1 << 20, 5_000_000, (8 << 20) - 5000, (16 << 20) - 5000])
        {
            using var builder = new PackBuilder(TestKeys.Keys, PackKind.Data, new byte[16 << 20]);
            builder.Append(default, ChunkKind.Content, ChunkEncoding.Raw, length, new byte[length]);
            int least = PackFormat.Overhead(1) + length + PackFormat.TagLength;

            int finished = builder.Finish(isFull).Length;

            Assert.Equal(isFull ? (least + 65_535) / 65_536 * 65_536 : Padding.LengthFor(least, 4096), finished);
        }
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
        int sealedEnd = pack.Chunks[^1].Offset + pack.Chunks[^1].StoredLength;
        for (int bit = 0; bit < pack.Content.Length * 8; bit++)
        {
            // Of the padding one byte stands for all.
            int at = bit / 8;
            if (at > sealedEnd && at < pack.Content.Length - PackFormat.TrailerLength - PackFormat.FooterLength(pack.Chunks.Count))
            {
                continue;
            }

            byte[] altered = [.. pack.Content];
            altered[at] ^= (byte)(1 << (bit % 8));

            bool header = at < PackFormat.HeaderLength;
            int body = pack.Content.Length - PackFormat.TrailerLength - PackFormat.FooterLength(pack.Chunks.Count);
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
    [InlineData(PackFormat.FlagsOffset)]
    [InlineData(PackFormat.EpochOffset)]
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
        Assert.Null(TestPack.Open(pack.Content, chunk with { Encoding = ChunkEncoding.Zstandard }));
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
        PackReader.ReadHeader(TestPack.Name, pack.Content, out byte[] salt, out _);
        var others = TestKeys.KeysOf(TestKeys.VaultId, new StoreId(TestKeys.Bytes(9, 16)));
        using AesGcm aes = PackReader.OpenPack(others, salt, 0);
        PackedChunk chunk = pack.Chunks[0];

        Assert.False(PackReader.TryOpenChunk(
            others, aes, PackKind.Data, chunk, pack.Content.AsSpan(chunk.Offset, chunk.StoredLength), new byte[chunk.StoredLength], new byte[chunk.RawLength]));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(15)]
    [InlineData(PackFormat.MinFooterLength - 1)]
    [InlineData(0x10 + (1000 * PackFormat.RecordLength))]
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
        byte[] footer = new byte[sizeof(uint) + PackFormat.RecordLength];
        footer[0] = 1;
        footer[sizeof(uint) + PackFormat.RecordKindOffset] = (byte)ChunkKind.Content;
        BinaryPrimitives.WriteUInt32LittleEndian(footer.AsSpan(sizeof(uint) + PackFormat.RecordRawOffset), raw);
        BinaryPrimitives.WriteUInt32LittleEndian(footer.AsSpan(sizeof(uint) + PackFormat.RecordStoredOffset), stored);

        Assert.True(FaultOf(TestPack.Forge(footer, bodyLength: 1000)) == BackupErrorId.VaultDataCorrupt, because);
    }

    [Fact]
    public void Records_that_together_are_longer_than_the_pack_are_refused()
    {
        byte[] footer = new byte[sizeof(uint) + (3 * PackFormat.RecordLength)];
        footer[0] = 3;
        for (int i = 0; i < 3; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(footer.AsSpan(sizeof(uint) + (i * PackFormat.RecordLength) + PackFormat.RecordStoredOffset), 400);
        }

        Assert.Equal(BackupErrorId.VaultDataCorrupt, FaultOf(TestPack.Forge(footer, bodyLength: 1000)));
        Assert.Null(FaultOf(TestPack.Forge(footer, bodyLength: 1200)));
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(1u)]
    [InlineData(3u)]
    [InlineData(4u)]
    [InlineData(uint.MaxValue)]
    public void A_footer_has_as_many_records_as_it_says_and_what_is_behind_them_is_passed_over(uint count)
    {
        byte[] footer = new byte[sizeof(uint) + (3 * PackFormat.RecordLength) + 41];
        BinaryPrimitives.WriteUInt32LittleEndian(footer, count);
        for (int i = 0; i < 3; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(footer.AsSpan(sizeof(uint) + (i * PackFormat.RecordLength) + PackFormat.RecordStoredOffset), 400);
        }

        byte[] pack = TestPack.Forge(footer, bodyLength: 1300);

        Assert.Equal(count > 3 ? BackupErrorId.VaultDataCorrupt : null, FaultOf(pack));
        if (count <= 3)
        {
            Assert.Equal((int)count, TestPack.ReadFooter(pack).Count);
        }
    }

    [Theory]
    [InlineData(PackFormat.VersionOffset)]
    [InlineData(PackFormat.KindOffset)]
    [InlineData(PackFormat.FlagsOffset)]
    [InlineData(PackFormat.EpochOffset)]
    public void What_a_header_says_that_is_not_known_may_be_a_newer_versions(int at)
    {
        byte[] pack = TestPack.Make(1, []).Content;
        pack[at] = 0x40;

        Assert.Equal(BackupErrorId.VaultFormatUnsupported, FaultOf(TestPack.WithChecksum(pack)));
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
