using BenchmarkDotNet.Attributes;
using MSOnlineBackup.Engine.Chunking;

namespace MSOnlineBackup.Benchmarks;

/// <summary>Finding the cuts of 32 MiB of random bytes; an operation is a byte.</summary>
public class ChunkingBenchmarks
{
    private const int Length = 32 << 20;

    private readonly Chunker _chunker = new(Samples.Keys.GearTable);
    private readonly byte[] _data = Samples.Noise(Length, seed: 3);

    [Benchmark(OperationsPerInvoke = Length)]
    public int FindCuts()
    {
        int chunks = 0;
        for (int start = 0; start < _data.Length; chunks++)
        {
            ChunkScan scan = default;
            int length = _chunker.FindCut(_data.AsSpan(start), ref scan);
            start += length == 0 ? _data.Length - start : length;
        }

        return chunks;
    }
}
