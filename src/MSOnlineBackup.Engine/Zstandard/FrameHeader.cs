using System.Buffers.Binary;

namespace MSOnlineBackup.Engine.Zstandard;

/// <summary>The part of a frame before its first block: what a decoder of whole frames needs of it.</summary>
/// <param name="Size">Bytes of the header, the magic number included; at least 6.</param>
/// <param name="ContentSize">Bytes that the frame decodes to; -1 where the header does not say.</param>
/// <param name="HasChecksum">Whether a checksum of the content follows the last block.</param>
internal readonly record struct FrameHeader(int Size, long ContentSize, bool HasChecksum)
{
    private const int ReservedBit = 1 << 3;
    private const int ChecksumBit = 1 << 2;
    private const int SingleSegmentBit = 1 << 5;

    /// <summary>Reads the header at the beginning of a frame; false where none is, or one that needs a dictionary.</summary>
    public static bool TryRead(ReadOnlySpan<byte> frame, out FrameHeader header)
    {
        header = default;
        if (frame.Length < 6 || BinaryPrimitives.ReadUInt32LittleEndian(frame) != ZstandardFormat.MagicNumber)
        {
            return false;
        }

        int descriptor = frame[4];
        bool singleSegment = (descriptor & SingleSegmentBit) != 0;
        int dictionaryIdSize = (1 << (descriptor & 3)) >> 1;
        int contentSizeSize = (descriptor >> 6) switch
        {
            0 => singleSegment ? 1 : 0,
            int code => 1 << code,
        };
        // The whole content lies in memory, so the window's size, one byte where there is one, is of no interest.
        int dictionaryId = 5 + (singleSegment ? 0 : 1);
        int contentSize = dictionaryId + dictionaryIdSize;
        int size = contentSize + contentSizeSize;
        if ((descriptor & ReservedBit) != 0 || frame.Length < size || frame[dictionaryId..contentSize].ContainsAnyExcept((byte)0))
        {
            return false;
        }

        ReadOnlySpan<byte> field = frame[contentSize..size];
        long content = contentSizeSize switch
        {
            0 => -1,
            1 => field[0],
            2 => BinaryPrimitives.ReadUInt16LittleEndian(field) + 256,
            4 => BinaryPrimitives.ReadUInt32LittleEndian(field),
            _ => BinaryPrimitives.ReadInt64LittleEndian(field),
        };
        header = new FrameHeader(size, content, (descriptor & ChecksumBit) != 0);
        // Eight bytes can say more than any content: the sign bit must not make that "not said".
        return content >= 0 || contentSizeSize == 0;
    }
}
