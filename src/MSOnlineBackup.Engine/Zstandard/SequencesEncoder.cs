using System.Numerics;
using System.Runtime.CompilerServices;

namespace MSOnlineBackup.Engine.Zstandard;

/// <summary>Writes the sequences section of a compressed block (RFC 8878, 3.1.1.3.2).</summary>
internal sealed unsafe class SequencesEncoder
{
    // Lengths below these are looked up; codes above grow with the length's logarithm.
    private const int LiteralsLengthLookups = 64;
    private const int LiteralsLengthLogDelta = 19;
    private const int MatchLengthLookups = 128;
    private const int MatchLengthLogDelta = 36;

    // A code of each kind fits into a byte of a number; so do the counts of codes into rows of one table.
    private const int MatchLengthByte = 8;
    private const int OffsetByte = 16;

    // All states of one sequence send at most 26 bits, and up to seven are left over: so many more have room.
    private const int ExtraBitsAtOnce = 64 - 1 - 7 - 26;

    private static readonly FseEncodingTable LiteralsLengthDefaults =
        FseEncodingTable.Of(ZstandardFormat.LiteralsLengthDefaultDistribution, ZstandardFormat.LiteralsLengthDefaultAccuracyLog);

    private static readonly FseEncodingTable MatchLengthDefaults =
        FseEncodingTable.Of(ZstandardFormat.MatchLengthDefaultDistribution, ZstandardFormat.MatchLengthDefaultAccuracyLog);

    private static readonly FseEncodingTable OffsetDefaults =
        FseEncodingTable.Of(ZstandardFormat.OffsetDefaultDistribution, ZstandardFormat.OffsetDefaultAccuracyLog);

    private static readonly byte[] LiteralsLengthCodes = Lookups(ZstandardFormat.LiteralsLengthBaselines, 0, LiteralsLengthLookups);
    private static readonly byte[] MatchLengthCodes =
        Lookups(ZstandardFormat.MatchLengthBaselines, ZstandardFormat.MinimumMatchLength, MatchLengthLookups);

    private readonly FseEncodingTable _literalsLengths = new();
    private readonly FseEncodingTable _matchLengths = new();
    private readonly FseEncodingTable _offsets = new();
    private readonly uint[] _codes = new uint[MatchFinder.MaxSequences];
    private readonly int[] _counts = new int[3 * FseEncodingTable.SymbolLimit];

    /// <summary>Writes the section; null where it would get longer than a limit, give or take a few bytes.</summary>
    /// <param name="sequences">What to write.</param>
    /// <param name="count">How many they are.</param>
    /// <param name="destination">Where the section begins.</param>
    /// <param name="limit">Where it must end; up to 512 bytes behind it may be touched: three tables' descriptions, a sequence, an unaligned store.</param>
    /// <returns>Where it ends.</returns>
    public byte* Encode(Sequence* sequences, int count, byte* destination, byte* limit)
    {
        unchecked
        {
            byte* next = destination;
            if (count < 128)
            {
                *next++ = (byte)count;
            }
            else if (count < 0x7F00)
            {
                *next++ = (byte)((count >> 8) + 128);
                *next++ = (byte)count;
            }
            else
            {
                *next++ = 255;
                *next++ = (byte)(count - 0x7F00);
                *next++ = (byte)((count - 0x7F00) >> 8);
            }

            if (count == 0)
            {
                return next;
            }

            CountCodes(sequences, count);
            byte* modes = next++;
            SymbolCompressionMode literalsLengthMode = Choose(0, count, LiteralsLengthDefaults, _literalsLengths,
                ZstandardFormat.LiteralsLengthMaximumAccuracyLog, ref next, out FseEncodingTable literalsLengths);
            SymbolCompressionMode offsetMode = Choose(2, count, OffsetDefaults, _offsets,
                ZstandardFormat.OffsetMaximumAccuracyLog, ref next, out FseEncodingTable offsets);
            SymbolCompressionMode matchLengthMode = Choose(1, count, MatchLengthDefaults, _matchLengths,
                ZstandardFormat.MatchLengthMaximumAccuracyLog, ref next, out FseEncodingTable matchLengths);
            *modes = (byte)(((int)literalsLengthMode << 6) | ((int)offsetMode << 4) | ((int)matchLengthMode << 2));
            return EncodeStream(sequences, count, literalsLengths, matchLengths, offsets, next, limit);
        }
    }

