using System.Text;

namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>
/// A wildcard pattern for one name: <c>*</c>, <c>?</c>, sets <c>[a-z]</c>, <c>[!a-z]</c>. Names are compared unit by unit, where a unit is a character of UTF-8
/// or, where the bytes are none, a single byte: so <c>?</c> stands for an é as well as for a byte that means nothing.
/// </summary>
internal sealed class NamePattern
{
    private const int AnyRun = -1;
    private const int AnyUnit = -2;
    private const int FirstSet = -3;

    // Characters as they are; the three kinds of wildcard as negative numbers.
    private readonly int[] _tokens;
    private readonly List<UnitSet> _sets;
    private readonly bool _ignoreCase;
    private readonly byte[]? _literal;

    private NamePattern(int[] tokens, List<UnitSet> sets, bool ignoreCase, byte[]? literal)
    {
        _tokens = tokens;
        _sets = sets;
        _ignoreCase = ignoreCase;
        _literal = literal;
    }

    /// <summary>Compiles a component.</summary>
    /// <param name="text">The component; not empty.</param>
    /// <param name="ignoreCase">Whether upper and lower case are one.</param>
    /// <param name="escapes">Whether a backslash takes the meaning from what follows (and <c>\xHH</c> is a byte).</param>
    /// <param name="pattern">The pattern.</param>
    /// <returns>What is wrong with it; null when it was compiled.</returns>
    public static string? TryCompile(string text, bool ignoreCase, bool escapes, out NamePattern pattern)
    {
        var tokens = new List<int>();
        var sets = new List<UnitSet>();
        var literal = new List<byte>();
        bool isLiteral = true;
        pattern = null!;
        int at = 0;
        while (at < text.Length)
        {
            switch (text[at])
            {
                case '*':
                    isLiteral = false;
                    at++;
                    if (tokens.Count == 0 || tokens[^1] != AnyRun)
                    {
                        tokens.Add(AnyRun);
                    }

                    break;
                case '?':
                    isLiteral = false;
                    at++;
                    tokens.Add(AnyUnit);
                    break;
                case '[':
                    isLiteral = false;
                    string? problem = ReadSet(text, ref at, ignoreCase, escapes, out UnitSet set);
                    if (problem is not null)
                    {
                        return problem;
                    }

                    tokens.Add(FirstSet - sets.Count);
                    sets.Add(set);
                    break;
                default:
                    if (!TryReadLiteral(text, ref at, escapes, literal))
                    {
                        return "it ends in a backslash with nothing after it";
                    }

                    // Raw bytes that follow each other may be a character: they are decoded together.
                    while (at < text.Length && text[at] is not ('*' or '?' or '['))
                    {
                        if (!TryReadLiteral(text, ref at, escapes, literal))
                        {
                            return "it ends in a backslash with nothing after it";
                        }
                    }

                    AddUnits(literal, ignoreCase, tokens);
                    if (!isLiteral || at < text.Length)
                    {
                        literal.Clear();
                    }

                    break;
            }
        }

        pattern = new NamePattern([.. tokens], sets, ignoreCase, isLiteral && !ignoreCase ? [.. literal] : null);
        return null;
    }

    /// <summary>Whether a name matches.</summary>
    public bool Matches(ReadOnlySpan<byte> name)
    {
        if (_literal is not null)
        {
            return name.SequenceEqual(_literal);
        }

        // The usual way: on a mismatch the last '*' takes one unit more. No pattern takes more than length times length steps.
        int token = 0;
        int position = 0;
        int starToken = -1;
        int starPosition = 0;
        while (position < name.Length)
        {
            if (token < _tokens.Length && _tokens[token] == AnyRun)
            {
                starToken = ++token;
                starPosition = position;
                continue;
            }

            int next = position;
            if (token < _tokens.Length && MatchesUnit(_tokens[token], CaselessName.NextUnit(name, ref next, _ignoreCase)))
            {
                token++;
                position = next;
            }
            else if (starToken >= 0)
            {
                CaselessName.NextUnit(name, ref starPosition, ignoreCase: false);
                position = starPosition;
                token = starToken;
            }
            else
            {
                return false;
            }
        }

        return token == _tokens.Length || (token == _tokens.Length - 1 && _tokens[token] == AnyRun);
    }

