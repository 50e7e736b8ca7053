using System.Security.Cryptography;
using MSOnlineBackup.Vaults.Cryptography;

namespace MSOnlineBackup.Vaults.Chunks;

/// <summary>Names chunks: HMAC-SHA-256 of the plaintext under the store's key for the chunk's kind.</summary>
internal sealed class ChunkIdentity
{
    private readonly byte[][] _keys = new byte[byte.MaxValue + 1][];

    public ChunkIdentity(StoreKeys keys)
    {
        // All of them: a vault may hold kinds that a later version defines, and a verification meets them.
        for (int kind = 0; kind < _keys.Length; kind++)
        {
            _keys[kind] = keys.IdentityKey((byte)kind);
        }
    }

    public ChunkId Compute(ChunkKind kind, ReadOnlySpan<byte> plaintext)
    {
        Span<byte> hash = stackalloc byte[ChunkId.Length];
        HMACSHA256.HashData(_keys[(int)kind], plaintext, hash);
        return new ChunkId(hash);
    }
}
