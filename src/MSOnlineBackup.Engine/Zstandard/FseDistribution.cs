using System.Buffers.Binary;
using System.Numerics;

namespace MSOnlineBackup.Engine.Zstandard;

/// <summary>The description of an FSE table: how often each symbol occurs in it (RFC 8878, 4.1.1).</summary>
internal static class FseDistribution
{
    /// <summary>Reads the distribution at the beginning of <paramref name="source"/>.</summary>
    /// <param name="probabilities">Room for one probability per allowed symbol; -1 stands for "less than one".</param>
    /// <param name="symbols">How many symbols are described.</param>
    /// <param name="size">How many bytes the description takes.</param>
    /// <returns>False where the bytes are no distribution of at most that accuracy and those symbols.</returns>
    public static bool TryRead(
        ReadOnlySpan<byte> source, int maximumAccuracyLog, Span<short> probabilities, out int accuracyLog, out int symbols, out int size)
    {
        unchecked
        {
            accuracyLog = (int)(Window(source, 0) & 15) + ZstandardFormat.MinimumAccuracyLog;
            symbols = 0;
            size = 0;
            if (accuracyLog > maximumAccuracyLog)
            {
                return false;
            }

            int position = 4;
            int remaining = 1 << accuracyLog;
            while (remaining > 0 && symbols < probabilities.Length)
            {
                // A value of 0 to remaining + 1 takes one bit less where it is below the threshold.
                uint window = Window(source, position);
                int bits = BitOperations.Log2((uint)remaining + 1) + 1;
                int lowMask = (1 << (bits - 1)) - 1;
                int threshold = (1 << bits) - 2 - remaining;
                int value = (int)window & ((1 << bits) - 1);
                if ((value & lowMask) < threshold)
                {
                    value &= lowMask;
                    bits--;
                }
                else if (value > lowMask)
                {
                    value -= threshold;
                }

                position += bits;
                int probability = value - 1;
                remaining -= Math.Abs(probability);
                probabilities[symbols++] = (short)probability;
                if (probability != 0)
                {
                    continue;
                }

                // After a zero, two bits tell how many further zeros follow; three of them tell that two more bits do.
                int zeros;
                do
                {
                    zeros = (int)(Window(source, position) & 3);
                    position += 2;
                    if (zeros > probabilities.Length - symbols)
                    {
                        return false;
                    }

                    probabilities.Slice(symbols, zeros).Clear();
                    symbols += zeros;
                }
                while (zeros == 3);
            }

            size = (position + 7) >> 3;
            return remaining == 0 && size <= source.Length;
        }
    }

    /// <summary>At least 24 bits from the given bit on; zeros beyond the end, which the caller finds by the position.</summary>
    private static uint Window(ReadOnlySpan<byte> source, int position)
    {
        unchecked
        {
            int index = position >> 3;
            if (index + sizeof(uint) <= source.Length)
            {
                return BinaryPrimitives.ReadUInt32LittleEndian(source[index..]) >> (position & 7);
            }

            uint window = 0;
            for (int i = source.Length - 1; i >= index; i--)
            {
                window = (window << 8) | source[i];
            }

            return window >> (position & 7);
        }
    }
}
