using System.Buffers.Binary;

namespace MSOnlineBackup.Engine.Zstandard;

/// <summary>
/// Decodes Zstandard frames (RFC 8878) that lie in memory as a whole, into memory. It decodes what every Zstandard encoder writes
/// without a dictionary, and refuses frames that need one.
/// </summary>
/// <remarks>
/// One instance serves one thread at a time and holds its tables and its buffer of literals. Frames are hostile until decoded:
/// whatever their bytes, nothing is thrown, and nothing outside the two spans is read or written. Every copy's bounds are
/// proven before it; bits are read as <see cref="BackwardBitReader"/> explains.
/// </remarks>
internal sealed unsafe class ZstandardDecoder
{
    private readonly FseEntry[] _sequenceTables = new FseEntry[SequenceSymbols.TablesSize];
    private readonly ushort[] _huffmanTable = new ushort[HuffmanTable.Size];
    private readonly byte[] _literals = new byte[ZstandardFormat.BlockMaximumSize + WildCopy.Slack];

    // What a block may take over from those before it in the same frame.
    private bool _hasHuffmanTable;
    private AccuracyLogs _accuracyLogs;
    private RepeatedOffsets _repeatedOffsets;

    /// <summary>Decodes exactly one frame that fills <paramref name="destination"/> exactly; false for anything else.</summary>
    /// <remarks>After a false the content of <paramref name="destination"/> is undefined.</remarks>
    public bool TryDecode(ReadOnlySpan<byte> frame, Span<byte> destination)
    {
        unchecked
        {
            if (!FrameHeader.TryRead(frame, out FrameHeader header)
                || (header.ContentSize >= 0 && header.ContentSize != destination.Length))
            {
                return false;
            }

            _hasHuffmanTable = false;
            _accuracyLogs = new AccuracyLogs { LiteralsLength = AccuracyLogs.None, MatchLength = AccuracyLogs.None, Offset = AccuracyLogs.None };
            _repeatedOffsets = RepeatedOffsets.Initial;
            fixed (byte* source = frame)
            fixed (byte* target = destination)
            {
                byte* end = source + frame.Length;
                byte* blocksEnd = TryDecodeBlocks(source + header.Size, end, target, target + destination.Length);
                if (blocksEnd == null)
                {
                    return false;
                }

                var rest = new ReadOnlySpan<byte>(blocksEnd, (int)(end - blocksEnd));
                return header.HasChecksum
                    ? rest.Length == sizeof(uint) && BinaryPrimitives.ReadUInt32LittleEndian(rest) == (uint)XxHash64.Of(destination)
                    : rest.IsEmpty;
            }
        }
    }

    /// <summary>Decodes all blocks of a frame into exactly the room given.</summary>
    /// <returns>Where the last block ends; null where a block is damaged.</returns>
    private byte* TryDecodeBlocks(byte* source, byte* sourceEnd, byte* start, byte* end)
    {
        unchecked
        {
            byte* output = start;
            while (true)
            {
                if (sourceEnd - source < ZstandardFormat.BlockHeaderSize)
                {
                    return null;
                }

                int header = source[0] | (source[1] << 8) | (source[2] << 16);
                source += ZstandardFormat.BlockHeaderSize;
                bool last = (header & 1) != 0;
                var type = (BlockType)((header >> 1) & 3);
                int size = header >> 3;
                int stored = type == BlockType.RunLength ? 1 : size;
                if (size > ZstandardFormat.BlockMaximumSize || stored > sourceEnd - source)
                {
                    return null;
                }

                switch (type)
                {
                    case BlockType.Raw when size <= end - output:
                        Buffer.MemoryCopy(source, output, size, size);
                        output += size;
                        break;
                    case BlockType.RunLength when size <= end - output:
                        new Span<byte>(output, size).Fill(*source);
                        output += size;
                        break;
                    case BlockType.Compressed when TryDecodeCompressedBlock(source, source + size, sourceEnd, start, ref output, end):
                        break;
                    default:
                        return null;
                }

                source += stored;
                if (last)
                {
                    return output == end ? source : null;
                }
            }
        }
    }

    private bool TryDecodeCompressedBlock(byte* source, byte* sourceEnd, byte* frameEnd, byte* start, ref byte* output, byte* end)
    {
        unchecked
        {
            fixed (byte* buffer = _literals)
            fixed (FseEntry* tables = _sequenceTables)
            {
                byte* literals = buffer;
                byte* blockStart = output;
                if (!TryReadLiterals(ref source, sourceEnd, frameEnd, ref literals, out int literalsCount)
                    || !TryReadSequencesHeader(ref source, sourceEnd, out int sequences))
                {
                    return false;
                }

                byte* literalsEnd = literals + literalsCount;
                if (sequences > 0)
                {
                    if (!BackwardBitReader.TryOpen(source, sourceEnd - source, out BackwardBitReader bits)
                        || !SequenceSection.TryExecute(
                            tables, _accuracyLogs, bits, sequences, ref literals, literalsEnd, start, ref output, end, ref _repeatedOffsets))
                    {
                        return false;
                    }
                }
                else if (source != sourceEnd)
                {
                    return false;
                }

                // The literals that no sequence took end the block.
                long rest = literalsEnd - literals;
                if (rest > end - output)
                {
                    return false;
                }

                Buffer.MemoryCopy(literals, output, rest, rest);
                output += rest;
                return output - blockStart <= ZstandardFormat.BlockMaximumSize;
            }
        }
    }

