using BenchmarkDotNet.Attributes;
using MSOnlineBackup.Vaults.Chunks;

namespace MSOnlineBackup.Benchmarks;

/// <summary>Encoding and decoding a chunk of 1 MiB; an operation is a byte of plaintext.</summary>
public class CodecBenchmarks
{
    private readonly byte[] _destination = new byte[Samples.PieceLength];
    private byte[] _piece = [];
    private byte[] _encoded = [];
    private ChunkEncoding _encoding;

    [ParamsAllValues]
    public SampleKind Content { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _piece = Samples.Piece(Content);
        int length = ChunkCodec.Encode(_piece, _destination, out _encoding);
        _encoded = _destination[..length];
    }

    [Benchmark(OperationsPerInvoke = Samples.PieceLength)]
    public int Encode() => ChunkCodec.Encode(_piece, _destination, out _);

    [Benchmark(OperationsPerInvoke = Samples.PieceLength)]
    public bool Decode() => ChunkCodec.TryDecode(_encoding, _encoded, _destination);

    [Benchmark(OperationsPerInvoke = Samples.PieceLength)]
    public bool EntropyTest() => ChunkCodec.LooksIncompressible(_piece);
}
