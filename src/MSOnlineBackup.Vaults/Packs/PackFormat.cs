using System.Buffers.Binary;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Cryptography;

namespace MSOnlineBackup.Vaults.Packs;

/// <summary>What a pack holds; the kinds are never mixed, so that metadata can lie on a faster tier.</summary>
internal enum PackKind : byte
{
    /// <summary>File content.</summary>
    Data = 1,

    /// <summary>Manifest blocks, slice lists and lists of skipped items.</summary>
    Metadata = 2,
}

/// <summary>
/// The layout of a pack; <c>docs/vault-format.md</c> is normative, this file mirrors it.
/// <c>header | sealed chunks | random bytes | sealed footer | footer length u32 | checksum of all before</c>. Little-endian throughout.
/// </summary>
internal static class PackFormat
{
    public const byte Version = 1;

    public const int TagLength = 16;
    public const int NonceLength = 12;
    public const int SaltLength = 32;

    // Header.
    public const int VersionOffset = 4;
    public const int KindOffset = VersionOffset + 1;
    public const int FlagsOffset = KindOffset + 1;
    public const int EpochOffset = FlagsOffset + 1;
    public const int SaltOffset = EpochOffset + 1;
    public const int HeaderLength = SaltOffset + SaltLength;

    // The footer: how many records, the records, and zeros that make its length one of few.
    public const int FooterStep = 1024;

    // A record of the footer, one for each chunk in the order of the pack; the ordinal is its place.
    public const int RecordKindOffset = ChunkId.Length;
    public const int RecordEncodingOffset = RecordKindOffset + 1;
    public const int RecordRawOffset = RecordEncodingOffset + 1;
    public const int RecordStoredOffset = RecordRawOffset + sizeof(uint);
    public const int RecordLength = RecordStoredOffset + sizeof(uint);

    // Trailer.
    public const int TrailerLength = sizeof(uint) + ObjectChecksum.Length;

    /// <summary>The nonce of the footer: an ordinal that no chunk can have.</summary>
    public const uint FooterOrdinal = uint.MaxValue;

    /// <summary>The shortest footer that a reader accepts: sealed, it says that there are no records.</summary>
    public const int MinFooterLength = sizeof(uint) + TagLength;

    /// <summary>The largest pack that a reader accepts, in bytes.</summary>
    public const int MaxLength = 64 << 20;

    /// <summary>The largest sealed chunk: what does not get smaller is stored as it is.</summary>
    public const int MaxStoredLength = ChunkCodec.MaxRawLength + TagLength;

    // The version of sealing chunks, not that of the pack: a chunk is opened by the index alone, without its pack's header.
    private const byte SealVersion = 1;

    private const int ContextLength = 32;
    private const int ChunkAssociatedLength = ContextLength + 1 + 1 + sizeof(uint) + RecordLength;

    public static ReadOnlySpan<byte> Magic => "OBPK"u8;

    /// <summary>The length of the sealed footer of so many chunks.</summary>
    public static int FooterLength(int chunks) => Padding.LengthFor(sizeof(uint) + (chunks * RecordLength) + TagLength, FooterStep);

    /// <summary>What a pack of these chunks adds to their sealed lengths, padding aside.</summary>
    public static int Overhead(int chunks) => HeaderLength + FooterLength(chunks) + TrailerLength;

    /// <summary>Whether this version can read packs of a kind with these critical flags.</summary>
    public static bool IsKnown(PackKind kind, byte flags) => kind is PackKind.Data or PackKind.Metadata && flags == 0;

    public static void WriteNonce(Span<byte> nonce, uint ordinal)
    {
        nonce.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(nonce, ordinal);
    }

    public static void WriteHeader(Span<byte> header, PackKind kind, ReadOnlySpan<byte> salt, byte epoch)
    {
        header[..HeaderLength].Clear();
        Magic.CopyTo(header);
        header[VersionOffset] = Version;
        header[KindOffset] = (byte)kind;
        header[EpochOffset] = epoch;
        salt.CopyTo(header[SaltOffset..]);
    }

    public static void WriteRecord(Span<byte> record, in PackedChunk chunk)
    {
        chunk.Id.CopyTo(record);
        record[RecordKindOffset] = (byte)chunk.Kind;
        record[RecordEncodingOffset] = (byte)chunk.Encoding;
        BinaryPrimitives.WriteInt32LittleEndian(record[RecordRawOffset..], chunk.RawLength);
        BinaryPrimitives.WriteInt32LittleEndian(record[RecordStoredOffset..], chunk.StoredLength);
    }

    /// <summary>
    /// What the seal of a chunk authenticates besides its bytes:
    /// <c>vault id | store id | version of sealing | pack kind | ordinal | footer record</c>.
    /// </summary>
    public static int WriteChunkAssociatedData(Span<byte> destination, StoreKeys keys, PackKind packKind, in PackedChunk chunk)
    {
        keys.Context.CopyTo(destination);
        destination[ContextLength] = SealVersion;
        destination[ContextLength + 1] = (byte)packKind;
        BinaryPrimitives.WriteUInt32LittleEndian(destination[(ContextLength + 2)..], chunk.Ordinal);
        WriteRecord(destination[(ContextLength + 2 + sizeof(uint))..], chunk);
        return ChunkAssociatedLength;
    }
}

/// <summary>A chunk in its pack.</summary>
/// <param name="Id">Its identity.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Encoding">How its plaintext is encoded.</param>
/// <param name="Ordinal">Its place in the pack; the nonce of its seal.</param>
/// <param name="Offset">Where its sealed bytes begin in the pack.</param>
/// <param name="StoredLength">Length of the sealed bytes, tag included.</param>
/// <param name="RawLength">Length of the plaintext.</param>
internal readonly record struct PackedChunk(
    ChunkId Id,
    ChunkKind Kind,
    ChunkEncoding Encoding,
    uint Ordinal,
    int Offset,
    int StoredLength,
    int RawLength);
