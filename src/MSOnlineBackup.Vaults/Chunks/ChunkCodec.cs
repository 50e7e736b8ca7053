namespace MSOnlineBackup.Vaults.Chunks;

/// <summary>How a chunk's plaintext is encoded before it is sealed. Stands with each chunk.</summary>
internal enum ChunkEncoding : byte
{
    /// <summary>As it is.</summary>
    Raw = 0,

    /// <summary>One Zstandard frame (RFC 8878).</summary>
    Zstandard = 1,
}

/// <summary>
/// Compresses and decompresses chunks; may be used from any thread.
/// </summary>
internal static class ChunkCodec
{
    /// <summary>The largest plaintext of a chunk, in bytes; a reader refuses more.</summary>
    public const int MaxRawLength = 4 << 20;

    private const int SampleLength = 4096;

    /// <summary>Room for any chunk while it is encoded.</summary>
    public static int MaxEncodingRoom => ZstandardCodec.RoomFor(MaxRawLength);

    /// <summary>Encodes at the usual level.</summary>
    public static int Encode(ReadOnlySpan<byte> plaintext, Span<byte> destination, out ChunkEncoding encoding) =>
        Encode(plaintext, destination, ZstandardCodec.OfThread, out encoding);

    /// <summary>
    /// Encodes into <paramref name="destination"/>, which has <see cref="ZstandardCodec.RoomFor"/> the plaintext; stores as it is what does not get
    /// at least 3 % smaller.
    /// </summary>
    /// <returns>The length of what is encoded: never more than the plaintext's.</returns>
    public static int Encode(ReadOnlySpan<byte> plaintext, Span<byte> destination, ZstandardCodec codec, out ChunkEncoding encoding)
    {
        int worthwhile = plaintext.Length - (plaintext.Length / 32) - 8;
        if (worthwhile > 0 && !LooksIncompressible(plaintext))
        {
            int written = codec.Encode(plaintext, destination);
            if (written <= worthwhile)
            {
                encoding = ChunkEncoding.Zstandard;
                return written;
            }
        }

        plaintext.CopyTo(destination);
        encoding = ChunkEncoding.Raw;
        return plaintext.Length;
    }

    /// <summary>Decodes; false where the bytes do not give exactly <paramref name="destination"/>'s length.</summary>
    public static bool TryDecode(ChunkEncoding encoding, ReadOnlySpan<byte> encoded, Span<byte> destination)
    {
        switch (encoding)
        {
            case ChunkEncoding.Raw when encoded.Length == destination.Length:
                encoded.CopyTo(destination);
                return true;
            case ChunkEncoding.Zstandard:
                return ZstandardCodec.OfThread.TryDecode(encoded, destination);
            default:
                return false;
        }
    }

    /// <summary>
    /// Whether samples from the beginning, middle and end together have nearly as many bits of order-0 entropy as random
    /// bytes would: media, archives, ciphertext. Text and code are far below.
    /// </summary>
    internal static bool LooksIncompressible(ReadOnlySpan<byte> plaintext)
    {
        if (plaintext.Length < 4 * SampleLength)
        {
            return false;
        }

        Span<int> counts = stackalloc int[256];
        counts.Clear();
        foreach (int start in (ReadOnlySpan<int>)[0, (plaintext.Length - SampleLength) / 2, plaintext.Length - SampleLength])
        {
            foreach (byte b in plaintext.Slice(start, SampleLength))
            {
                counts[b]++;
            }
        }

        // H = log2(N) - sum(n * log2(n)) / N.
        const int Total = 3 * SampleLength;
        double sum = 0;
        foreach (int count in counts)
        {
            if (count > 1)
            {
                sum += count * Math.Log2(count);
            }
        }

        return Math.Log2(Total) - (sum / Total) > 7.9;
    }
}