    /// <summary>
    /// Reads the literals section. Plain literals are left where they are, if the frame goes on long enough behind them for
    /// <see cref="WildCopy"/>; all others go to the buffer.
    /// </summary>
    /// <param name="literals">The buffer of literals; in the end, where they begin.</param>
    private bool TryReadLiterals(ref byte* source, byte* sourceEnd, byte* frameEnd, ref byte* literals, out int count)
    {
        unchecked
        {
            count = 0;
            long available = sourceEnd - source;
            if (available < 1)
            {
                return false;
            }

            var type = (LiteralsBlockType)(*source & 3);
            int sizeFormat = (*source >> 2) & 3;
            bool coded = type is LiteralsBlockType.Compressed or LiteralsBlockType.Treeless;
            int headerSize = (coded, sizeFormat) switch
            {
                (false, 0 or 2) => 1,
                (false, 1) => 2,
                (false, _) => 3,
                (true, 0 or 1) => 3,
                (true, 2) => 4,
                (true, _) => 5,
            };
            if (available < headerSize)
            {
                return false;
            }

            ulong header = 0;
            for (int i = headerSize - 1; i >= 0; i--)
            {
                header = (header << 8) | source[i];
            }

            source += headerSize;
            if (!coded)
            {
                count = (int)(header >> (headerSize == 1 ? 3 : 4));
                return TryReadPlainLiterals(type, ref source, sourceEnd, frameEnd, ref literals, count);
            }

            int sizeBits = ((headerSize * 8) - 4) / 2;
            int sizeMask = (1 << sizeBits) - 1;
            count = (int)(header >> 4) & sizeMask;
            int size = (int)(header >> (4 + sizeBits)) & sizeMask;
            if (count > ZstandardFormat.BlockMaximumSize || size > sourceEnd - source)
            {
                return false;
            }

            byte* streams = source;
            source += size;
            if (type == LiteralsBlockType.Compressed)
            {
                _hasHuffmanTable = HuffmanTable.TryRead(streams, size, _huffmanTable, out int treeSize);
                streams += treeSize;
                size -= treeSize;
            }

            fixed (ushort* table = _huffmanTable)
            {
                return _hasHuffmanTable
                    && (sizeFormat == 0
                        ? HuffmanStreams.TryDecodeOne(table, streams, size, literals, count)
                        : HuffmanStreams.TryDecodeFour(table, streams, size, literals, count));
            }
        }
    }

    private static bool TryReadPlainLiterals(
        LiteralsBlockType type, ref byte* source, byte* sourceEnd, byte* frameEnd, ref byte* literals, int count)
    {
        unchecked
        {
            int stored = type == LiteralsBlockType.RunLength ? 1 : count;
            if (count > ZstandardFormat.BlockMaximumSize || stored > sourceEnd - source)
            {
                return false;
            }

            if (type == LiteralsBlockType.RunLength)
            {
                new Span<byte>(literals, count).Fill(*source);
            }
            else if (frameEnd - source >= count + WildCopy.Slack)
            {
                literals = source;
            }
            else
            {
                Buffer.MemoryCopy(source, literals, count, count);
            }

            source += stored;
            return true;
        }
    }

    /// <summary>Reads how many sequences there are, and the tables that they are coded with.</summary>
    private bool TryReadSequencesHeader(ref byte* source, byte* sourceEnd, out int sequences)
    {
        unchecked
        {
            sequences = 0;
            long available = sourceEnd - source;
            if (available < 1)
            {
                return false;
            }

            int first = *source;
            int size = first < 128 ? 1 : first < 255 ? 2 : 3;
            if (available < size)
            {
                return false;
            }

            sequences = size switch
            {
                1 => first,
                2 => ((first - 128) << 8) + source[1],
                _ => source[1] + (source[2] << 8) + 0x7F00,
            };
            source += size;
            if (sequences == 0)
            {
                return true;
            }

            if (source == sourceEnd)
            {
                return false;
            }

            int modes = *source++;
            const int reserved = 3;
            return (modes & reserved) == 0
                && TryReadTable(SequenceSymbols.LiteralsLength, modes >> 6, ref _accuracyLogs.LiteralsLength, ref source, sourceEnd)
                && TryReadTable(SequenceSymbols.Offset, (modes >> 4) & 3, ref _accuracyLogs.Offset, ref source, sourceEnd)
                && TryReadTable(SequenceSymbols.MatchLength, (modes >> 2) & 3, ref _accuracyLogs.MatchLength, ref source, sourceEnd);
        }
    }

    private bool TryReadTable(SequenceSymbols symbols, int mode, ref int accuracyLog, ref byte* source, byte* sourceEnd)
    {
        unchecked
        {
            Span<FseEntry> table = _sequenceTables.AsSpan(symbols.TableStart, 1 << symbols.MaximumAccuracyLog);
            switch ((SymbolCompressionMode)mode)
            {
                case SymbolCompressionMode.Predefined:
                    symbols.DefaultTable.CopyTo(table);
                    accuracyLog = symbols.DefaultAccuracyLog;
                    return true;

                case SymbolCompressionMode.RunLength:
                    if (source == sourceEnd || *source >= symbols.Symbols.Length)
                    {
                        return false;
                    }

                    table[0] = symbols.Symbols[*source++];
                    accuracyLog = 0;
                    return true;

                case SymbolCompressionMode.Compressed:
                    Span<short> probabilities = stackalloc short[ZstandardFormat.MatchLengthMaximumCode + 1];
                    if (!FseDistribution.TryRead(
                            new ReadOnlySpan<byte>(source, (int)(sourceEnd - source)), symbols.MaximumAccuracyLog,
                            probabilities[..symbols.Symbols.Length], out int accuracy, out int described, out int size))
                    {
                        return false;
                    }

                    FseTable.Build(probabilities[..described], accuracy, symbols.Symbols, table);
                    accuracyLog = accuracy;
                    source += size;
                    return true;

                default:
                    return accuracyLog != AccuracyLogs.None;
            }
        }
    }
}
