using System.Runtime.CompilerServices;

namespace MSOnlineBackup.Engine.Zstandard;

/// <summary>The Huffman code of a block's literals (RFC 8878, 4.2): made from their counts, described, and applied.</summary>
internal sealed unsafe class HuffmanEncodingTable
{
    /// <summary>How many different literals there can be.</summary>
    public const int SymbolLimit = 256;

    /// <summary>The most bytes that a description takes.</summary>
    public const int LongestDescription = 128;

    // A description's first byte: below this its weights are coded and this is their size, from here on they are half a byte each.
    private const int DirectWeights = 128;

    private readonly byte[] _lengths = new byte[SymbolLimit];
    private readonly byte[] _weights = new byte[SymbolLimit];

    // A code stands at the upper end, so that a shift by the next one's length makes room above it; its length at the lower end.
    private readonly ulong[] _codes = new ulong[SymbolLimit];
    private readonly FseEncodingTable _weightTable = new();
    private int _symbolCount;
    private int _longest;

    /// <summary>Finds the code with the shortest total within the format's limit; at least two counts are not zero.</summary>
    /// <returns>What the literals will take, in bits, without the description.</returns>
    public long Build(ReadOnlySpan<int> counts)
    {
        unchecked
        {
            // Sorted with the rarest first; lengths then only fall.
            Span<uint> keys = stackalloc uint[SymbolLimit];
            Span<int> lengths = stackalloc int[SymbolLimit];
            int used = 0;
            for (int symbol = 0; symbol < SymbolLimit; symbol++)
            {
                if (counts[symbol] != 0)
                {
                    keys[used++] = ((uint)counts[symbol] << 8) | (uint)symbol;
                    _symbolCount = symbol + 1;
                }
            }

            keys = keys[..used];
            lengths = lengths[..used];
            // Symbols are in order, and the counts of a block's literals have 18 bits.
            Span<uint> halfSorted = stackalloc uint[SymbolLimit];
            SortByBits(keys, halfSorted[..used], 8);
            SortByBits(halfSorted[..used], keys, 8 + 9);
            for (int i = 0; i < used; i++)
            {
                lengths[i] = (int)(keys[i] >> 8);
            }

            CountsToLengths(lengths);
            LimitLengths(lengths);

            Array.Clear(_lengths);
            long bits = 0;
            for (int i = 0; i < used; i++)
            {
                _lengths[(byte)keys[i]] = (byte)lengths[i];
                bits += (long)(keys[i] >> 8) * lengths[i];
            }

            _longest = lengths[0];
            AssignCodes();
            return bits;
        }
    }

    /// <summary>Sorts by nine bits, and keeps the order of what is equal in them.</summary>
    private static void SortByBits(ReadOnlySpan<uint> keys, Span<uint> sorted, int shift)
    {
        unchecked
        {
            const int Values = 1 << 9;
            Span<int> places = stackalloc int[Values];
            places.Clear();
            foreach (uint key in keys)
            {
                places[(int)(key >> shift) & (Values - 1)]++;
            }

            int place = 0;
            foreach (ref int count in places)
            {
                (count, place) = (place, place + count);
            }

            foreach (uint key in keys)
            {
                sorted[places[(int)(key >> shift) & (Values - 1)]++] = key;
            }
        }
    }

    /// <summary>Writes the tree (RFC 8878, 4.2.1); returns where it ends, null where the format has no room for it.</summary>
    /// <param name="destination">Room for <see cref="LongestDescription"/>; as many bytes again may be touched behind it.</param>
    public byte* Describe(byte* destination)
    {
        unchecked
        {
            // The last symbol's weight follows from the others.
            int count = _symbolCount - 1;
            Span<int> counts = stackalloc int[ZstandardFormat.HuffmanMaximumBits + 1];
            counts.Clear();
            for (int symbol = 0; symbol < count; symbol++)
            {
                int length = _lengths[symbol];
                int weight = length == 0 ? 0 : _longest + 1 - length;
                _weights[symbol] = (byte)weight;
                counts[weight]++;
            }

            int largest = counts.LastIndexOfAnyExcept(0);
            if (count > 2 && counts[largest] != count)
            {
                byte* end = EncodeWeights(counts[..(largest + 1)], count, destination + 1);
                int size = (int)(end - destination - 1);
                if (size < DirectWeights && (size < (count + 1) / 2 || count > DirectWeights))
                {
                    *destination = (byte)size;
                    return end;
                }
            }

            if (count > DirectWeights)
            {
                return null;
            }

            byte* next = destination;
            *next++ = (byte)(DirectWeights - 1 + count);
            _weights[count] = 0;
            for (int symbol = 0; symbol < count; symbol += 2)
            {
                *next++ = (byte)((_weights[symbol] << 4) | _weights[symbol + 1]);
            }

            return next;
        }
    }

