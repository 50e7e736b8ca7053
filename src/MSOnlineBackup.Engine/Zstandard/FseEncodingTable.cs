using System.Numerics;
using System.Runtime.CompilerServices;

namespace MSOnlineBackup.Engine.Zstandard;

/// <summary>
/// A table of finite state entropy (RFC 8878, 4.1) as a writer needs it. A state is a number from the table's size up to
/// twice that; a symbol sends out the state's lowest bits and takes it to one of as many next states as it is probable.
/// </summary>
internal sealed unsafe class FseEncodingTable
{
    /// <summary>More than the largest symbol of any table.</summary>
    public const int SymbolLimit = 64;

    private const int LargestAccuracyLog = 9;
    private const int CostFractionBits = 8;

    // How many bits a probability of 1, 2, 3, ... in 512 costs, in 1/256 bits.
    private static readonly ushort[] Costs = [.. Enumerable.Range(0, (1 << LargestAccuracyLog) + 1)
        .Select(probability => (ushort)Math.Round((LargestAccuracyLog - Math.Log2(Math.Max(probability, 1))) * (1 << CostFractionBits)))];

    private readonly short[] _probabilities = new short[SymbolLimit];
    private readonly ushort[] _states = new ushort[1 << LargestAccuracyLog];
    private readonly SymbolStep[] _steps = new SymbolStep[SymbolLimit];
    private int _symbolCount;

    /// <summary>The table has two to this power states.</summary>
    public int AccuracyLog { get; private set; }

    /// <summary>A table of a distribution that stands fast.</summary>
    public static FseEncodingTable Of(ReadOnlySpan<short> probabilities, int accuracyLog)
    {
        var table = new FseEncodingTable();
        probabilities.CopyTo(table._probabilities);
        table._symbolCount = probabilities.Length;
        table.AccuracyLog = accuracyLog;
        table.Build();
        return table;
    }

    /// <summary>The next states; <see cref="Advance"/> takes it.</summary>
    public ref ushort States => ref _states[0];

    /// <summary>What each symbol does to a state; <see cref="Advance"/> takes it.</summary>
    public ref SymbolStep Steps => ref _steps[0];

    /// <summary>Becomes the table of only one symbol, which costs nothing.</summary>
    public void SetRunLength(int symbol)
    {
        AccuracyLog = 0;
        _states[0] = 0;
        _steps[symbol] = default;
    }

    /// <summary>Takes over counts, scaled to a sum of two to the accuracy log, none to zero. At least two are not zero.</summary>
    /// <param name="counts">One for each symbol, the last not zero.</param>
    /// <param name="total">Their sum.</param>
    /// <param name="largestAccuracyLog">What the format allows here.</param>
    public void Normalize(ReadOnlySpan<int> counts, int total, int largestAccuracyLog)
    {
        unchecked
        {
            // More accuracy than there are symbols to code is not worth its description, but each symbol needs its place.
            int distinct = BitOperations.Log2((uint)counts.Length) + 1;
            AccuracyLog = Math.Clamp(BitOperations.Log2((uint)total) - 2, Math.Max(distinct, ZstandardFormat.MinimumAccuracyLog), largestAccuracyLog);
            _symbolCount = counts.Length;
            int size = 1 << AccuracyLog;
            int excess = -size;
            for (int symbol = 0; symbol < counts.Length; symbol++)
            {
                int scaled = counts[symbol] == 0 ? 0 : Math.Max(1, (int)(((((long)counts[symbol] << AccuracyLog) * 2) + total) / (2 * (long)total)));
                _probabilities[symbol] = (short)scaled;
                excess += scaled;
            }

            // What rounding added or lost is made up where it matters least.
            while (excess != 0)
            {
                int largest = 0;
                for (int symbol = 1; symbol < counts.Length; symbol++)
                {
                    largest = _probabilities[symbol] > _probabilities[largest] ? symbol : largest;
                }

                int change = excess < 0 ? -excess : -Math.Min(excess, Math.Max(1, _probabilities[largest] / 8));
                _probabilities[largest] += (short)change;
                excess += change;
            }
        }
    }

    /// <summary>What it costs to code these counts, in bits; all must have a probability.</summary>
    public long CostOf(ReadOnlySpan<int> counts)
    {
        long cost = 0;
        for (int symbol = 0; symbol < counts.Length; symbol++)
        {
            cost += (long)counts[symbol] * Costs[Math.Abs(_probabilities[symbol]) << (LargestAccuracyLog - AccuracyLog)];
        }

        return cost >> CostFractionBits;
    }

