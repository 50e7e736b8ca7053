using BenchmarkDotNet.Attributes;
using MSOnlineBackup.Vaults.Chunks;

namespace MSOnlineBackup.Benchmarks;

/// <summary>Naming a chunk of 1 MiB; an operation is a byte.</summary>
public class IdentityBenchmarks
{
    private readonly ChunkIdentity _identity = new(Samples.Keys);
    private readonly byte[] _piece = Samples.Piece(SampleKind.Random);

    [Benchmark(OperationsPerInvoke = Samples.PieceLength)]
    public ulong Compute() => _identity.Compute(ChunkKind.Content, _piece).Prefix;
}
