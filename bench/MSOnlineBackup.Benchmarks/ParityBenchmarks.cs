using BenchmarkDotNet.Attributes;
using MSOnlineBackup.Vaults.Parity;

namespace MSOnlineBackup.Benchmarks;

/// <summary>Adding a pack of 16 MiB to the parity of its group, by one thread; an operation is a byte.</summary>
public class ParityBenchmarks
{
    private const int Length = 16 << 20;

    private readonly byte[] _pack = Samples.Noise(Length, seed: 5);
    private ParitySum _sum = null!;

    /// <summary>How much parity, in per cent.</summary>
    [Params(5, 10, 25)]
    public int Percent { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var geometry = ParityGeometry.For(Length, ParityGeometry.RowsFor(Percent, ParityGeometry.MaxPacks));
        _sum = new ParitySum(geometry, new byte[geometry.ParityLength]);
    }

    [Benchmark(OperationsPerInvoke = Length)]
    public void Add() => _sum.Add(slot: 7, _pack, workers: 1);
}
