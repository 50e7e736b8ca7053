using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace MSOnlineBackup.Engine.Zstandard;

/// <summary>Decodes literals from their one or four Huffman coded streams (RFC 8878, 4.2.2).</summary>
internal static unsafe class HuffmanStreams
{
    /// <summary>After a refill the container is good for that many codes of the greatest length.</summary>
    private const int SymbolsPerRefill = BackwardBitReader.BitsAfterRefill / ZstandardFormat.HuffmanMaximumBits;

    /// <summary>The most bytes that those codes, with the bits left over by the refill before, move a stream on.</summary>
    private const int BytesPerRefill = 7;

    private const int IndexShift = 64 - ZstandardFormat.HuffmanMaximumBits;

    /// <summary>Decodes one stream into exactly <paramref name="count"/> literals.</summary>
    /// <param name="source">Preceded by at least <see cref="BackwardBitReader.Reach"/> readable bytes.</param>
    public static bool TryDecodeOne(ushort* table, byte* source, long size, byte* literals, long count)
    {
        return BackwardBitReader.TryOpen(source, size, out BackwardBitReader bits)
            && TryFinish(table, source, bits.Position, bits.Consumed, literals, count);
    }

    /// <summary>Decodes four streams, which a jump table of their sizes precedes, into exactly <paramref name="count"/> literals.</summary>
    /// <param name="source">Preceded by at least <see cref="BackwardBitReader.Reach"/> readable bytes.</param>
    public static bool TryDecodeFour(ushort* table, byte* source, long size, byte* literals, long count)
    {
        unchecked
        {
            // All streams hold the same number of literals, but for the last, which may hold up to three less.
            long each = (count + 3) / 4;
            long countOfLast = count - (3 * each);
            if (size < ZstandardFormat.JumpTableSize || countOfLast < 0)
            {
                return false;
            }

            var jumpTable = new ReadOnlySpan<byte>(source, ZstandardFormat.JumpTableSize);
            byte* start0 = source + ZstandardFormat.JumpTableSize;
            long size0 = BinaryPrimitives.ReadUInt16LittleEndian(jumpTable);
            long size1 = BinaryPrimitives.ReadUInt16LittleEndian(jumpTable[2..]);
            long size2 = BinaryPrimitives.ReadUInt16LittleEndian(jumpTable[4..]);
            long size3 = size - ZstandardFormat.JumpTableSize - size0 - size1 - size2;
            byte* start1 = start0 + size0;
            byte* start2 = start1 + size1;
            byte* start3 = start2 + size2;
            if (size3 < 1
                || !BackwardBitReader.TryOpen(start0, size0, out BackwardBitReader reader0)
                || !BackwardBitReader.TryOpen(start1, size1, out BackwardBitReader reader1)
                || !BackwardBitReader.TryOpen(start2, size2, out BackwardBitReader reader2)
                || !BackwardBitReader.TryOpen(start3, size3, out BackwardBitReader reader3))
            {
                return false;
            }

            // The containers are kept shifted, the next bit on top. A one at their other end, which no code reaches after a
            // refill, is shifted along and tells at the next refill how far: nothing needs to be counted per code.
            byte* position0 = reader0.Position;
            byte* position1 = reader1.Position;
            byte* position2 = reader2.Position;
            byte* position3 = reader3.Position;
            ulong bits0 = Load(position0, reader0.Consumed);
            ulong bits1 = Load(position1, reader1.Consumed);
            ulong bits2 = Load(position2, reader2.Consumed);
            ulong bits3 = Load(position3, reader3.Consumed);
            byte* output = literals;
            byte* end = literals + countOfLast;

            // Rounds are run without a check while every stream has bits for the longest codes and all outputs have room.
            // Codes are shorter on average, so few outer turns use up all but the last bytes.
            while (true)
            {
                long room = Math.Min(
                    Math.Min(position0 - start0, position1 - start1), Math.Min(position2 - start2, position3 - start3));
                long rounds = Math.Min((room + BackwardBitReader.Reach) / BytesPerRefill, (end - output) / SymbolsPerRefill);
                if (rounds <= 0)
                {
                    break;
                }

                byte* stop = output + (rounds * SymbolsPerRefill);
                do
                {
                    bits0 = Decode(table, bits0, output);
                    bits1 = Decode(table, bits1, output + each);
                    bits2 = Decode(table, bits2, output + (2 * each));
                    bits3 = Decode(table, bits3, output + (3 * each));
                    bits0 = Decode(table, bits0, output + 1);
                    bits1 = Decode(table, bits1, output + each + 1);
                    bits2 = Decode(table, bits2, output + (2 * each) + 1);
                    bits3 = Decode(table, bits3, output + (3 * each) + 1);
                    bits0 = Decode(table, bits0, output + 2);
                    bits1 = Decode(table, bits1, output + each + 2);
                    bits2 = Decode(table, bits2, output + (2 * each) + 2);
                    bits3 = Decode(table, bits3, output + (3 * each) + 2);
                    bits0 = Decode(table, bits0, output + 3);
                    bits1 = Decode(table, bits1, output + each + 3);
                    bits2 = Decode(table, bits2, output + (2 * each) + 3);
                    bits3 = Decode(table, bits3, output + (3 * each) + 3);
                    bits0 = Decode(table, bits0, output + 4);
                    bits1 = Decode(table, bits1, output + each + 4);
                    bits2 = Decode(table, bits2, output + (2 * each) + 4);
                    bits3 = Decode(table, bits3, output + (3 * each) + 4);
                    bits0 = Refill(ref position0, bits0);
                    bits1 = Refill(ref position1, bits1);
                    bits2 = Refill(ref position2, bits2);
                    bits3 = Refill(ref position3, bits3);
                    output += SymbolsPerRefill;
                }
                while (output < stop);
            }

            long done = output - literals;
            return TryFinish(table, start0, position0, BitOperations.TrailingZeroCount(bits0), output, each - done)
                && TryFinish(table, start1, position1, BitOperations.TrailingZeroCount(bits1), output + each, each - done)
                && TryFinish(table, start2, position2, BitOperations.TrailingZeroCount(bits2), output + (2 * each), each - done)
                && TryFinish(table, start3, position3, BitOperations.TrailingZeroCount(bits3), output + (3 * each), countOfLast - done);
        }
    }

