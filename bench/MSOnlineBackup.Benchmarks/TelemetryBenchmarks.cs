using System.Diagnostics.Metrics;
using BenchmarkDotNet.Attributes;
using MSOnlineBackup.Engine;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Telemetry;

namespace MSOnlineBackup.Benchmarks;

/// <summary>What it costs that the engine can be listened to: counting a file, and a first backup of 2,000 files of 4 KiB, with a listener and without.</summary>
public class TelemetryBenchmarks : IDisposable
{
    private const string Passphrase = "a passphrase for benchmarks";
    private const int Files = 2000;
    private const int Length = 4096;

    private readonly VaultOptions _options = new() { KeyDerivationIterations = 1000 };
    private readonly JobMonitor _monitor = new();
    private MeterListener? _listener;
    private string _folder = "";
    private int _round;
    private long _items;

    /// <summary>Whether somebody listens to all figures.</summary>
    [Params(false, true)]
    public bool IsListenedTo { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _folder = Directory.CreateTempSubdirectory("ob-bench-").FullName;
        Directory.CreateDirectory(Path.Combine(_folder, "source"));
        byte[] content = new byte[Length];
        for (int i = 0; i < Files; i++)
        {
            new Random(i).NextBytes(content);
            File.WriteAllBytes(Path.Combine(_folder, "source", $"{i}"), content);
        }

        if (IsListenedTo)
        {
            _listener = new MeterListener { InstrumentPublished = (instrument, self) => Enable(instrument, self) };
            _listener.SetMeasurementEventCallback<long>((_, _, _, _) => { });
            _listener.SetMeasurementEventCallback<double>((_, _, _, _) => { });
            _listener.Start();
        }
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _listener?.Dispose();
        if (Directory.Exists(_folder))
        {
            Directory.Delete(_folder, recursive: true);
        }

        GC.SuppressFinalize(this);
    }

    /// <summary>What counting a file costs by itself: three additions.</summary>
    [Benchmark(Baseline = true)]
    public long Counted()
    {
        Interlocked.Increment(ref _items);
        Interlocked.Add(ref _items, Length);
        return Interlocked.Add(ref _items, Length);
    }

    /// <summary>What it costs as it is.</summary>
    [Benchmark]
    public void Told()
    {
        _monitor.AddItem(isFile: true);
        _monitor.AddBytes(Length);
        _monitor.AddReadBytes(Length);
    }

    /// <summary>A whole backup.</summary>
    [Benchmark]
    public async Task<BackupResult> BackUp()
    {
        var store = new MeteredVaultStore(FolderVaultStore.Create(Path.Combine(_folder, $"vault-{_round++}")));
        Vault made = await Vault.CreateAsync(store, Passphrase, _options, CancellationToken.None);
        using UnlockedVault vault = await made.UnlockAsync(Passphrase, CancellationToken.None);
        return await vault.BackUpAsync(
            new BackupRequest { MachineName = "A", Sources = [new BackupSource.Tree(Path.Combine(_folder, "source"), SourceSelection.Everything)] },
            new JobMonitor(),
            CancellationToken.None);
    }

    private static void Enable(Instrument instrument, MeterListener listener)
    {
        if (instrument.Meter.Name == EngineTelemetry.Name)
        {
            listener.EnableMeasurementEvents(instrument);
        }
    }
}
