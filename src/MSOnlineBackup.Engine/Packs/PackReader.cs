using System.Buffers.Binary;
using System.Security.Cryptography;
using MSOnlineBackup.Engine.Chunks;
using MSOnlineBackup.Engine.Cryptography;
using MSOnlineBackup.Engine.Errors;

namespace MSOnlineBackup.Engine.Packs;

/// <summary>Opens what <see cref="PackBuilder"/> sealed. Everything it is given is hostile until it authenticates.</summary>
internal static class PackReader
{
    /// <summary>Opens one chunk into <paramref name="destination"/>, whose length is the chunk's raw length.</summary>
    /// <param name="aes">The pack's cipher: <see cref="OpenPack"/>. Not shared between threads at one time.</param>
    /// <param name="scratch">At least as long as the sealed bytes.</param>
    public static bool TryOpenChunk(
        StoreKeys keys,
        AesGcm aes,
        PackKind packKind,
        in PackedChunk chunk,
        ReadOnlySpan<byte> sealedBytes,
        Span<byte> scratch,
        Span<byte> destination)
    {
        int length = chunk.StoredLength - PackFormat.TagLength;
        if (length < 0 || sealedBytes.Length != chunk.StoredLength || destination.Length != chunk.RawLength)
        {
            return false;
        }

        Span<byte> associated = stackalloc byte[128];
        associated = associated[..PackFormat.WriteChunkAssociatedData(associated, keys, packKind, chunk)];
        Span<byte> nonce = stackalloc byte[PackFormat.NonceLength];
        PackFormat.WriteNonce(nonce, chunk.Ordinal);

        // What is stored as it is needs no second buffer.
        bool direct = chunk.Encoding == ChunkEncoding.Raw && length == destination.Length;
        Span<byte> encoded = direct ? destination : scratch[..length];
        try
        {
            aes.Decrypt(nonce, sealedBytes[..length], sealedBytes[length..], encoded, associated);
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }

        return direct || ChunkCodec.TryDecode(chunk.Encoding, encoded, destination);
    }

    public static AesGcm OpenPack(StoreKeys keys, ReadOnlySpan<byte> salt) => new(keys.PackKey(salt), PackFormat.TagLength);

    /// <summary>Reads the version from the header, which the pack, or what there is of it, begins with.</summary>
    /// <exception cref="BackupException">VaultDataCorrupt; VaultFormatUnsupported where it is none that is known.</exception>
    public static byte ReadVersion(string name, ReadOnlySpan<byte> header)
    {
        if (header.Length < PackFormat.HeaderLength || !header.StartsWith(PackFormat.Magic))
        {
            throw VaultDamage.Corrupt(name, "it is no pack");
        }

        // Whether it is damaged its checksum would say; which one a version has that is not known, nobody knows here.
        byte version = header[PackFormat.VersionOffset];
        return version is PackFormat.FirstVersion or PackFormat.Version ? version : throw new BackupException(
            BackupErrorId.VaultFormatUnsupported,
            $"Pack '{name}' has format {version}; this version reads {PackFormat.FirstVersion} and {PackFormat.Version}. A newer version wrote it, or it is damaged.",
            "Use the newest version of MSOnlineBackup that backs up into this vault. If that cannot read the pack either, it is damaged.",
            name);
    }

    /// <summary>Reads the header: the pack's kind and salt.</summary>
    /// <exception cref="BackupException">VaultDataCorrupt, VaultFormatUnsupported.</exception>
    public static PackKind ReadHeader(string name, ReadOnlySpan<byte> header, out byte[] salt)
    {
        ReadVersion(name, header);
        var kind = (PackKind)header[PackFormat.KindOffset];
        if (kind is not (PackKind.Data or PackKind.Metadata))
        {
            throw VaultDamage.Corrupt(name, "it is of no kind that packs are of");
        }

        salt = header.Slice(PackFormat.SaltOffset, PackFormat.SaltLength).ToArray();
        return kind;
    }

    /// <summary>How many bytes of the sealed footer stand before the trailer.</summary>
    /// <exception cref="BackupException">VaultDataCorrupt.</exception>
    public static int ReadFooterLength(string name, long packLength, ReadOnlySpan<byte> trailer)
    {
        long length = BinaryPrimitives.ReadUInt32LittleEndian(trailer);
        bool plausible = packLength <= PackFormat.MaxLength
            && length >= PackFormat.TagLength
            && (length - PackFormat.TagLength) % PackFormat.RecordLength == 0
            && length <= packLength - PackFormat.HeaderLength - PackFormat.TrailerLength;
        return plausible ? (int)length : throw VaultDamage.Corrupt(name, "its footer's length is impossible; it may be truncated");
    }

    /// <summary>Opens the footer: which chunks the pack holds.</summary>
    /// <exception cref="BackupException">VaultDataCorrupt.</exception>
    public static List<PackedChunk> ReadFooter(StoreKeys keys, string name, long packLength, ReadOnlySpan<byte> header, ReadOnlySpan<byte> sealedFooter)
    {
        ReadHeader(name, header, out byte[] salt);
        byte[] footer = new byte[sealedFooter.Length - PackFormat.TagLength];
        Span<byte> nonce = stackalloc byte[PackFormat.NonceLength];
        PackFormat.WriteNonce(nonce, PackFormat.FooterOrdinal);
        using AesGcm aes = OpenPack(keys, salt);
        try
        {
            aes.Decrypt(nonce, sealedFooter[..footer.Length], sealedFooter[footer.Length..], footer, FooterAssociatedData(keys, header[..PackFormat.HeaderLength]));
        }
        catch (AuthenticationTagMismatchException e)
        {
            throw VaultDamage.Corrupt(name, "its footer does not authenticate", e);
        }

        var chunks = new List<PackedChunk>(footer.Length / PackFormat.RecordLength);
        long offset = PackFormat.HeaderLength;
        for (int at = 0; at < footer.Length; at += PackFormat.RecordLength)
        {
            ReadOnlySpan<byte> record = footer.AsSpan(at, PackFormat.RecordLength);
            long raw = BinaryPrimitives.ReadUInt32LittleEndian(record[PackFormat.RecordRawOffset..]);
            long stored = BinaryPrimitives.ReadUInt32LittleEndian(record[PackFormat.RecordStoredOffset..]);
            if (raw > ChunkCodec.MaxRawLength || stored is < PackFormat.TagLength or > PackFormat.MaxStoredLength || offset + stored > packLength - sealedFooter.Length - PackFormat.TrailerLength)
            {
                throw VaultDamage.Corrupt(name, "its footer names impossible lengths");
            }

            chunks.Add(new PackedChunk(
                new ChunkId(record[..ChunkId.Length]),
                (ChunkKind)record[PackFormat.RecordKindOffset],
                (ChunkEncoding)record[PackFormat.RecordEncodingOffset],
                (uint)chunks.Count,
                (int)offset,
                (int)stored,
                (int)raw));
            offset += stored;
        }

        return chunks;
    }

    internal static byte[] FooterAssociatedData(StoreKeys keys, ReadOnlySpan<byte> header) => [.. keys.Context, .. header];
}
