using System.Numerics;
using System.Runtime.CompilerServices;

namespace MSOnlineBackup.Engine.Zstandard;

/// <summary>Builds FSE decoding tables (RFC 8878, 4.1.1).</summary>
internal static class FseTable
{
    /// <summary>No table has more states.</summary>
    private const int MaximumSize = 1 << ZstandardFormat.LiteralsLengthMaximumAccuracyLog;

    /// <summary>Fills the first 2^<paramref name="accuracyLog"/> entries of <paramref name="table"/>.</summary>
    /// <param name="probabilities">One per symbol, adding up to the table's size where -1 counts as one.</param>
    /// <param name="symbols">Per symbol, the value of an entry before its states are known: baseline and extra bits.</param>
    [SkipLocalsInit]
    public static void Build(ReadOnlySpan<short> probabilities, int accuracyLog, ReadOnlySpan<FseEntry> symbols, Span<FseEntry> table)
    {
        unchecked
        {
            int size = 1 << accuracyLog;
            Span<byte> symbolOf = stackalloc byte[MaximumSize];
            Span<ushort> nextOf = stackalloc ushort[256];

            // Symbols of a probability below one take a state each at the table's end; the others are spread over the rest.
            int last = size - 1;
            for (int symbol = 0; symbol < probabilities.Length; symbol++)
            {
                int probability = probabilities[symbol];
                if (probability < 0)
                {
                    symbolOf[last--] = (byte)symbol;
                    probability = 1;
                }

                nextOf[symbol] = (ushort)probability;
            }

            int step = (size >> 1) + (size >> 3) + 3;
            int position = 0;
            for (int symbol = 0; symbol < probabilities.Length; symbol++)
            {
                for (int i = probabilities[symbol]; i > 0; i--)
                {
                    symbolOf[position] = (byte)symbol;
                    do
                    {
                        position = (position + step) & (size - 1);
                    }
                    while (position > last);
                }
            }

            table = table[..size];
            for (int state = 0; state < table.Length; state++)
            {
                int symbol = symbolOf[state];
                uint next = nextOf[symbol]++;
                int bits = accuracyLog - BitOperations.Log2(next);
                table[state] = symbols[symbol] with { NextState = (ushort)((next << bits) - (uint)size), StateBits = (byte)bits };
            }
        }
    }
}
