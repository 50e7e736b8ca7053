using System.Numerics;
using System.Runtime.CompilerServices;

namespace MSOnlineBackup.Engine.Zstandard;

/// <summary>
/// Finds earlier occurrences of what comes next: one hash table of the latest position of each eight-byte string, looked at
/// greedily. Strides grow over stretches where nothing is found. Assumes a little-endian machine, as .NET's are.
/// </summary>
internal sealed unsafe class MatchFinder
{
    /// <summary>Bytes that may be written behind the last literal.</summary>
    public const int LiteralsSlack = CopyStride;

    /// <summary>The most sequences that a block can have.</summary>
    public const int MaxSequences = ZstandardFormat.BlockMaximumSize / ShortestMatch;

    private const int ShortestMatch = 4;
    private const int HashLog = 15;

    // Part of each entry repeats more of the hash, so that most strings that merely share the entry are told apart without
    // looking at their bytes. The rest is the position: sources are up to 4 MiB.
    private const int TagBits = 10;
    private const uint TagMask = (1u << TagBits) - 1;

    private const int FirstStep = 4;
    private const int StepGrowthLog = 6;
    private const int CopyStride = 32;

    private readonly uint[] _table = new uint[1 << HashLog];
    private uint _offset1;
    private uint _offset2;

    /// <summary>The two repeated offsets that are made use of. What is taken back with a block is taken back by setting them.</summary>
    public (uint Latest, uint Earlier) RepeatedOffsets
    {
        get => (_offset1, _offset2);
        set => (_offset1, _offset2) = value;
    }

    /// <summary>Forgets everything, before a new source.</summary>
    public void Reset()
    {
        // An empty entry means position 0: a candidate like any other, for whoever stands behind it.
        Array.Clear(_table);
        _offset1 = (uint)ZstandardFormat.InitialRepeatedOffsets[0];
        _offset2 = (uint)ZstandardFormat.InitialRepeatedOffsets[1];
    }

    /// <summary>Takes one block apart; blocks of a source come in order.</summary>
    /// <param name="source">The whole source.</param>
    /// <param name="length">Its length, up to 4 MiB.</param>
    /// <param name="start">Where the block begins.</param>
    /// <param name="end">Where it ends.</param>
    /// <param name="sequences">Room for <see cref="MaxSequences"/>.</param>
    /// <param name="literals">Room for the block and <see cref="LiteralsSlack"/>; takes all its literals, those after the last sequence too.</param>
    /// <param name="literalsLength">How many literals there are.</param>
    /// <returns>How many sequences there are.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public int Find(byte* source, int length, int start, int end, Sequence* sequences, byte* literals, out int literalsLength)
    {
        unchecked
        {
            byte* blockEnd = source + end;
            byte* anchor = source + start;
            byte* at = start == 0 ? source + 1 : anchor;
            // From in front of it, a hash's eight bytes and a stride of literals can be read, and a match has room in the block.
            byte* searchEnd = source + Math.Min(end - 16, length - CopyStride);
            Sequence* sequence = sequences;
            byte* literal = literals;
            nuint offset1 = _offset1;
            nuint offset2 = _offset2;

            fixed (uint* table = _table)
            {
                while (at < searchEnd)
                {
                    nuint step = FirstStep;
                    byte* faster = at + (1 << StepGrowthLog);
                    byte* match;
                    uint offsetValue;

                    while (true)
                    {
                        // Two neighbours at a time: their loads overlap.
                        ulong first = *(ulong*)at;
                        ulong second = *(ulong*)(at + 1);
                        uint firstHash = Hash(first);
                        uint secondHash = Hash(second);
                        uint position = (uint)(at - source);
                        uint firstEntry = table[firstHash >> TagBits];
                        table[firstHash >> TagBits] = (position << TagBits) | (firstHash & TagMask);
                        uint secondEntry = table[secondHash >> TagBits];

                        if ((uint)second == *(uint*)(at + 1 - offset1))
                        {
                            table[secondHash >> TagBits] = ((position + 1) << TagBits) | (secondHash & TagMask);
                            at++;
                            match = at - offset1;
                            offsetValue = 1;
                            break;
                        }

                        if (((firstEntry ^ firstHash) & TagMask) == 0)
                        {
                            match = source + (firstEntry >> TagBits);
                            if (*(uint*)match == (uint)first)
                            {
                                table[secondHash >> TagBits] = ((position + 1) << TagBits) | (secondHash & TagMask);
                                offsetValue = 0;
                                break;
                            }
                        }

                        table[secondHash >> TagBits] = ((position + 1) << TagBits) | (secondHash & TagMask);
                        if (((secondEntry ^ secondHash) & TagMask) == 0)
                        {
                            match = source + (secondEntry >> TagBits);
                            if (*(uint*)match == (uint)second)
                            {
                                at++;
                                offsetValue = 0;
                                break;
                            }
                        }

                        at += step;
                        if (at >= faster)
                        {
                            step++;
                            faster += 1 << StepGrowthLog;
                        }

                        if (at >= searchEnd)
                        {
                            goto Done;
                        }
                    }

                    uint reach = (uint)(at - anchor);
                    if (offsetValue == 0)
                    {
                        offset2 = offset1;
                        offset1 = (nuint)(at - match);
                        offsetValue = (uint)offset1 + ZstandardFormat.RepeatedOffsetCount;
                    }
                    else
                    {
                        // Without literals before it, "1" would mean the earlier offset: one literal stays.
                        reach--;
                    }

                    uint back = CommonBefore(at, match, match - source < sizeof(ulong) ? 0 : reach);
                    uint matchLength = ShortestMatch + CommonLength(at + ShortestMatch, match + ShortestMatch, blockEnd);
                    at -= back;
                    uint run = (uint)(at - anchor);
                    CopyLiterals(anchor, literal, run);
                    literal += run;
                    *sequence++ = new Sequence(run, matchLength + back, offsetValue);
                    byte* inside = at + 2;
                    at += matchLength + back;
                    anchor = at;
                    if (at >= searchEnd)
                    {
                        break;
                    }

                    table[Hash(*(ulong*)inside) >> TagBits] = Entry(inside, source);
                    table[Hash(*(ulong*)(at - 2)) >> TagBits] = Entry(at - 2, source);

                    // Often the offset before the last one goes on right here.
                    while (at < searchEnd && *(uint*)at == *(uint*)(at - offset2))
                    {
                        matchLength = ShortestMatch + CommonLength(at + ShortestMatch, at + ShortestMatch - offset2, blockEnd);
                        (offset1, offset2) = (offset2, offset1);
                        table[Hash(*(ulong*)at) >> TagBits] = Entry(at, source);
                        *sequence++ = new Sequence(0, matchLength, 1);
                        at += matchLength;
                        anchor = at;
                    }
                }
            }

        Done:
            uint rest = (uint)(blockEnd - anchor);
            Buffer.MemoryCopy(anchor, literal, rest, rest);
            literalsLength = (int)(literal - literals + rest);
            _offset1 = (uint)offset1;
            _offset2 = (uint)offset2;
            return (int)(sequence - sequences);
        }
    }

