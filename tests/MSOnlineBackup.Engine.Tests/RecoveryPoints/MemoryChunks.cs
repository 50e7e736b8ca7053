using System.Collections.Concurrent;
using System.Security.Cryptography;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Engine.Tests.RecoveryPoints;

/// <summary>A chunk store in memory: an id is the SHA-256 of kind and content. Counts what is read and what was new.</summary>
internal sealed class MemoryChunks : IChunkReader, IChunkWriter
{
    private readonly ConcurrentDictionary<ChunkId, byte[]> _chunks = new();
    private int _reads;

    public int Reads => Volatile.Read(ref _reads);

    public IReadOnlyCollection<ChunkId> Ids => [.. _chunks.Keys];

    public long Bytes => _chunks.Values.Sum(chunk => (long)chunk.Length);

    public static ChunkId IdOf(ChunkKind kind, ReadOnlySpan<byte> content) => new(SHA256.HashData([(byte)kind, .. content]));

    public bool Contains(ChunkId id) => _chunks.ContainsKey(id);

    public void ResetReads() => Volatile.Write(ref _reads, 0);

    public ValueTask<ReadOnlyMemory<byte>> ReadAsync(ChunkKind kind, ChunkId id, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _reads);
        return _chunks.TryGetValue(id, out byte[]? chunk)
            ? ValueTask.FromResult<ReadOnlyMemory<byte>>(chunk)
            : throw new BackupException(BackupErrorId.VaultDataMissing, $"No chunk {id}.", "None: a test.", target: id.ToString());
    }

    public ValueTask<ChunkId> WriteAsync(ChunkKind kind, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        ChunkId id = IdOf(kind, content.Span);
        _chunks.TryAdd(id, content.ToArray());
        return ValueTask.FromResult(id);
    }

    /// <summary>Puts other bytes under an id, as a vault that lies would.</summary>
    public void Replace(ChunkId id, byte[] content) => _chunks[id] = content;

    public byte[] Get(ChunkId id) => _chunks[id];
}
