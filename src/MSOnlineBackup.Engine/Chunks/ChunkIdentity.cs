using System.Security.Cryptography;
using MSOnlineBackup.Engine.Cryptography;

namespace MSOnlineBackup.Engine.Chunks;

/// <summary>Names chunks: HMAC-SHA-256 of the plaintext under the store's key for the chunk's kind.</summary>
internal sealed class ChunkIdentity
{
    private readonly byte[][] _keys;

    public ChunkIdentity(StoreKeys keys)
    {
        _keys = new byte[(int)Enum.GetValues<ChunkKind>().Max() + 1][];
        foreach (ChunkKind kind in Enum.GetValues<ChunkKind>())
        {
            _keys[(int)kind] = keys.IdentityKey((byte)kind);
        }
    }

    public ChunkId Compute(ChunkKind kind, ReadOnlySpan<byte> plaintext)
    {
        Span<byte> hash = stackalloc byte[ChunkId.Length];
        HMACSHA256.HashData(_keys[(int)kind], plaintext, hash);
        return new ChunkId(hash);
    }
}