    /// <summary>Writes one stream of literals; returns where it ends. Eight bytes behind that are touched.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public byte* EncodeStream(byte* literals, int length, byte* destination)
    {
        unchecked
        {
            fixed (ulong* codes = _codes)
            {
                // The newest bits are at the upper end: no position has to be known for adding more. The lengths at the lower
                // end are noise, far below the at most 7 + 4 * 11 bits that wait.
                byte* next = destination;
                ulong bits = 0;
                ulong count = 0;
                byte* symbol = literals + length;
                for (; symbol - literals >= 4; symbol -= 4)
                {
                    ulong code = codes[symbol[-1]];
                    bits = (bits >> (int)code) | code;
                    count += code;
                    code = codes[symbol[-2]];
                    bits = (bits >> (int)code) | code;
                    count += code;
                    code = codes[symbol[-3]];
                    bits = (bits >> (int)code) | code;
                    count += code;
                    code = codes[symbol[-4]];
                    bits = (bits >> (int)code) | code;
                    count += code;

                    *(ulong*)next = bits >> -(int)count;
                    next += (count >> 3) & 7;
                    count &= 7;
                }

                while (symbol > literals)
                {
                    ulong code = codes[*--symbol];
                    bits = (bits >> (int)code) | code;
                    count += code;
                }

                // A set bit shows the reader, who begins here, where the last code ends.
                bits = (bits >> 1) | (1ul << 63);
                count = (count + 1) & 63;
                *(ulong*)next = bits >> -(int)count;
                return next + ((count + 7) >> 3);
            }
        }
    }

    /// <summary>Turns ascending counts into lengths of a Huffman code, in place (Moffat and Katajainen).</summary>
    private static void CountsToLengths(Span<int> values)
    {
        unchecked
        {
            int count = values.Length;

            // Each node is the sum of the two smallest that have no parent yet, leaves or nodes; those then name it.
            int leaf = 0;
            int root = 0;
            for (int node = 0; node < count - 1; node++)
            {
                int sum = 0;
                for (int child = 0; child < 2; child++)
                {
                    if (leaf >= count || (root < node && values[root] < values[leaf]))
                    {
                        sum += values[root];
                        values[root++] = node;
                    }
                    else
                    {
                        sum += values[leaf++];
                    }
                }

                values[node] = sum;
            }

            // Depths of nodes, from the root down.
            values[count - 2] = 0;
            for (int node = count - 3; node >= 0; node--)
            {
                values[node] = values[values[node]] + 1;
            }

            // What is free at a depth and no node is a leaf.
            int free = 1;
            int depth = 0;
            int next = count - 1;
            int inner = count - 2;
            while (free > 0)
            {
                int nodes = 0;
                while (inner >= 0 && values[inner] == depth)
                {
                    nodes++;
                    inner--;
                }

                for (; free > nodes; free--)
                {
                    values[next--] = depth;
                }

                free = 2 * nodes;
                depth++;
            }
        }
    }

    /// <summary>Shortens what is too long, and lengthens what costs least, until the code is complete again.</summary>
    private static void LimitLengths(Span<int> lengths)
    {
        unchecked
        {
            const int Limit = ZstandardFormat.HuffmanMaximumBits;
            if (lengths[0] <= Limit)
            {
                return;
            }

            // In units of the longest code: how much more room the codes take than there is.
            int excess = -(1 << Limit);
            for (int i = 0; i < lengths.Length; i++)
            {
                lengths[i] = Math.Min(lengths[i], Limit);
                excess += 1 << (Limit - lengths[i]);
            }

            for (int i = 0; excess > 0; i++)
            {
                while (excess > 0 && lengths[i] < Limit)
                {
                    lengths[i]++;
                    excess -= 1 << (Limit - lengths[i]);
                }
            }

            // One of the longest codes always fits into what is left over.
            while (excess < 0)
            {
                for (int i = lengths.Length - 1; i >= 0; i--)
                {
                    while (excess + (1 << (Limit - lengths[i])) <= 0)
                    {
                        excess += 1 << (Limit - lengths[i]);
                        lengths[i]--;
                    }
                }
            }
        }
    }

    /// <summary>The format's canonical codes: the longest first, then by symbol.</summary>
    private void AssignCodes()
    {
        unchecked
        {
            Span<int> next = stackalloc int[ZstandardFormat.HuffmanMaximumBits + 2];
            next.Clear();
            foreach (byte length in _lengths)
            {
                next[length]++;
            }

            int code = 0;
            for (int length = _longest; length > 0; length--)
            {
                int count = next[length];
                next[length] = code;
                code = (code + count) >> 1;
            }

            for (int symbol = 0; symbol < SymbolLimit; symbol++)
            {
                int length = _lengths[symbol];
                _codes[symbol] = length == 0 ? 0 : ((ulong)next[length]++ << (64 - length)) | (uint)length;
            }
        }
    }

    // Two states take turns, so that the reader has two chains to follow at once.
    private byte* EncodeWeights(ReadOnlySpan<int> counts, int count, byte* destination)
    {
        unchecked
        {
            _weightTable.Normalize(counts, count, ZstandardFormat.HuffmanWeightMaximumAccuracyLog);
            _weightTable.Build();
            var writer = new BitWriter(_weightTable.Describe(destination));
            fixed (ushort* states = &_weightTable.States)
            fixed (FseEncodingTable.SymbolStep* steps = &_weightTable.Steps)
            {
                uint* state = stackalloc uint[2];
                state[(count - 1) & 1] = FseEncodingTable.Begin(states, steps, _weights[count - 1]);
                state[count & 1] = FseEncodingTable.Begin(states, steps, _weights[count - 2]);
                for (int symbol = count - 3; symbol >= 0; symbol--)
                {
                    state[symbol & 1] = FseEncodingTable.Advance(ref writer, states, steps, state[symbol & 1], _weights[symbol]);
                    writer.Flush();
                }

                uint mask = (1u << _weightTable.AccuracyLog) - 1;
                writer.Add(state[1] & mask, _weightTable.AccuracyLog);
                writer.Add(state[0] & mask, _weightTable.AccuracyLog);
                return writer.FinishStream();
            }
        }
    }
}
