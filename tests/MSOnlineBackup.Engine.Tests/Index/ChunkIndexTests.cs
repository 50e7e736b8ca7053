using FsCheck;
using FsCheck.Fluent;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Index;
using MSOnlineBackup.Vaults.Packs;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Index;

public class ChunkIndexTests
{
    [Fact]
    public void The_index_answers_as_a_list_of_all_copies_would()
    {
        Prop.ForAll<int>(seed =>
        {
            var random = new Random(seed);
            var index = new ChunkIndex(epoch => epoch == 0);
            var model = new Model();
            for (uint step = 0; step < 40; step++)
            {
                switch (random.Next(6))
                {
                    case 0:
                        (PackInfo, IReadOnlyList<PackedChunk>)[] packs =
                            [.. Enumerable.Range(0, random.Next(1, 4)).Select(i => MakePack(random, (step * 10) + (uint)i))];
                        index.AddSegment("segment", IndexSegment.Encode(packs), out _);
                        model.Add(packs, written: true);
                        break;
                    case 1:
                        (PackInfo Pack, IReadOnlyList<PackedChunk> Chunks) one = MakePack(random, step * 10);
                        index.AddPack(one.Pack, one.Chunks);
                        model.Add([one], written: false);
                        break;
                    case 2:
                        ChunkId claimed = TestPacks.Id(random.Next(30));
                        bool isNew = !model.Contains(claimed);
                        Assert.Equal(isNew, index.TryClaim(claimed));
                        if (isNew)
                        {
                            model.Claims.Add(claimed);
                        }

                        break;
                    case 3:
                        byte[]? segment = index.TakeSegment();
                        Assert.Equal(model.Unwritten, segment is not null);
                        model.Write();
                        break;
                    case 4 when model.WrittenPacks is { Count: > 0 } written:
                        uint lost = written[random.Next(written.Count)];
                        Assert.True(index.TryGetPack(TestPacks.Pack(lost).Session, lost, out PackInfo? pack));
                        pack.IsAvailable = false;
                        model.Lost.Add(lost);
                        break;
                }

                model.AssertSameAs(index);
            }
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public async Task Of_many_who_claim_a_chunk_at_once_one_gets_it()
    {
        var index = new ChunkIndex(epoch => epoch == 0);
        int[] wins = new int[200];

        await Parallel.ForEachAsync(Enumerable.Range(0, 8 * wins.Length), (i, _) =>
        {
            int chunk = i % wins.Length;
            if (index.TryClaim(TestPacks.Id(chunk)))
            {
                Interlocked.Increment(ref wins[chunk]);
            }

            return ValueTask.CompletedTask;
        });

        Assert.All(wins, count => Assert.Equal(1, count));
    }

    [Fact]
    public void A_segment_holds_no_more_records_than_a_reader_expects()
    {
        var index = new ChunkIndex(epoch => epoch == 0);
        List<PackedChunk> chunks = TestPacks.Chunks(Enumerable.Range(0, 100_000).Select(TestPacks.Id));
        for (uint pack = 0; pack < 5; pack++)
        {
            index.AddPack(TestPacks.Pack(pack), chunks);
        }

        int[] records = [.. Take().Select(segment => IndexSegment.Decode("s", segment, epoch => epoch == 0, _ => 0).Length / IndexSegment.RecordLength)];

        Assert.Equal([IndexSegment.MaxRecords, 100_000], records);
        Assert.Equal(5, index.FindAll(chunks[0].Id).Count);

        IEnumerable<byte[]> Take()
        {
            while (index.TakeSegment() is { } segment)
            {
                yield return segment;
            }
        }
    }

    [Fact]
    public void A_damaged_segment_leaves_no_trace()
    {
        var index = new ChunkIndex(epoch => epoch == 0);
        byte[] segment = IndexSegment.Encode([(TestPacks.Pack(1), TestPacks.Chunks([TestPacks.Id(1)]))]);
        segment[^13] = 0xff;

        Assert.Equal(BackupErrorId.VaultDataCorrupt, Assert.Throws<BackupException>(() => index.AddSegment("s", segment, out _)).Id);

        // Or the pack would count as indexed, and its chunks would not be looked for in its footer.
        Assert.Empty(index.Packs);
        Assert.False(index.Contains(TestPacks.Id(1)));
    }

    private static (PackInfo Pack, IReadOnlyList<PackedChunk> Chunks) MakePack(Random random, uint number) =>
        (TestPacks.Pack(number), TestPacks.Chunks(Enumerable.Range(0, random.Next(8)).Select(_ => random.Next(30)).Distinct().Select(TestPacks.Id)));

    /// <summary>What the index is to know, in the most simple-minded way.</summary>
    private sealed class Model
    {
        private readonly List<(uint Pack, PackedChunk Chunk, bool Written)> _copies = [];
        private readonly HashSet<uint> _packs = [];
        private readonly List<uint> _unwritten = [];

        public HashSet<ChunkId> Claims { get; } = [];

        public HashSet<uint> Lost { get; } = [];

        public bool Unwritten => _unwritten.Count > 0;

        public List<uint> WrittenPacks => [.. _packs.Except(_unwritten)];

        public void Add((PackInfo Pack, IReadOnlyList<PackedChunk> Chunks)[] packs, bool written)
        {
            foreach ((PackInfo pack, IReadOnlyList<PackedChunk> chunks) in packs)
            {
                _packs.Add(pack.Number);
                _copies.AddRange(chunks.Select(chunk => (pack.Number, chunk, written)));
                if (!written)
                {
                    _unwritten.Add(pack.Number);
                    Claims.ExceptWith(chunks.Select(chunk => chunk.Id));
                }
            }
        }

        public void Write()
        {
            _unwritten.Clear();
            for (int i = 0; i < _copies.Count; i++)
            {
                _copies[i] = _copies[i] with { Written = true };
            }
        }

        public bool Contains(ChunkId id) => Claims.Contains(id) || Copies(id).Any();

        public void AssertSameAs(ChunkIndex index)
        {
            Assert.Equal(_packs, index.Packs.Select(pack => pack.Number).ToHashSet());
            Assert.Equal(_copies.Count, index.RecordCount);
            Assert.Equal(_copies.Select(copy => (copy.Pack, copy.Chunk)).Order(_order), index.All().Select(l => (l.Pack.Number, l.Chunk)).Order(_order));
            for (int value = 0; value < 30; value++)
            {
                ChunkId id = TestPacks.Id(value);
                (uint, PackedChunk)[] copies = [.. Copies(id).Order(_order)];
                (uint, PackedChunk)[] found = [.. index.FindAll(id).Select(l => (l.Pack.Number, l.Chunk)).Order(_order)];

                Assert.Equal(Contains(id), index.Contains(id));
                Assert.Equal(copies.Length > 0, index.TryFind(id, out ChunkLocation location));
                if (copies.Length > 0)
                {
                    Assert.Contains((location.Pack.Number, location.Chunk), copies);
                }

                // Of several copies that are in no segment yet, the newest stands for all.
                Assert.Subset(copies.ToHashSet(), found.ToHashSet());
                Assert.Equal(copies.Length > 0, found.Length > 0);
                Assert.Equal(WrittenCopies(id).Order(_order), found.Where(copy => WrittenCopies(id).Contains(copy)));
            }
        }

        private static readonly Comparer<(uint Pack, PackedChunk Chunk)> _order = Comparer<(uint Pack, PackedChunk Chunk)>.Create(
            static (x, y) => x.Pack != y.Pack ? x.Pack.CompareTo(y.Pack) : x.Chunk.Ordinal.CompareTo(y.Chunk.Ordinal));

        private IEnumerable<(uint Pack, PackedChunk Chunk)> Copies(ChunkId id) =>
            _copies.Where(copy => copy.Chunk.Id == id && !Lost.Contains(copy.Pack)).Select(copy => (copy.Pack, copy.Chunk));

        private IEnumerable<(uint Pack, PackedChunk Chunk)> WrittenCopies(ChunkId id) =>
            _copies.Where(copy => copy.Written && copy.Chunk.Id == id && !Lost.Contains(copy.Pack)).Select(copy => (copy.Pack, copy.Chunk));
    }
}
