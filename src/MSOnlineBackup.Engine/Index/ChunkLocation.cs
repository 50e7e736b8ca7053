using MSOnlineBackup.Engine.Packs;

namespace MSOnlineBackup.Engine.Index;

/// <summary>Where a chunk is.</summary>
internal readonly record struct ChunkLocation(PackInfo Pack, PackedChunk Chunk);
