using BenchmarkDotNet.Attributes;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Index;
using MSOnlineBackup.Vaults.Packs;

namespace MSOnlineBackup.Benchmarks;

/// <summary>An index of a million chunks in 32-chunk packs, about a tebibyte of content; a look-up is an operation.</summary>
public class IndexBenchmarks
{
    private const int Known = 1_000_000;
    private const int PerPack = 32;
    private const int Lookups = 1000;

    private readonly ChunkIndex _index = new(epoch => epoch == 0);
    private readonly ChunkId[] _known = new ChunkId[Lookups];
    private readonly ChunkId[] _new = new ChunkId[Lookups];
    private readonly List<byte[]> _segments = [];

    [GlobalSetup]
    public void Setup()
    {
        for (int first = 0; first < Known; first += PerPack)
        {
            var pack = new PackInfo(SessionId.Parse(new string('0', 32)), (uint)(first / PerPack), PackKind.Data, 16 << 20, new byte[PackFormat.SaltLength]);
            var chunks = new PackedChunk[PerPack];
            for (int i = 0; i < PerPack; i++)
            {
                chunks[i] = new PackedChunk(Samples.Id(first + i), ChunkKind.Content, ChunkEncoding.Raw, (uint)i, i * 1024, 1024, 1008);
            }

            _index.AddPack(pack, chunks);
        }

        while (_index.TakeSegment() is { } segment)
        {
            _segments.Add(segment);
        }

        for (int i = 0; i < Lookups; i++)
        {
            _known[i] = Samples.Id((long)i * 997 % Known);
            _new[i] = Samples.Id(Known + i);
        }
    }

    [Benchmark(OperationsPerInvoke = Lookups)]
    public int FindKnown() => Count(_known);

    [Benchmark(OperationsPerInvoke = Lookups)]
    public int FindNew() => Count(_new);

    /// <summary>Opening a vault: all segments from their plaintext; an operation is a chunk.</summary>
    [Benchmark(OperationsPerInvoke = Known)]
    public long Load()
    {
        var index = new ChunkIndex(epoch => epoch == 0);
        foreach (byte[] segment in _segments)
        {
            index.AddSegment("segment", segment, out _);
        }

        return index.RecordCount;
    }

    private int Count(ChunkId[] ids)
    {
        int found = 0;
        foreach (ChunkId id in ids)
        {
            found += _index.TryFind(id, out _) ? 1 : 0;
        }

        return found;
    }
}
