using System.Buffers.Binary;

namespace MSOnlineBackup.Engine.Zstandard;

/// <summary>
/// Compresses into Zstandard frames (RFC 8878), quickly rather than tightly. Reusable, one for each worker, not thread-safe;
/// holds about 900 KiB. The same source always gives the same frame.
/// </summary>
internal sealed unsafe class ZstandardEncoder
{
    /// <summary>The longest source, in bytes.</summary>
    public const int MaxSourceLength = 4 << 20;

    // More than the sections' headers, tables and unaligned stores can reach behind a block's size.
    private const int BlockSlack = 1024;

    // Nothing is found in fewer bytes.
    private const int ShortestCompressed = 32;

    private const int HeaderSizeLimit = 9;
    private const int SingleSegment = 1 << 5;
    private const int FourByteContentSize = 2 << 6;
    private const int TwoByteContentSize = 1 << 6;
    private const int TwoByteContentSizeBase = 256;

    private readonly MatchFinder _matches = new();
    private readonly LiteralsEncoder _literalsEncoder = new();
    private readonly SequencesEncoder _sequencesEncoder = new();
    private readonly Sequence[] _sequences = new Sequence[MatchFinder.MaxSequences];
    private readonly byte[] _literals = new byte[ZstandardFormat.BlockMaximumSize + MatchFinder.LiteralsSlack];
    private readonly byte[] _block = new byte[ZstandardFormat.BlockMaximumSize + BlockSlack];

    /// <summary>
    /// Writes one frame: with the content's size, a single segment, without checksum and dictionary.
    /// </summary>
    /// <param name="source">What to compress, up to <see cref="MaxSourceLength"/>.</param>
    /// <param name="destination">Where to; it may be shorter than the source.</param>
    /// <param name="written">The frame's length, in bytes; 0 where it did not fit.</param>
    /// <returns>False where the frame does not fit.</returns>
    public bool TryEncode(ReadOnlySpan<byte> source, Span<byte> destination, out int written)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(source.Length, MaxSourceLength);

        written = 0;
        Span<byte> header = stackalloc byte[HeaderSizeLimit];
        header = header[..WriteHeader(source.Length, header)];
        if (!header.TryCopyTo(destination))
        {
            return false;
        }

        int length = header.Length;
        _matches.Reset();
        int start = 0;
        do
        {
            int end = Math.Min(start + ZstandardFormat.BlockMaximumSize, source.Length);
            ReadOnlySpan<byte> content = EncodeBlock(source, start, end, out BlockType type);
            if (destination.Length - length < ZstandardFormat.BlockHeaderSize + content.Length)
            {
                return false;
            }

            int size = type == BlockType.Compressed ? content.Length : end - start;
            int blockHeader = (end == source.Length ? 1 : 0) | ((int)type << 1) | (size << 3);
            destination[length] = (byte)(blockHeader & 0xff);
            BinaryPrimitives.WriteUInt16LittleEndian(destination[(length + 1)..], (ushort)(blockHeader >> 8));
            content.CopyTo(destination[(length + ZstandardFormat.BlockHeaderSize)..]);
            length += ZstandardFormat.BlockHeaderSize + content.Length;
            start = end;
        }
        while (start < source.Length);

        written = length;
        return true;
    }

    private static int WriteHeader(int contentSize, Span<byte> header)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(header, ZstandardFormat.MagicNumber);
        switch (contentSize)
        {
            case < TwoByteContentSizeBase:
                header[4] = SingleSegment;
                header[5] = (byte)contentSize;
                return 6;
            case < TwoByteContentSizeBase + (1 << 16):
                header[4] = SingleSegment | TwoByteContentSize;
                BinaryPrimitives.WriteUInt16LittleEndian(header[5..], (ushort)(contentSize - TwoByteContentSizeBase));
                return 7;
            default:
                header[4] = SingleSegment | FourByteContentSize;
                BinaryPrimitives.WriteInt32LittleEndian(header[5..], contentSize);
                return 9;
        }
    }

    /// <summary>What stands for a block behind its header: in our own buffer where it got smaller, otherwise in the source.</summary>
    private ReadOnlySpan<byte> EncodeBlock(ReadOnlySpan<byte> source, int start, int end, out BlockType type)
    {
        ReadOnlySpan<byte> content = source[start..end];
        if (content.Length > 1 && !content.ContainsAnyExcept(content[0]))
        {
            type = BlockType.RunLength;
            return content[..1];
        }

        if (content.Length < ShortestCompressed)
        {
            type = BlockType.Raw;
            return content;
        }

        // A block that is stored as it is does not change what the reader remembers.
        (uint, uint) offsets = _matches.RepeatedOffsets;
        int size = Compress(source, start, end);
        if (size == 0)
        {
            _matches.RepeatedOffsets = offsets;
            type = BlockType.Raw;
            return content;
        }

        type = BlockType.Compressed;
        return _block.AsSpan(0, size);
    }

    /// <summary>Compresses a block into our own buffer; its size, or 0 where it does not get smaller by a little.</summary>
    private int Compress(ReadOnlySpan<byte> source, int start, int end)
    {
        unchecked
        {
            int worthwhile = end - start - ((end - start) >> 6) - 2;
            fixed (byte* all = source, literals = _literals, block = _block)
            fixed (Sequence* sequences = _sequences)
            {
                int count = _matches.Find(all, source.Length, start, end, sequences, literals, out int literalsLength);
                byte* next = _literalsEncoder.Encode(literals, literalsLength, block);
                if (next - block >= worthwhile)
                {
                    return 0;
                }

                next = _sequencesEncoder.Encode(sequences, count, next, block + worthwhile);
                return next == null || next - block >= worthwhile ? 0 : (int)(next - block);
            }
        }
    }
}
