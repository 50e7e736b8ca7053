using System.Runtime.CompilerServices;

namespace MSOnlineBackup.Engine.Zstandard;

/// <summary>Writes the literals section of a compressed block (RFC 8878, 3.1.1.3.1).</summary>
internal sealed unsafe class LiteralsEncoder
{
    // Below it, a tree's description costs more than it gains.
    private const int ShortestCoded = 64;

    // Sizes up to which the header gives them 10 and 14 bits; above it is 18. With 10 there may be one stream only.
    private const int SingleStreamLimit = 256;
    private const int TenBits = 1 << 10;
    private const int FourteenBits = 1 << 14;

    private const int SampleLength = 4096;

    private readonly int[] _counts = new int[4 * HuffmanEncodingTable.SymbolLimit];
    private readonly HuffmanEncodingTable _table = new();

    /// <summary>Writes the section; returns where it ends, at most three bytes more than the literals from where it began.</summary>
    /// <param name="literals">All literals of the block; eight bytes behind them can be read.</param>
    /// <param name="length">How many they are, up to a block's size.</param>
    /// <param name="destination">Where the section begins; room for a few hundred bytes more than the literals.</param>
    public byte* Encode(byte* literals, int length, byte* destination)
    {
        unchecked
        {
            if (length < ShortestCoded)
            {
                return Raw(literals, length, destination);
            }

            // Both ends flat: media and archives, where counting all would be most of the work.
            if (length >= 8 * SampleLength
                && IsFlat(Count(literals, SampleLength), SampleLength)
                && IsFlat(Count(literals + length - SampleLength, SampleLength), SampleLength))
            {
                return Raw(literals, length, destination);
            }

            int most = Count(literals, length);
            if (most == length)
            {
                byte* next = UncodedHeader(LiteralsBlockType.RunLength, length, destination);
                *next++ = *literals;
                return next;
            }

            if (IsFlat(most, length))
            {
                return Raw(literals, length, destination);
            }

            // What is not smaller by a little is not worth decoding.
            long bits = _table.Build(_counts.AsSpan(0, HuffmanEncodingTable.SymbolLimit));
            int worthwhile = length - (length >> 6) - 2;
            if ((bits >> 3) >= worthwhile)
            {
                return Raw(literals, length, destination);
            }

            int headerSize = length < TenBits ? 3 : length < FourteenBits ? 4 : 5;
            byte* tree = destination + headerSize;
            byte* end = _table.Describe(tree);
            if (end == null || (end - tree) + (bits >> 3) >= worthwhile)
            {
                return Raw(literals, length, destination);
            }

            bool single = length < SingleStreamLimit;
            if (single)
            {
                end = _table.EncodeStream(literals, length, end);
            }
            else
            {
                byte* jump = end;
                end += ZstandardFormat.JumpTableSize;
                int quarter = (length + 3) / 4;
                for (int stream = 0; stream < 4; stream++)
                {
                    byte* begin = end;
                    end = _table.EncodeStream(literals + (stream * quarter), stream < 3 ? quarter : length - (3 * quarter), begin);
                    if (stream < 3)
                    {
                        *(ushort*)(jump + (2 * stream)) = (ushort)(end - begin);
                    }
                }
            }

            int sizeFormat = single ? 0 : headerSize - 2;
            int sizeBits = headerSize == 3 ? 10 : headerSize == 4 ? 14 : 18;
            ulong header = (ulong)LiteralsBlockType.Compressed | ((ulong)sizeFormat << 2) | ((ulong)length << 4) | ((ulong)(end - tree) << (4 + sizeBits));
            for (int i = 0; i < headerSize; i++)
            {
                destination[i] = (byte)(header >> (8 * i));
            }

            return end;
        }
    }

    /// <summary>Whether even the most frequent literal is so rare that no code is much shorter than a byte.</summary>
    private static bool IsFlat(int most, int length) => most <= (length >> 7) + 4;

    private static byte* Raw(byte* literals, int length, byte* destination)
    {
        unchecked
        {
            byte* next = UncodedHeader(LiteralsBlockType.Raw, length, destination);
            Buffer.MemoryCopy(literals, next, length, length);
            return next + length;
        }
    }

    private static byte* UncodedHeader(LiteralsBlockType type, int length, byte* destination)
    {
        unchecked
        {
            if (length < 32)
            {
                *destination = (byte)((int)type | (length << 3));
                return destination + 1;
            }

            int size = length < 4096 ? 2 : 3;
            int header = (int)type | (((2 * size) - 3) << 2) | (length << 4);
            for (int i = 0; i < size; i++)
            {
                destination[i] = (byte)(header >> (8 * i));
            }

            return destination + size;
        }
    }

    /// <summary>Counts each literal; returns the most frequent one's count.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private int Count(byte* literals, int length)
    {
        unchecked
        {
            Array.Clear(_counts);
            fixed (int* counts = _counts)
            {
                // Four tables: runs of one byte would wait for each other's count.
                int* counts1 = counts + HuffmanEncodingTable.SymbolLimit;
                int* counts2 = counts1 + HuffmanEncodingTable.SymbolLimit;
                int* counts3 = counts2 + HuffmanEncodingTable.SymbolLimit;
                byte* end = literals + length;
                for (; end - literals >= sizeof(ulong); literals += sizeof(ulong))
                {
                    ulong eight = *(ulong*)literals;
                    counts[(byte)eight]++;
                    counts1[(byte)(eight >> 8)]++;
                    counts2[(byte)(eight >> 16)]++;
                    counts3[(byte)(eight >> 24)]++;
                    counts[(byte)(eight >> 32)]++;
                    counts1[(byte)(eight >> 40)]++;
                    counts2[(byte)(eight >> 48)]++;
                    counts3[eight >> 56]++;
                }

                while (literals < end)
                {
                    counts[*literals++]++;
                }

                int most = 0;
                for (int symbol = 0; symbol < HuffmanEncodingTable.SymbolLimit; symbol++)
                {
                    int count = counts[symbol] + counts1[symbol] + counts2[symbol] + counts3[symbol];
                    counts[symbol] = count;
                    most = Math.Max(most, count);
                }

                return most;
            }
        }
    }
}