    /// <summary>The table's index, followed by the tag.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Hash(ulong bytes) => unchecked((uint)((bytes * 0x9E3779B185EBCA87) >> (64 - HashLog - TagBits)));

    /// <summary>What the table holds of a position.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Entry(byte* at, byte* source) => unchecked(((uint)(at - source) << TagBits) | (Hash(*(ulong*)at) & TagMask));

    /// <summary>Copies in strides: the bytes behind a run are overwritten by the next one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void CopyLiterals(byte* from, byte* to, uint length)
    {
        unchecked
        {
            Unsafe.CopyBlockUnaligned(to, from, CopyStride);
            for (uint done = CopyStride; done < length; done += CopyStride)
            {
                Unsafe.CopyBlockUnaligned(to + done, from + done, CopyStride);
            }
        }
    }

    /// <summary>How many bytes are the same from here on, where the first lies behind the second.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint CommonLength(byte* here, byte* there, byte* end)
    {
        unchecked
        {
            byte* start = here;
            while (end - here >= sizeof(ulong))
            {
                ulong difference = *(ulong*)here ^ *(ulong*)there;
                if (difference != 0)
                {
                    return (uint)(here - start) + ((uint)BitOperations.TrailingZeroCount(difference) >> 3);
                }

                here += sizeof(ulong);
                there += sizeof(ulong);
            }

            while (here < end && *here == *there)
            {
                here++;
                there++;
            }

            return (uint)(here - start);
        }
    }

    /// <summary>
    /// How many bytes are the same just before, up to a limit; it is 0 where there are not eight. More than eight are not looked
    /// for: strides are shorter, and comparing them at once spares a loop whose end nobody can predict.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint CommonBefore(byte* here, byte* there, uint limit)
    {
        unchecked
        {
            return limit == 0
                ? 0
                : Math.Min(limit, (uint)BitOperations.LeadingZeroCount(*(ulong*)(here - sizeof(ulong)) ^ *(ulong*)(there - sizeof(ulong))) >> 3);
        }
    }
}