    /// <summary>Decodes the last <paramref name="count"/> literals of a stream, which must then have no bit left.</summary>
    private static bool TryFinish(ushort* table, byte* start, byte* position, int consumed, byte* output, long count)
    {
        unchecked
        {
            byte* lowest = start - BackwardBitReader.Reach;
            byte* end = output + count;
            while (true)
            {
                position -= consumed >> 3;
                consumed &= 7;
                if (position < lowest)
                {
                    return false;
                }

                ulong bits = Load(position, consumed);
                if (end - output < SymbolsPerRefill)
                {
                    while (output < end)
                    {
                        bits = Decode(table, bits, output++);
                    }

                    return (position - lowest) * 8 == BitOperations.TrailingZeroCount(bits);
                }

                for (int i = 0; i < SymbolsPerRefill; i++)
                {
                    bits = Decode(table, bits, output++);
                }

                consumed = BitOperations.TrailingZeroCount(bits);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Decode(ushort* table, ulong bits, byte* output)
    {
        unchecked
        {
            uint entry = table[bits >> IndexShift];
            *output = (byte)(entry >> 8);
            // A shift takes the lowest six bits of its count only, and the length of a code is all of them.
            return bits << (int)entry;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Refill(ref byte* position, ulong bits)
    {
        unchecked
        {
            int consumed = BitOperations.TrailingZeroCount(bits);
            position -= consumed >> 3;
            return Load(position, consumed & 7);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Load(byte* position, int consumed) => unchecked((*(ulong*)position | 1) << consumed);
}
