using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Vaults.Chunks;

/// <summary>Gives chunks back, verified.</summary>
public interface IChunkReader
{
    /// <summary>Whether the chunk is known and its pack is there.</summary>
    bool Contains(ChunkId id);

    /// <summary>Reads a chunk: fetched, authenticated, decompressed.</summary>
    /// <exception cref="BackupException"><see cref="BackupErrorId.VaultDataMissing"/> where no pack holds it,
    /// <see cref="BackupErrorId.VaultDataCorrupt"/> where no copy of it verifies.</exception>
    ValueTask<ReadOnlyMemory<byte>> ReadAsync(ChunkKind kind, ChunkId id, CancellationToken cancellationToken);
}

/// <summary>Takes chunks.</summary>
public interface IChunkWriter
{
    /// <summary>Names a chunk and sees to it that it is stored, if it is new. The bytes are copied before the call
    /// returns; they are durable only after the writer's flush. Waits where too much is under way.</summary>
    ValueTask<ChunkId> WriteAsync(ChunkKind kind, ReadOnlyMemory<byte> content, CancellationToken cancellationToken);
}