    private static byte[] Lookups(ReadOnlySpan<int> baselines, int shortest, int lengths)
    {
        byte[] codes = new byte[lengths];
        int code = 0;
        for (int length = 0; length < lengths; length++)
        {
            while (code + 1 < baselines.Length && baselines[code + 1] <= length + shortest)
            {
                code++;
            }

            codes[length] = (byte)code;
        }

        return codes;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void CountCodes(Sequence* sequences, int count)
    {
        unchecked
        {
            Array.Clear(_counts);
            fixed (uint* codes = _codes)
            fixed (int* counts = _counts)
            fixed (byte* literalsLengthCodes = LiteralsLengthCodes, matchLengthCodes = MatchLengthCodes)
            {
                for (int i = 0; i < count; i++)
                {
                    Sequence sequence = sequences[i];
                    uint literalsLength = sequence.LiteralsLength;
                    uint literalsLengthCode = literalsLength < LiteralsLengthLookups
                        ? literalsLengthCodes[literalsLength]
                        : (uint)BitOperations.Log2(literalsLength) + LiteralsLengthLogDelta;
                    uint matchLength = sequence.MatchLength - ZstandardFormat.MinimumMatchLength;
                    uint matchLengthCode = matchLength < MatchLengthLookups
                        ? matchLengthCodes[matchLength]
                        : (uint)BitOperations.Log2(matchLength) + MatchLengthLogDelta;
                    uint offsetCode = (uint)BitOperations.Log2(sequence.OffsetValue);
                    codes[i] = literalsLengthCode | (matchLengthCode << MatchLengthByte) | (offsetCode << OffsetByte);
                    counts[literalsLengthCode]++;
                    counts[FseEncodingTable.SymbolLimit + matchLengthCode]++;
                    counts[(2 * FseEncodingTable.SymbolLimit) + offsetCode]++;
                }
            }
        }
    }

    /// <summary>Takes the table with which codes and its description are shortest, and writes the description.</summary>
    private SymbolCompressionMode Choose(
        int row, int total, FseEncodingTable defaults, FseEncodingTable own, int largestAccuracyLog, ref byte* next, out FseEncodingTable table)
    {
        unchecked
        {
            ReadOnlySpan<int> counts = _counts.AsSpan(row * FseEncodingTable.SymbolLimit, FseEncodingTable.SymbolLimit);
            int last = counts.LastIndexOfAnyExcept(0);
            counts = counts[..(last + 1)];
            if (counts[last] == total && total > 2)
            {
                own.SetRunLength(last);
                *next++ = (byte)last;
                table = own;
                return SymbolCompressionMode.RunLength;
            }

            if (counts[last] != total)
            {
                own.Normalize(counts, total, largestAccuracyLog);
                byte* described = own.Describe(next);
                if ((8 * (described - next)) + own.CostOf(counts) < defaults.CostOf(counts))
                {
                    own.Build();
                    next = described;
                    table = own;
                    return SymbolCompressionMode.Compressed;
                }
            }

            table = defaults;
            return SymbolCompressionMode.Predefined;
        }
    }

    // From the last sequence to the first: the reader begins at the end.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private byte* EncodeStream(
        Sequence* sequences, int count, FseEncodingTable literalsLengthTable, FseEncodingTable matchLengthTable, FseEncodingTable offsetTable, byte* destination, byte* limit)
    {
        unchecked
        {
            fixed (uint* codes = _codes)
            fixed (byte* literalsLengthExtraBits = ZstandardFormat.LiteralsLengthExtraBits, matchLengthExtraBits = ZstandardFormat.MatchLengthExtraBits)
            fixed (ushort* literalsLengthStates = &literalsLengthTable.States, matchLengthStates = &matchLengthTable.States, offsetStates = &offsetTable.States)
            fixed (FseEncodingTable.SymbolStep* literalsLengthSteps = &literalsLengthTable.Steps, matchLengthSteps = &matchLengthTable.Steps, offsetSteps = &offsetTable.Steps)
            {
                var writer = new BitWriter(destination);
                uint code = codes[count - 1];
                uint literalsLengthState = FseEncodingTable.Begin(literalsLengthStates, literalsLengthSteps, (byte)code);
                uint matchLengthState = FseEncodingTable.Begin(matchLengthStates, matchLengthSteps, (byte)(code >> MatchLengthByte));
                uint offsetState = FseEncodingTable.Begin(offsetStates, offsetSteps, code >> OffsetByte);
                for (int i = count - 1; ; )
                {
                    Sequence sequence = sequences[i];
                    uint literalsLength = sequence.LiteralsLength;
                    uint matchLength = sequence.MatchLength - ZstandardFormat.MinimumMatchLength;
                    int literalsLengthBits = literalsLengthExtraBits[(byte)code];
                    int matchLengthBits = matchLengthExtraBits[(byte)(code >> MatchLengthByte)];
                    int offsetBits = (int)(code >> OffsetByte);
                    if (literalsLengthBits + matchLengthBits + offsetBits > ExtraBitsAtOnce)
                    {
                        writer.Flush();
                    }

                    writer.Add(literalsLength & ((1u << literalsLengthBits) - 1), literalsLengthBits);
                    writer.Add(matchLength & ((1u << matchLengthBits) - 1), matchLengthBits);
                    if (literalsLengthBits + matchLengthBits + offsetBits > ExtraBitsAtOnce)
                    {
                        writer.Flush();
                    }

                    writer.Add(sequence.OffsetValue & ((1u << offsetBits) - 1), offsetBits);
                    writer.Flush();
                    if (--i < 0)
                    {
                        break;
                    }

                    if (writer.Position > limit)
                    {
                        return null;
                    }

                    code = codes[i];
                    offsetState = FseEncodingTable.Advance(ref writer, offsetStates, offsetSteps, offsetState, code >> OffsetByte);
                    matchLengthState = FseEncodingTable.Advance(ref writer, matchLengthStates, matchLengthSteps, matchLengthState, (byte)(code >> MatchLengthByte));
                    literalsLengthState = FseEncodingTable.Advance(ref writer, literalsLengthStates, literalsLengthSteps, literalsLengthState, (byte)code);
                }

                writer.Add(matchLengthState & ((1u << matchLengthTable.AccuracyLog) - 1), matchLengthTable.AccuracyLog);
                writer.Add(offsetState & ((1u << offsetTable.AccuracyLog) - 1), offsetTable.AccuracyLog);
                writer.Add(literalsLengthState & ((1u << literalsLengthTable.AccuracyLog) - 1), literalsLengthTable.AccuracyLog);
                return writer.FinishStream();
            }
        }
    }
}
