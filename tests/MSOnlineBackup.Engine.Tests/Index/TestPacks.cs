using MSOnlineBackup.Engine.Tests.Cryptography;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Packs;

namespace MSOnlineBackup.Engine.Tests.Index;

/// <summary>Packs as an index knows them: described, not made.</summary>
internal static class TestPacks
{
    public static PackInfo Pack(uint number, int length = 60_000_000) =>
        new(SessionId.Parse("00112233445566778899aabbccddeeff"), number, PackKind.Data, length, TestKeys.Bytes((int)number, PackFormat.SaltLength));

    public static ChunkId Id(int value)
    {
        byte[] id = TestKeys.Bytes(value, ChunkId.Length);
        return new ChunkId(id);
    }

    /// <summary>Chunks of a pack, in the order of the pack.</summary>
    public static List<PackedChunk> Chunks(IEnumerable<ChunkId> ids)
    {
        var chunks = new List<PackedChunk>();
        int offset = PackFormat.HeaderLength;
        foreach (ChunkId id in ids)
        {
            chunks.Add(
                new PackedChunk(id, ChunkKind.Content, ChunkEncoding.Zstandard, (uint)chunks.Count, offset, 100 + (chunks.Count % 100), 1000 + chunks.Count));
            offset += chunks[^1].StoredLength;
        }

        return chunks;
    }
}