    private bool MatchesUnit(int token, int unit) => token switch
    {
        AnyUnit => true,
        <= FirstSet => _sets[FirstSet - token].Contains(unit),
        _ => token == unit,
    };

    private static void AddUnits(List<byte> literal, bool ignoreCase, List<int> tokens)
    {
        ReadOnlySpan<byte> bytes = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(literal);
        for (int position = 0; position < bytes.Length;)
        {
            tokens.Add(CaselessName.NextUnit(bytes, ref position, ignoreCase));
        }
    }

    private static bool TryReadLiteral(string text, ref int at, bool escapes, List<byte> literal)
    {
        if (escapes && text[at] == '\\')
        {
            if (at + 1 == text.Length)
            {
                return false;
            }

            if (at + 3 < text.Length && text[at + 1] == 'x' && char.IsAsciiHexDigit(text[at + 2]) && char.IsAsciiHexDigit(text[at + 3]))
            {
                literal.Add(Convert.ToByte(text.Substring(at + 2, 2), 16));
                at += 4;
                return true;
            }

            at++;
        }

        int length = char.IsHighSurrogate(text[at]) && at + 1 < text.Length ? 2 : 1;
        literal.AddRange(Encoding.UTF8.GetBytes(text.Substring(at, length)));
        at += length;
        return true;
    }

    // [abc], [a-z], [!a-z] or [^a-z]; a ']' that comes first stands for itself, as does a '-' that comes first or last.
    private static string? ReadSet(string text, ref int at, bool ignoreCase, bool escapes, out UnitSet set)
    {
        set = default;
        int position = at + 1;
        bool negated = position < text.Length && text[position] is '!' or '^';
        if (negated)
        {
            position++;
        }

        var ranges = new List<(int First, int Last)>();
        int begin = position;
        var bytes = new List<byte>();
        while (position < text.Length && (text[position] != ']' || position == begin))
        {
            if (!TryReadUnit(text, ref position, escapes, bytes, out int first))
            {
                return "a set ends in a backslash with nothing after it";
            }

            int last = first;
            if (position + 1 < text.Length && text[position] == '-' && text[position + 1] != ']')
            {
                position++;
                if (!TryReadUnit(text, ref position, escapes, bytes, out last))
                {
                    return "a set ends in a backslash with nothing after it";
                }
            }

            if (last < first)
            {
                return "a range of a set ends before it begins";
            }

            ranges.Add((first, last));
        }

        if (position >= text.Length)
        {
            return "a set that '[' begins is not closed by ']'";
        }

        at = position + 1;
        set = new UnitSet([.. ranges], negated, ignoreCase);
        return null;
    }

    private static bool TryReadUnit(string text, ref int position, bool escapes, List<byte> bytes, out int unit)
    {
        bytes.Clear();
        bool read = TryReadLiteral(text, ref position, escapes, bytes);
        int at = 0;
        unit = read ? CaselessName.NextUnit(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(bytes), ref at, ignoreCase: false) : 0;
        return read;
    }

    private readonly record struct UnitSet((int First, int Last)[] Ranges, bool Negated, bool IgnoreCase)
    {
        public bool Contains(int unit)
        {
            bool found = InRanges(unit);
            if (!found && IgnoreCase && unit < CaselessName.RawByte)
            {
                // The name's unit is in upper case already; the range may be written in lower case.
                found = InRanges(Rune.ToLowerInvariant(new Rune(unit)).Value);
            }

            return found != Negated;
        }

        private bool InRanges(int unit)
        {
            foreach ((int first, int last) in Ranges)
            {
                if (unit >= first && unit <= last)
                {
                    return true;
                }
            }

            return false;
        }
    }
}
