using System.Buffers.Binary;
using System.Security.Cryptography;
using MSOnlineBackup.Engine.Chunks;
using MSOnlineBackup.Engine.Cryptography;

namespace MSOnlineBackup.Engine.Packs;

/// <summary>A pack under construction: seals chunks straight into its buffer. Not thread-safe.</summary>
internal sealed class PackBuilder : IDisposable
{
    private readonly StoreKeys _keys;
    private readonly Memory<byte> _buffer;
    private readonly AesGcm _aes;
    private readonly List<PackedChunk> _chunks = [];
    private int _used = PackFormat.HeaderLength;

    /// <param name="keys">The store's keys.</param>
    /// <param name="kind">What the pack will hold.</param>
    /// <param name="buffer">Where it is built; its length is the pack's largest.</param>
    public PackBuilder(StoreKeys keys, PackKind kind, Memory<byte> buffer)
    {
        _keys = keys;
        _buffer = buffer;
        Kind = kind;
        Salt = RandomNumberGenerator.GetBytes(PackFormat.SaltLength);
        _aes = new AesGcm(keys.PackKey(Salt), PackFormat.TagLength);
        PackFormat.WriteHeader(buffer.Span, kind, Salt);
    }

    public PackKind Kind { get; }

    public byte[] Salt { get; }

    public IReadOnlyList<PackedChunk> Chunks => _chunks;

    /// <summary>Whether a chunk of this encoded length still fits.</summary>
    public bool Fits(int encodedLength) =>
        (long)_used + encodedLength + PackFormat.TagLength + PackFormat.Overhead(_chunks.Count + 1) - PackFormat.HeaderLength <= _buffer.Length;

    /// <summary>Seals a chunk into the pack.</summary>
    public PackedChunk Append(ChunkId id, ChunkKind kind, ChunkEncoding encoding, int rawLength, ReadOnlySpan<byte> encoded)
    {
        var chunk = new PackedChunk(id, kind, encoding, (uint)_chunks.Count, _used, encoded.Length + PackFormat.TagLength, rawLength);
        Span<byte> associated = stackalloc byte[128];
        associated = associated[..PackFormat.WriteChunkAssociatedData(associated, _keys, Kind, chunk)];
        Span<byte> nonce = stackalloc byte[PackFormat.NonceLength];
        PackFormat.WriteNonce(nonce, chunk.Ordinal);
        Span<byte> target = _buffer.Span.Slice(_used, chunk.StoredLength);
        _aes.Encrypt(nonce, encoded, target[..encoded.Length], target[encoded.Length..], associated);
        _used += chunk.StoredLength;
        _chunks.Add(chunk);
        return chunk;
    }

    /// <summary>Closes the pack: footer, trailer, checksum. Returns the finished bytes.</summary>
    public ReadOnlyMemory<byte> Finish()
    {
        byte[] footer = new byte[_chunks.Count * PackFormat.RecordLength];
        for (int i = 0; i < _chunks.Count; i++)
        {
            PackFormat.WriteRecord(footer.AsSpan(i * PackFormat.RecordLength), _chunks[i]);
        }

        Span<byte> bytes = _buffer.Span;
        Span<byte> nonce = stackalloc byte[PackFormat.NonceLength];
        PackFormat.WriteNonce(nonce, PackFormat.FooterOrdinal);
        Span<byte> sealedFooter = bytes.Slice(_used, footer.Length + PackFormat.TagLength);
        _aes.Encrypt(nonce, footer, sealedFooter[..footer.Length], sealedFooter[footer.Length..], PackReader.FooterAssociatedData(_keys, bytes[..PackFormat.HeaderLength]));
        _used += sealedFooter.Length;
        BinaryPrimitives.WriteInt32LittleEndian(bytes[_used..], sealedFooter.Length);
        _used += sizeof(int);
        using ObjectChecksum checksum = ObjectChecksum.OfPack(PackFormat.Version);
        checksum.Append(bytes[.._used]);
        checksum.Finish(bytes[_used..]);
        _used += ObjectChecksum.Length;
        return _buffer[.._used];
    }

    public void Dispose() => _aes.Dispose();
}
