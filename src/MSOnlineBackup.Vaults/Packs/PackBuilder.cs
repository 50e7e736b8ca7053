using System.Buffers.Binary;
using System.Security.Cryptography;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Vaults.Packs;

/// <summary>
/// A pack under construction: seals chunks straight into its buffer, each once, under the pack's own salt and the chunk's ordinal. Not thread-safe.
/// </summary>
internal sealed class PackBuilder : IDisposable
{
    // Of packs that are full: their length says next to nothing, and they are nearly all of a large backup.
    private const int FullStep = 64 << 10;

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
        PackFormat.WriteHeader(buffer.Span, kind, Salt, keys.Epoch);
    }

    public PackKind Kind { get; }

    public byte[] Salt { get; }

    public IReadOnlyList<PackedChunk> Chunks => _chunks;

    /// <summary>What it has used of its buffer so far, in bytes.</summary>
    public int Length => _used;

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

    /// <summary>
    /// Takes over what another pack of the same kind holds, if all of it fits: opened and sealed anew under this pack's salt. Nothing may be
    /// appended to the other one any more, and it may not be finished.
    /// </summary>
    /// <exception cref="BackupException">UnexpectedError where a chunk does not open: the machine's memory is not to be trusted.</exception>
    public bool TryTakeOver(PackBuilder other)
    {
        int sealedLength = other._used - PackFormat.HeaderLength;
        if ((long)_used + sealedLength + PackFormat.Overhead(_chunks.Count + other._chunks.Count) - PackFormat.HeaderLength > _buffer.Length)
        {
            return false;
        }

        byte[] encoded = other._chunks.Count == 0 ? [] : new byte[other._chunks.Max(chunk => chunk.StoredLength)];
        foreach (PackedChunk chunk in other._chunks)
        {
            ReadOnlySpan<byte> stored = other._buffer.Span.Slice(chunk.Offset, chunk.StoredLength);
            Span<byte> opened = encoded.AsSpan(0, stored.Length - PackFormat.TagLength);
            if (!PackReader.TryUnseal(_keys, other._aes, other.Kind, chunk, stored, opened))
            {
                throw DoesNotOpen(chunk);
            }

            Append(chunk.Id, chunk.Kind, chunk.Encoding, chunk.RawLength, opened);
        }

        return true;
    }

    /// <summary>Closes the pack: padding, footer, trailer, checksum. Returns the finished bytes.</summary>
    /// <param name="isFull">Whether it is closed because the next chunk did not fit.</param>
    public ReadOnlyMemory<byte> Finish(bool isFull)
    {
        Span<byte> footer = new byte[PackFormat.FooterLength(_chunks.Count) - PackFormat.TagLength];
        BinaryPrimitives.WriteInt32LittleEndian(footer, _chunks.Count);
        for (int i = 0; i < _chunks.Count; i++)
        {
            PackFormat.WriteRecord(footer[(sizeof(uint) + (i * PackFormat.RecordLength))..], _chunks[i]);
        }

        int least = _used + footer.Length + PackFormat.TagLength + PackFormat.TrailerLength;
        int padded = isFull ? Padding.RoundUp(least, FullStep) : Padding.LengthFor(least, Padding.ObjectStep);
        int length = Math.Clamp(padded, least, Math.Max(least, _buffer.Length));
        Span<byte> bytes = _buffer.Span[..length];
        RandomNumberGenerator.Fill(bytes.Slice(_used, length - least));
        _used += length - least;
        Span<byte> nonce = stackalloc byte[PackFormat.NonceLength];
        PackFormat.WriteNonce(nonce, PackFormat.FooterOrdinal);
        Span<byte> sealedFooter = bytes.Slice(_used, footer.Length + PackFormat.TagLength);
        _aes.Encrypt(
            nonce,
            footer,
            sealedFooter[..footer.Length],
            sealedFooter[footer.Length..],
            PackReader.FooterAssociatedData(_keys, bytes[..PackFormat.HeaderLength]));
        BinaryPrimitives.WriteInt32LittleEndian(bytes[^PackFormat.TrailerLength..], sealedFooter.Length);
        ObjectChecksum.WriteTo(bytes);
        return _buffer[..length];
    }

    /// <summary>The error of a chunk that was sealed and does not open again.</summary>
    public static BackupException DoesNotOpen(in PackedChunk chunk) => new(
        BackupErrorId.UnexpectedError,
        $"A chunk of {chunk.RawLength} bytes did not open again after it was sealed. Nothing of it was sent.",
        "Test this machine's memory; then run the backup again.",
        chunk.Id.ToString());

    public void Dispose() => _aes.Dispose();
}
