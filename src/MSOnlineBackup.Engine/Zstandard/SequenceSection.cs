namespace MSOnlineBackup.Engine.Zstandard;

/// <summary>Decodes the sequences of a block and carries each out at once (RFC 8878, 3.1.1.3.2 and 3.1.1.4).</summary>
internal static unsafe class SequenceSection
{
    /// <summary>The most state bits of a sequence.</summary>
    private const int MaximumStateBits = ZstandardFormat.LiteralsLengthMaximumAccuracyLog
        + ZstandardFormat.MatchLengthMaximumAccuracyLog + ZstandardFormat.OffsetMaximumAccuracyLog;

    /// <summary>With more extra bits than these in a sequence, one refill may not be enough for all its bits.</summary>
    private const int ExtraBitsPerRefill = BackwardBitReader.BitsAfterRefill - MaximumStateBits;

    /// <summary>Carries out <paramref name="count"/> sequences; false where one is damaged or leads out of the bounds given.</summary>
    /// <param name="tables">The three decoding tables, laid out as <see cref="SequenceSymbols"/> says.</param>
    /// <param name="accuracyLogs">Of each table.</param>
    /// <param name="bits">The stream of the sequences, just opened.</param>
    /// <param name="literals">Where the literals not yet used begin; <see cref="WildCopy.Slack"/> readable bytes follow their end.</param>
    /// <param name="start">Where the frame's content begins: no offset reaches before it.</param>
    /// <param name="output">Where the block's content goes.</param>
    /// <param name="end">Where all room for content ends.</param>
    public static bool TryExecute(
        FseEntry* tables, AccuracyLogs accuracyLogs, BackwardBitReader bits, int count, ref byte* literals, byte* literalsEnd,
        byte* start, ref byte* output, byte* end, ref RepeatedOffsets repeatedOffsets)
    {
        unchecked
        {
            byte* target = output;
            byte* literal = literals;
            nuint first = repeatedOffsets.First;
            nuint second = repeatedOffsets.Second;
            nuint third = repeatedOffsets.Third;

            nuint literalsLengthState = bits.Read(accuracyLogs.LiteralsLength);
            nuint offsetState = bits.Read(accuracyLogs.Offset);
            nuint matchLengthState = bits.Read(accuracyLogs.MatchLength);
            if (!bits.TryRefill())
            {
                return false;
            }

            while (true)
            {
                FseEntry* literalsLengthEntry = tables + SequenceSymbols.LiteralsLengthTable + literalsLengthState;
                FseEntry* matchLengthEntry = tables + SequenceSymbols.MatchLengthTable + matchLengthState;
                FseEntry* offsetEntry = tables + SequenceSymbols.OffsetTable + offsetState;
                nuint literalsLength = literalsLengthEntry->Baseline;
                nuint matchLength = matchLengthEntry->Baseline;
                nuint offset = offsetEntry->Baseline;
                int literalsLengthBits = literalsLengthEntry->ExtraBits;
                int matchLengthBits = matchLengthEntry->ExtraBits;
                int offsetBits = offsetEntry->ExtraBits;

                if (offsetBits > 1)
                {
                    offset += bits.Read(offsetBits);
                    third = second;
                    second = first;
                    first = offset;
                }
                else
                {
                    // Without literals the latest offset would only prolong the match before: the codes mean the next
                    // ones, and the last code the latest offset less one.
                    nuint index = offset + bits.Read(offsetBits) + (literalsLength == 0 ? 1u : 0u);
                    if (index == 0)
                    {
                        offset = first;
                    }
                    else
                    {
                        offset = index == 1 ? second : index == 2 ? third : first - 1;
                        third = index == 1 ? third : second;
                        second = first;
                        first = offset;
                    }
                }

                if (matchLengthBits > 0)
                {
                    matchLength += bits.Read(matchLengthBits);
                }

                if (offsetBits + matchLengthBits + literalsLengthBits > ExtraBitsPerRefill && !bits.TryRefill())
                {
                    return false;
                }

                if (literalsLengthBits > 0)
                {
                    literalsLength += bits.Read(literalsLengthBits);
                }

                // The states go on before the copying: so the tables are looked up while the bytes move. No bits are
                // written for the states after the last sequence.
                if (--count > 0)
                {
                    literalsLengthState = literalsLengthEntry->NextState + bits.Read(literalsLengthEntry->StateBits);
                    matchLengthState = matchLengthEntry->NextState + bits.Read(matchLengthEntry->StateBits);
                    offsetState = offsetEntry->NextState + bits.Read(offsetEntry->StateBits);
                    if (!bits.TryRefill())
                    {
                        return false;
                    }
                }

                // An offset of zero is found here too: less one it is larger than all content.
                if (literalsLength > (nuint)(literalsEnd - literal) || offset - 1 >= (nuint)(target - start) + literalsLength)
                {
                    return false;
                }

                nuint room = (nuint)(end - target);
                if (literalsLength + matchLength + WildCopy.Slack <= room)
                {
                    WildCopy.Literals(target, literal, literalsLength);
                    target += literalsLength;
                    literal += literalsLength;
                    WildCopy.Match(target, offset, matchLength);
                    target += matchLength;
                }
                else if (literalsLength + matchLength <= room)
                {
                    Buffer.MemoryCopy(literal, target, literalsLength, literalsLength);
                    target += literalsLength;
                    literal += literalsLength;
                    WildCopy.MatchExactly(target, offset, matchLength);
                    target += matchLength;
                }
                else
                {
                    return false;
                }

                if (count == 0)
                {
                    break;
                }
            }

            literals = literal;
            output = target;
            repeatedOffsets = new RepeatedOffsets { First = first, Second = second, Third = third };
            return bits.IsAtStart;
        }
    }
}
