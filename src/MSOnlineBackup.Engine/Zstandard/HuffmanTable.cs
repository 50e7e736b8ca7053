using System.Numerics;
using System.Runtime.CompilerServices;

namespace MSOnlineBackup.Engine.Zstandard;

/// <summary>
/// Reads the description of a literals' Huffman tree (RFC 8878, 4.2.1) into a decoding table. The table always has 2^11 entries,
/// however short the codes are, so that its index is the same shift for every tree: the next 11 bits of a stream find the entry,
/// whose low byte is the length of the code and whose high byte is the literal.
/// </summary>
internal static unsafe class HuffmanTable
{
    /// <summary>How many entries a table has.</summary>
    public const int Size = 1 << ZstandardFormat.HuffmanMaximumBits;

    /// <summary>The weight of the last symbol is not written, so no description holds more weights.</summary>
    private const int MaximumWeights = 255;

    /// <summary>Header bytes from here on say how many weights follow, plainly; smaller ones the size of their FSE description.</summary>
    private const int PlainWeights = 128;

    private static readonly FseEntry[] _weightSymbols =
        [.. Enumerable.Range(0, ZstandardFormat.HuffmanMaximumBits + 1).Select(weight => new FseEntry((uint)weight, 0, 0, 0))];

    /// <summary>Reads the description at <paramref name="source"/>; false where it is none.</summary>
    /// <param name="source">Preceded by at least <see cref="BackwardBitReader.Reach"/> readable bytes.</param>
    /// <param name="size">How many bytes the description takes.</param>
    [SkipLocalsInit]
    public static bool TryRead(byte* source, long available, Span<ushort> table, out int size)
    {
        unchecked
        {
            size = 0;
            if (available < 1)
            {
                return false;
            }

            int header = *source++;
            int described = header >= PlainWeights ? (header - PlainWeights + 2) / 2 : header;
            if (available < 1 + described)
            {
                return false;
            }

            size = 1 + described;
            Span<byte> weights = stackalloc byte[MaximumWeights + 1];
            int count;
            if (header >= PlainWeights)
            {
                count = header - PlainWeights + 1;
                for (int i = 0; i < count; i++)
                {
                    weights[i] = (byte)((i & 1) == 0 ? source[i >> 1] >> 4 : source[i >> 1] & 15);
                }
            }
            else if (!TryReadCompressedWeights(source, described, weights[..MaximumWeights], out count))
            {
                return false;
            }

            return TryBuild(weights, count, table);
        }
    }

    /// <summary>Two FSE states take turns in one stream, until it has no bits left for the state whose turn it is.</summary>
    [SkipLocalsInit]
    private static bool TryReadCompressedWeights(byte* source, int available, Span<byte> weights, out int count)
    {
        unchecked
        {
            count = 0;
            Span<short> probabilities = stackalloc short[ZstandardFormat.HuffmanMaximumBits + 1];
            if (!FseDistribution.TryRead(
                    new ReadOnlySpan<byte>(source, available), ZstandardFormat.HuffmanWeightMaximumAccuracyLog, probabilities,
                    out int accuracyLog, out int symbols, out int size)
                || !BackwardBitReader.TryOpen(source + size, available - size, out BackwardBitReader bits))
            {
                return false;
            }

            Span<FseEntry> table = stackalloc FseEntry[1 << ZstandardFormat.HuffmanWeightMaximumAccuracyLog];
            FseTable.Build(probabilities[..symbols], accuracyLog, _weightSymbols, table);
            FseEntry current = table[(int)bits.Read(accuracyLog)];
            FseEntry other = table[(int)bits.Read(accuracyLog)];
            if (!bits.TryRefill())
            {
                return false;
            }

            while (count < weights.Length)
            {
                weights[count++] = (byte)current.Baseline;
                if (bits.Remaining < current.StateBits)
                {
                    if (count == weights.Length || bits.Remaining < 0)
                    {
                        return false;
                    }

                    weights[count++] = (byte)other.Baseline;
                    return true;
                }

                FseEntry next = table[(int)(current.NextState + bits.Read(current.StateBits))];
                (current, other) = (other, next);
                if (!bits.TryRefill())
                {
                    return false;
                }
            }

            return false;
        }
    }

    /// <summary>Completes the weights and fills the table: the lower a weight, the longer the code and the lower its value.</summary>
    /// <param name="weights">The weights that are written, and room for the one that is not.</param>
    [SkipLocalsInit]
    private static bool TryBuild(Span<byte> weights, int count, Span<ushort> table)
    {
        unchecked
        {
            Span<int> symbolsOfWeight = stackalloc int[ZstandardFormat.HuffmanMaximumBits + 1];
            symbolsOfWeight.Clear();
            int total = 0;
            foreach (byte weight in weights[..count])
            {
                if (weight > ZstandardFormat.HuffmanMaximumBits)
                {
                    return false;
                }

                symbolsOfWeight[weight]++;
                total += (1 << weight) >> 1;
            }

            // The last weight is what completes the sum to a power of two, and must be a power of two itself.
            int bits = BitOperations.Log2((uint)total) + 1;
            int rest = (1 << bits) - total;
            if (total == 0 || bits > ZstandardFormat.HuffmanMaximumBits || !BitOperations.IsPow2(rest))
            {
                return false;
            }

            int last = BitOperations.Log2((uint)rest) + 1;
            weights[count++] = (byte)last;
            symbolsOfWeight[last]++;

            // What a weight of one takes in a table of the full size.
            int unit = 1 << (ZstandardFormat.HuffmanMaximumBits - bits);
            Span<int> next = stackalloc int[ZstandardFormat.HuffmanMaximumBits + 1];
            int start = 0;
            for (int weight = 1; weight <= bits; weight++)
            {
                next[weight] = start;
                start += symbolsOfWeight[weight] * (unit << (weight - 1));
            }

            for (int symbol = 0; symbol < count; symbol++)
            {
                int weight = weights[symbol];
                if (weight > 0)
                {
                    int length = unit << (weight - 1);
                    table.Slice(next[weight], length).Fill((ushort)((symbol << 8) | (bits + 1 - weight)));
                    next[weight] += length;
                }
            }

            return true;
        }
    }
}
