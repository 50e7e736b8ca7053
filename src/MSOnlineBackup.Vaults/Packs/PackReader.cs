using System.Buffers.Binary;
using System.Security.Cryptography;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Vaults.Packs;

/// <summary>Opens what <see cref="PackBuilder"/> sealed. Everything it is given is hostile until it authenticates.</summary>
internal static class PackReader
{
    /// <summary>Opens one chunk into <paramref name="destination"/>, whose length is the chunk's raw length.</summary>
    /// <param name="aes">The pack's cipher: <see cref="OpenPack(StoreKeys, ReadOnlySpan{byte}, byte)"/>. Not shared between threads at one time.</param>
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

        // What is stored as it is needs no second buffer.
        bool direct = chunk.Encoding == ChunkEncoding.Raw && length == destination.Length;
        Span<byte> encoded = direct ? destination : scratch[..length];
        return TryUnseal(keys, aes, packKind, chunk, sealedBytes, encoded) && (direct || ChunkCodec.TryDecode(chunk.Encoding, encoded, destination));
    }

    /// <summary>Opens the seal of a chunk, and leaves it encoded.</summary>
    /// <param name="encoded">As long as the sealed bytes without their tag.</param>
    public static bool TryUnseal(StoreKeys keys, AesGcm aes, PackKind packKind, in PackedChunk chunk, ReadOnlySpan<byte> sealedBytes, Span<byte> encoded)
    {
        Span<byte> associated = stackalloc byte[128];
        associated = associated[..PackFormat.WriteChunkAssociatedData(associated, keys, packKind, chunk)];
        Span<byte> nonce = stackalloc byte[PackFormat.NonceLength];
        PackFormat.WriteNonce(nonce, chunk.Ordinal);
        try
        {
            aes.Decrypt(nonce, sealedBytes[..encoded.Length], sealedBytes[encoded.Length..], encoded, associated);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
    }

    /// <summary>The cipher of a pack whose key is at hand.</summary>
    public static AesGcm OpenPack(StoreKeys keys, ReadOnlySpan<byte> salt, byte epoch) => new(keys.PackKey(salt, epoch), PackFormat.TagLength);

    /// <inheritdoc cref="OpenPack(StoreKeys, ReadOnlySpan{byte}, byte)"/>
    public static AesGcm OpenPack(StoreKeys keys, PackInfo pack) => OpenPack(keys, pack.Salt, pack.Epoch);

    /// <summary>Reads the header, which the pack, or what there is of it, begins with: the pack's kind, its salt, and which master key sealed it.</summary>
    /// <exception cref="BackupException">VaultDataCorrupt; VaultFormatUnsupported where a newer version may have written it.</exception>
    public static PackKind ReadHeader(string name, ReadOnlySpan<byte> header, out byte[] salt, out byte epoch)
    {
        if (header.Length < PackFormat.HeaderLength || !header.StartsWith(PackFormat.Magic))
        {
            throw VaultDamage.Corrupt(name, "it is not a pack");
        }

        var kind = (PackKind)header[PackFormat.KindOffset];
        if (header[PackFormat.VersionOffset] != PackFormat.Version || !PackFormat.IsKnown(kind, header[PackFormat.FlagsOffset]))
        {
            // Whether it is damaged its checksum would say, and that takes the whole pack.
            throw new BackupException(
                BackupErrorId.VaultFormatUnsupported,
                $"Pack '{name}' has format {header[PackFormat.VersionOffset]}, kind {(byte)kind}, "
                    + $"flags {header[PackFormat.FlagsOffset]} and key epoch {header[PackFormat.EpochOffset]}, which this version does not know. "
                    + "A newer version wrote it, or it is damaged.",
                "Verify the vault: that tells which. Use the newest version of MSOnlineBackup that backs up into it.",
                name);
        }

        salt = header.Slice(PackFormat.SaltOffset, PackFormat.SaltLength).ToArray();
        epoch = header[PackFormat.EpochOffset];
        return kind;
    }

    /// <summary>How many bytes of the sealed footer stand before the trailer.</summary>
    /// <exception cref="BackupException">VaultDataCorrupt.</exception>
    public static int ReadFooterLength(string name, long packLength, ReadOnlySpan<byte> trailer)
    {
        long length = BinaryPrimitives.ReadUInt32LittleEndian(trailer);
        bool plausible = packLength <= PackFormat.MaxLength
            && length >= PackFormat.MinFooterLength
            && length <= packLength - PackFormat.HeaderLength - PackFormat.TrailerLength;
        return plausible ? (int)length : throw VaultDamage.Corrupt(name, "its footer's length is impossible; it may be truncated");
    }

    /// <summary>Opens the footer: which chunks the pack holds.</summary>
    /// <exception cref="BackupException">VaultDataCorrupt.</exception>
    public static List<PackedChunk> ReadFooter(StoreKeys keys, string name, long packLength, ReadOnlySpan<byte> header, ReadOnlySpan<byte> sealedFooter)
    {
        ReadHeader(name, header, out byte[] salt, out byte epoch);
        if (!keys.Knows(epoch))
        {
            throw VaultDamage.KeyMissing(name, epoch);
        }

        byte[] footer = new byte[sealedFooter.Length - PackFormat.TagLength];
        Span<byte> nonce = stackalloc byte[PackFormat.NonceLength];
        PackFormat.WriteNonce(nonce, PackFormat.FooterOrdinal);
        using AesGcm aes = OpenPack(keys, salt, epoch);
        try
        {
            aes.Decrypt(
                nonce, sealedFooter[..footer.Length], sealedFooter[footer.Length..], footer, FooterAssociatedData(keys, header[..PackFormat.HeaderLength]));
        }
        catch (AuthenticationTagMismatchException e)
        {
            throw VaultDamage.Corrupt(name, "its footer does not authenticate", e);
        }

        // What stands behind the records is passed over.
        uint count = BinaryPrimitives.ReadUInt32LittleEndian(footer);
        if (count > (footer.Length - sizeof(uint)) / PackFormat.RecordLength)
        {
            throw VaultDamage.Corrupt(name, "its footer claims more records than it has");
        }

        var chunks = new List<PackedChunk>((int)count);
        long offset = PackFormat.HeaderLength;
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> record = footer.AsSpan(sizeof(uint) + (i * PackFormat.RecordLength), PackFormat.RecordLength);
            long raw = BinaryPrimitives.ReadUInt32LittleEndian(record[PackFormat.RecordRawOffset..]);
            long stored = BinaryPrimitives.ReadUInt32LittleEndian(record[PackFormat.RecordStoredOffset..]);
            if (raw > ChunkCodec.MaxRawLength || stored is < PackFormat.TagLength or > PackFormat.MaxStoredLength
                || offset + stored > packLength - sealedFooter.Length - PackFormat.TrailerLength)
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
