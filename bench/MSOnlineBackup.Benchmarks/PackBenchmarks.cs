using System.Security.Cryptography;
using BenchmarkDotNet.Attributes;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Packs;

namespace MSOnlineBackup.Benchmarks;

/// <summary>Sealing fifteen chunks of 1 MiB into a pack of 16 MiB, and opening them; an operation is a byte.</summary>
public class PackBenchmarks
{
    private const int Chunks = 15;

    private readonly byte[] _buffer = new byte[16 << 20];
    private readonly byte[] _piece = Samples.Piece(SampleKind.Random);
    private readonly byte[] _opened = new byte[Samples.PieceLength];
    private readonly ChunkId _id = Samples.Id(0);
    private readonly List<PackedChunk> _chunks = [];
    private byte[] _pack = [];
    private byte[] _salt = [];

    [GlobalSetup]
    public void Setup()
    {
        using PackBuilder builder = Build();
        _chunks.AddRange(builder.Chunks);
        _pack = builder.Finish(isFull: true).ToArray();
        _salt = builder.Salt;
    }

    [Benchmark(OperationsPerInvoke = Chunks * Samples.PieceLength)]
    public int Seal()
    {
        using PackBuilder builder = Build();
        return builder.Chunks.Count;
    }

    /// <summary>With footer and checksum: what a finished pack costs.</summary>
    [Benchmark(OperationsPerInvoke = Chunks * Samples.PieceLength)]
    public int SealAndFinish()
    {
        using PackBuilder builder = Build();
        return builder.Finish(isFull: true).Length;
    }

    [Benchmark(OperationsPerInvoke = Chunks * Samples.PieceLength)]
    public bool Open()
    {
        using AesGcm aes = PackReader.OpenPack(Samples.Keys, _salt, 0);
        bool authentic = true;
        foreach (PackedChunk chunk in _chunks)
        {
            authentic &= PackReader.TryOpenChunk(
                Samples.Keys, aes, PackKind.Data, chunk, _pack.AsSpan(chunk.Offset, chunk.StoredLength), [], _opened);
        }

        return authentic;
    }

    private PackBuilder Build()
    {
        var builder = new PackBuilder(Samples.Keys, PackKind.Data, _buffer);
        for (int i = 0; i < Chunks; i++)
        {
            builder.Append(_id, ChunkKind.Content, ChunkEncoding.Raw, _piece.Length, _piece);
        }

        return builder;
    }
}
