using System.Security.Cryptography;
using System.Text;
using BenchmarkDotNet.Attributes;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Benchmarks;

/// <summary>A manifest of 100,000 files in 1,000 folders, its blocks in memory and in the clear; an operation is an entry.</summary>
public class ManifestBenchmarks
{
    private const int Folders = 1000;
    private const int FilesPerFolder = 100;
    private const int Entries = 1 + Folders + (Folders * FilesPerFolder);

    private readonly MemoryChunks _chunks = new();
    private ManifestEntry[] _entries = [];
    private ManifestRoot _root = null!;

    [GlobalSetup]
    public async Task Setup()
    {
        _entries = [.. MakeEntries().OrderBy(entry => entry.Path)];
        _root = await WriteAsync(_chunks);
    }

    [Benchmark(OperationsPerInvoke = Entries)]
    public Task<ManifestRoot> Write() => WriteAsync(new MemoryChunks());

    /// <summary>From entry to entry without an object for each.</summary>
    [Benchmark(OperationsPerInvoke = Entries)]
    public async Task<int> Walk()
    {
        ManifestCursor cursor = new ManifestReader(_chunks, _root).OpenCursor();
        int length = 0;
        while (await cursor.MoveNextAsync(CancellationToken.None))
        {
            length += cursor.Path.Length;
        }

        return length;
    }

    [Benchmark(OperationsPerInvoke = Entries)]
    public async Task<long> Read()
    {
        long bytes = 0;
        await foreach (ManifestEntry entry in new ManifestReader(_chunks, _root).ReadAsync(EntryPath.Root, CancellationToken.None))
        {
            bytes += entry.Size;
        }

        return bytes;
    }

    /// <summary>One file of the manifest: an operation is a search.</summary>
    [Benchmark]
    public async Task<long> Find() =>
        (await new ManifestReader(_chunks, _root).FindAsync(_entries[Entries / 3].Path, CancellationToken.None))!.Size;

    private async Task<ManifestRoot> WriteAsync(MemoryChunks chunks)
    {
        var writer = new ManifestWriter(chunks, Samples.Keys.ManifestBoundaryKey.Span);
        foreach (ManifestEntry entry in _entries)
        {
            await writer.AddAsync(entry, CancellationToken.None);
        }

        return await writer.CompleteAsync(CancellationToken.None);
    }

    private static IEnumerable<ManifestEntry> MakeEntries()
    {
        yield return Entry(string.Empty, EntryKind.Directory, 0);
        for (int folder = 0; folder < Folders; folder++)
        {
            string path = $"module-{folder:000}";
            yield return Entry(path, EntryKind.Directory, 0);
            for (int file = 0; file < FilesPerFolder; file++)
            {
                yield return Entry($"{path}/source-{file:000}.c", EntryKind.File, (folder * FilesPerFolder) + file);
            }
        }
    }

    private static ManifestEntry Entry(string path, EntryKind kind, int number) => new()
    {
        Path = new EntryPath(Encoding.UTF8.GetBytes(path)),
        Kind = kind,
        Metadata = new EntryMetadata
        {
            Mode = kind == EntryKind.File ? 0x1A4u : 0x1EDu,
            UserId = 1000,
            GroupId = 1000,
            Modified = new(0, 1_700_000_000_000_000_000 + (number * 1_234_567_891L)),
            Changed = new(0, 1_700_000_000_000_000_000 + (number * 1_234_567_899L)),
            FileId = 1000 + (ulong)number,
        },
        Size = kind == EntryKind.File ? 8000 : 0,
        Content = kind == EntryKind.File
            ? new EntryContent([new ContentSlice(Samples.Id(number / 64), number % 64 * 8000, 8000)], [])
            : EntryContent.Empty,
    };

    private sealed class MemoryChunks : IChunkReader, IChunkWriter
    {
        private readonly Dictionary<ChunkId, byte[]> _contents = [];

        public bool Contains(ChunkId id) => _contents.ContainsKey(id);

        public ValueTask<ReadOnlyMemory<byte>> ReadAsync(ChunkKind kind, ChunkId id, CancellationToken cancellationToken) =>
            new(_contents[id]);

        public ValueTask<ChunkId> WriteAsync(ChunkKind kind, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
        {
            var id = new ChunkId(SHA256.HashData(content.Span));
            _contents.TryAdd(id, content.ToArray());
            return new(id);
        }
    }
}
