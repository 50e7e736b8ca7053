using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace MSOnlineBackup.Engine.Zstandard;

/// <summary>
/// Copies of a sequence's literals and matches. The fast ones copy whole vectors, and so touch up to <see cref="Slack"/> bytes
/// more than asked for, on both sides: only callers that have proven that room may use them.
/// </summary>
internal static unsafe class WildCopy
{
    /// <summary>How many bytes beyond its end a fast copy may read and write.</summary>
    public const int Slack = 32;

    private const int VectorSize = 16;

    /// <summary>Copies between ranges that do not overlap.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Literals(byte* target, byte* source, nuint length)
    {
        unchecked
        {
            Vector128.Load(source).Store(target);
            if (length > VectorSize)
            {
                Pairs(target + VectorSize, source + VectorSize, target + length);
            }
        }
    }

    /// <summary>Copies a match of at least 3 bytes from <paramref name="offset"/> bytes before, where it may overlap itself.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Match(byte* target, nuint offset, nuint length)
    {
        unchecked
        {
            if (offset >= VectorSize)
            {
                byte* source = target - offset;
                Vector128.Load(source).Store(target);
                Vector128.Load(source + VectorSize).Store(target + VectorSize);
                if (length > 2 * VectorSize)
                {
                    Pairs(target + (2 * VectorSize), source + (2 * VectorSize), target + length);
                }
            }
            else
            {
                Pattern(target, offset, length);
            }
        }
    }

    /// <summary>Copies a match byte for byte as asked, in steps that double: what is copied already can be copied again.</summary>
    public static void MatchExactly(byte* target, nuint offset, nuint length)
    {
        unchecked
        {
            byte* source = target - offset;
            while (length > 0)
            {
                nuint step = Math.Min(length, (nuint)(target - source));
                Buffer.MemoryCopy(source, target, step, step);
                target += step;
                length -= step;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Pairs(byte* target, byte* source, byte* end)
    {
        unchecked
        {
            do
            {
                // One after the other: a match's second vector may begin with what the first has just written.
                Vector128.Load(source).Store(target);
                Vector128.Load(source + VectorSize).Store(target + VectorSize);
                target += 2 * VectorSize;
                source += 2 * VectorSize;
            }
            while (target < end);
        }
    }

    /// <summary>A match closer than a vector repeats its first bytes: they are spread over a vector once, which is stored on and on.</summary>
    private static void Pattern(byte* target, nuint offset, nuint length)
    {
        unchecked
        {
            byte* source = target - offset;
            Vector128<byte> pattern;
            if (offset == 1)
            {
                pattern = Vector128.Create(*source);
            }
            else
            {
                // Indices below the offset only, so what lies at and behind the target is not looked at.
                Vector128<byte> indices = Vector128.Create(PatternIndices.Slice((int)offset * VectorSize, VectorSize));
                pattern = Vector128.Shuffle(Vector128.Load(source), indices);
            }

            // Every store begins at a whole number of repetitions.
            nuint step = VectorSize - (VectorSize % offset);
            byte* end = target + length;
            do
            {
                pattern.Store(target);
                target += step;
            }
            while (target < end);
        }
    }

    /// <summary>Sixteen rows of sixteen: index modulo row.</summary>
    private static ReadOnlySpan<byte> PatternIndices =>
    [
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1,
        0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0,
        0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3,
        0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0,
        0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5, 0, 1, 2, 3,
        0, 1, 2, 3, 4, 5, 6, 0, 1, 2, 3, 4, 5, 6, 0, 1,
        0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7,
        0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 2, 3, 4, 5, 6,
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5,
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0, 1, 2, 3, 4,
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 0, 1, 2, 3,
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0, 1, 2,
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 0, 1,
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0,
    ];
}
