using MSOnlineBackup.Vaults.Packs;

namespace MSOnlineBackup.Vaults.Index;

/// <summary>Where a chunk is.</summary>
internal readonly record struct ChunkLocation(PackInfo Pack, PackedChunk Chunk);