    /// <summary>Writes the distribution (RFC 8878, 4.1.1); returns where it ends. At most 64 bytes, and eight are touched behind them.</summary>
    public byte* Describe(byte* destination)
    {
        unchecked
        {
            var writer = new BitWriter(destination);
            writer.Add((uint)(AccuracyLog - ZstandardFormat.MinimumAccuracyLog), 4);
            int remaining = (1 << AccuracyLog) + 1;
            int threshold = 1 << AccuracyLog;
            int bits = AccuracyLog + 1;
            int symbol = 0;
            while (remaining > 1)
            {
                int probability = _probabilities[symbol++];
                // Values from 0 to the most that is left: the lower ones have room for one bit less.
                int shorter = (2 * threshold) - 1 - remaining;
                int value = probability + 1;
                value += value >= threshold ? shorter : 0;
                writer.Add((uint)value, value < shorter ? bits - 1 : bits);
                writer.Flush();
                remaining -= Math.Abs(probability);
                while (remaining < threshold)
                {
                    threshold >>= 1;
                    bits--;
                }

                if (probability == 0)
                {
                    // Then two bits say how many more zeros follow; three mean that two more bits do.
                    int zeros = 0;
                    while (_probabilities[symbol + zeros] == 0)
                    {
                        zeros++;
                    }

                    symbol += zeros;
                    for (; zeros >= 3; zeros -= 3)
                    {
                        writer.Add(3, 2);
                        writer.Flush();
                    }

                    writer.Add((uint)zeros, 2);
                    writer.Flush();
                }
            }

            return writer.Finish();
        }
    }

    /// <summary>Makes the states of the distribution.</summary>
    public void Build()
    {
        unchecked
        {
            int size = 1 << AccuracyLog;
            byte* symbols = stackalloc byte[1 << LargestAccuracyLog];
            int* nextOf = stackalloc int[SymbolLimit];

            int high = size - 1;
            int total = 0;
            for (int symbol = 0; symbol < _symbolCount; symbol++)
            {
                int probability = _probabilities[symbol];
                nextOf[symbol] = total;
                if (probability < 0)
                {
                    symbols[high--] = (byte)symbol;
                    probability = 1;
                }

                if (probability != 0)
                {
                    int most = probability == 1 ? AccuracyLog : AccuracyLog - BitOperations.Log2((uint)probability - 1);
                    _steps[symbol] = new SymbolStep((uint)((most << 16) - (probability << most)), total - probability);
                    total += probability;
                }
            }

            int mask = size - 1;
            int stride = (size >> 1) + (size >> 3) + 3;
            int place = 0;
            for (int symbol = 0; symbol < _symbolCount; symbol++)
            {
                for (int i = 0; i < _probabilities[symbol]; i++)
                {
                    symbols[place] = (byte)symbol;
                    do
                    {
                        place = (place + stride) & mask;
                    }
                    while (place > high);
                }
            }

            for (int state = 0; state < size; state++)
            {
                _states[nextOf[symbols[state]]++] = (ushort)(size + state);
            }
        }
    }

    /// <summary>The state from which a reader gets this symbol and then goes on; the last symbol costs no bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Begin(ushort* states, SymbolStep* steps, uint symbol)
    {
        unchecked
        {
            // The lowest state of those that send the most bits: so a reader that runs out of bits notices it at once.
            SymbolStep step = steps[symbol];
            uint bits = (step.Bits + (1 << 15)) >> 16;
            return states[(int)(((bits << 16) - step.Bits) >> (int)bits) + step.Next];
        }
    }

    /// <summary>Codes a symbol: writes the bits that lead back from the state of it that comes next, and returns that.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Advance(ref BitWriter writer, ushort* states, SymbolStep* steps, uint state, uint symbol)
    {
        unchecked
        {
            SymbolStep step = steps[symbol];
            int bits = (int)((state + step.Bits) >> 16);
            writer.Add(state & ((1u << bits) - 1), bits);
            return states[(int)(state >> bits) + step.Next];
        }
    }

    /// <summary>What a symbol does to a state.</summary>
    /// <param name="Bits">Added to a state, its upper half says how many bits are sent.</param>
    /// <param name="Next">Added to what is left of the state, it says where the next state stands.</param>
    internal readonly record struct SymbolStep(uint Bits, int Next);
}
