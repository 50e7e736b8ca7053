using System.Buffers.Binary;
using FsCheck;
using FsCheck.Fluent;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Index;
using MSOnlineBackup.Vaults.Packs;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Index;

public class IndexSegmentTests
{
    private const string Name = "stores/s/index/1";
    private const int FirstPack = IndexSegment.HeaderLength;

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 0)]
    [InlineData(1, 1)]
    [InlineData(3, 200)]
    public void Packs_and_records_round_trip_sorted_by_id(int packs, int chunksEach)
    {
        (PackInfo Pack, IReadOnlyList<PackedChunk> Chunks)[] written = Make(packs, chunksEach);
        var registered = new List<PackInfo>();

        byte[] records = IndexSegment.Decode(Name, IndexSegment.Encode(written), epoch => epoch == 0, pack =>
        {
            registered.Add(pack);
            return registered.Count + 6;
        });

        Assert.Equal(written.Select(w => Describe(w.Pack)), registered.Select(Describe));
        (PackedChunk Chunk, int Pack)[] read =
        [
            .. Enumerable.Range(0, records.Length / IndexSegment.RecordLength)
                .Select(i => (IndexSegment.ReadRecord(records.AsSpan(i * IndexSegment.RecordLength), out int pack), pack)),
        ];
        Assert.Equal(written.SelectMany((w, i) => w.Chunks.Select(chunk => (chunk, i + 7))).OrderBy(r => r.chunk.Id), read);
    }

    [Theory]
    [InlineData(0, 2u, "a newer version")]
    [InlineData(0, 0u, "no version")]
    [InlineData(4, 0u, "fewer packs than it has")]
    [InlineData(4, 3u, "more packs than it has")]
    [InlineData(4, uint.MaxValue, "absurdly many packs")]
    [InlineData(8, 0u, "fewer records than it has")]
    [InlineData(8, uint.MaxValue, "absurdly many records")]
    [InlineData(8, 76_695_845u, "records whose length overflows 32 bits")]
    [InlineData(FirstPack + 20, PackFormat.MaxLength + 1u, "a pack too long")]
    [InlineData(FirstPack + 20, uint.MaxValue, "a pack far too long")]
    [InlineData(FirstPack + 20, 0u, "a pack shorter than its chunks")]
    [InlineData(12, 1u, "a critical flag")]
    [InlineData(FirstRecord + 32, 2u, "a pack that is not there")]
    [InlineData(FirstRecord + 32, uint.MaxValue, "a negative pack")]
    [InlineData(FirstRecord + 36, uint.MaxValue, "an offset outside the pack")]
    [InlineData(FirstRecord + 40, uint.MaxValue, "a length outside the pack")]
    [InlineData(FirstRecord + 40, 15u, "less than a tag")]
    [InlineData(FirstRecord + 44, ChunkCodec.MaxRawLength + 1u, "more plaintext than a chunk may have")]
    [InlineData(FirstRecord, uint.MaxValue, "an id out of order")]
    public void A_field_that_cannot_be_is_refused_and_nothing_is_taken_in(int at, uint value, string because)
    {
        byte[] segment = IndexSegment.Encode(Make(2, 5));
        BinaryPrimitives.WriteUInt32LittleEndian(segment.AsSpan(at), value);
        int registered = 0;

        BackupException fault = Assert.Throws<BackupException>(() => IndexSegment.Decode(Name, segment, epoch => epoch == 0, _ => registered++));

        Assert.True(fault.Id == (at is 0 or 12 ? BackupErrorId.VaultFormatUnsupported : BackupErrorId.VaultDataCorrupt), because);
        Assert.Equal(Name, fault.Target);
        Assert.Equal(0, registered);
    }

    private const int FirstRecord = FirstPack + (2 * IndexSegment.PackLength);

    [Theory]
    [InlineData(24, 3, "kind")]
    [InlineData(25, 1, "critical flag")]
    [InlineData(26, 1, "epoch")]
    public void A_pack_that_a_newer_version_wrote_hides_its_own_chunks_and_no_others(int at, byte value, string what)
    {
        byte[] segment = IndexSegment.Encode(Make(2, 5));
        segment[FirstPack + at] = value;
        var index = new ChunkIndex(epoch => epoch == 0);

        PackInfo foreign = Assert.Single(index.AddSegment(Name, segment, out _));

        Assert.True(foreign.Number == 0, what);
        Assert.All(Make(2, 5)[0].Chunks, chunk => Assert.False(index.Contains(chunk.Id)));
        Assert.All(Make(2, 5)[1].Chunks, chunk => Assert.True(index.Contains(chunk.Id)));
        Assert.Empty(index.AddSegment(Name, segment, out _));
    }

    [Fact]
    public void What_no_version_uses_yet_is_passed_over()
    {
        byte[] segment = IndexSegment.Encode(Make(2, 5));
        segment.AsSpan(FirstPack + 27, 5).Fill(0xff);
        segment.AsSpan(FirstRecord + 54, 2).Fill(0xff);
        var index = new ChunkIndex(epoch => epoch == 0);

        Assert.Empty(index.AddSegment(Name, segment, out _));
        Assert.All(Make(2, 5).SelectMany(pack => pack.Chunks), chunk => Assert.True(index.TryFind(chunk.Id, out ChunkLocation found) && found.Chunk == chunk));
    }

    [Fact]
    public void Every_truncation_is_damage()
    {
        byte[] segment = IndexSegment.Encode(Make(2, 5));
        for (int length = 0; length < segment.Length; length++)
        {
            BackupException fault = Assert.Throws<BackupException>(() => IndexSegment.Decode(Name, segment.AsSpan(0, length), epoch => epoch == 0, _ => 0));
            Assert.Equal(BackupErrorId.VaultDataCorrupt, fault.Id);
        }
    }

    [Fact]
    public void A_mutated_segment_decodes_to_legal_records_or_names_itself()
    {
        Prop.ForAll<int>(seed =>
        {
            var random = new Random(seed);
            byte[] segment = IndexSegment.Encode(Make(random.Next(4), random.Next(20)));
            for (int i = random.Next(1, 5); i > 0; i--)
            {
                segment[random.Next(segment.Length)] = (byte)random.Next(256);
            }

            if (random.Next(4) == 0)
            {
                Array.Resize(ref segment, random.Next(segment.Length + 200));
            }

            var packs = new List<PackInfo>();
            try
            {
                byte[] records = IndexSegment.Decode(Name, segment, epoch => epoch == 0, pack =>
                {
                    packs.Add(pack);
                    return packs.Count - 1;
                });
                ChunkId previous = default;
                for (int at = 0; at < records.Length; at += IndexSegment.RecordLength)
                {
                    PackedChunk chunk = IndexSegment.ReadRecord(records.AsSpan(at), out int pack);
                    Assert.True(chunk.Id >= previous);
                    Assert.InRange(chunk.RawLength, 0, ChunkCodec.MaxRawLength);
                    Assert.InRange(chunk.StoredLength, PackFormat.TagLength, packs[pack].Length);
                    Assert.InRange(chunk.Offset, 0, packs[pack].Length - chunk.StoredLength);
                    previous = chunk.Id;
                }
            }
            catch (BackupException e)
            {
                Assert.True(e.Id is BackupErrorId.VaultDataCorrupt or BackupErrorId.VaultFormatUnsupported);
            }
        }).QuickCheckThrowOnFailure();
    }

    private static (PackInfo Pack, IReadOnlyList<PackedChunk> Chunks)[] Make(int packs, int chunksEach) =>
    [
        .. Enumerable.Range(0, packs).Select(p =>
            (TestPacks.Pack((uint)p), (IReadOnlyList<PackedChunk>)TestPacks.Chunks(Enumerable.Range(p * chunksEach, chunksEach).Select(TestPacks.Id)))),
    ];

    private static string Describe(PackInfo pack) =>
        $"{pack.Session} {pack.Number} {pack.Kind} {pack.Length} {Convert.ToHexString(pack.Salt)} {pack.IsAvailable}";
}
