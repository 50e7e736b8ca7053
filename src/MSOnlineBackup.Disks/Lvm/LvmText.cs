using System.Buffers;
using System.Text;

namespace MSOnlineBackup.Disks.Lvm;

/// <summary>The text in which LVM keeps what a volume group is: sections in braces, values, lists in brackets, comments.</summary>
/// <param name="text">The text.</param>
internal ref struct LvmText(ReadOnlySpan<char> text)
{
    private const int DeepestSection = 8;
    private const int MostValues = 2_000_000;

    private static readonly SearchValues<char> _wordEnds = SearchValues.Create(" \t\r\n={}[],\"#");

    private ReadOnlySpan<char> _rest = text;
    private int _values;

    /// <summary>Reads a text.</summary>
    /// <exception cref="Vaults.Errors.BackupException">VolumeCorrupt.</exception>
    public static LvmSection Parse(ReadOnlySpan<char> text)
    {
        var parser = new LvmText(text);
        return parser.ReadSection("", 0);
    }

    private LvmSection ReadSection(string name, int depth)
    {
        if (depth > DeepestSection)
        {
            throw LvmFault.Corrupt("the sections of its text are within each other without end");
        }

        var section = new LvmSection(name);
        while (true)
        {
            SkipSpace();
            if (_rest.IsEmpty || _rest[0] == '}')
            {
                // The whole text ends, a section is closed.
                if (_rest.IsEmpty != (depth == 0))
                {
                    throw LvmFault.Corrupt("the braces of its text do not match");
                }

                _rest = _rest.IsEmpty ? _rest : _rest[1..];
                return section;
            }

            string key = ReadWord();
            SkipSpace();
            if (TrySkip('{'))
            {
                section.Add(ReadSection(key, depth + 1));
            }
            else if (!TrySkip('=') || !section.Add(key, ReadValues()))
            {
                throw LvmFault.Corrupt($"'{key}' of its text has no value, or two");
            }

            Count();
        }
    }

    private List<string> ReadValues()
    {
        SkipSpace();
        if (!TrySkip('['))
        {
            return [ReadValue()];
        }

        var values = new List<string>();
        while (true)
        {
            SkipSpace();
            if (TrySkip(']'))
            {
                return values;
            }

            values.Add(ReadValue());
            Count();
            SkipSpace();
            if (!TrySkip(',') && (_rest.IsEmpty || _rest[0] != ']'))
            {
                throw LvmFault.Corrupt("a list of its text has no end");
            }
        }
    }

    private string ReadValue()
    {
        if (!TrySkip('"'))
        {
            return ReadWord();
        }

        var value = new StringBuilder();
        while (!TrySkip('"'))
        {
            TrySkip('\\');
            if (_rest.IsEmpty)
            {
                throw LvmFault.Corrupt("a value of its text has no end");
            }

            value.Append(_rest[0]);
            _rest = _rest[1..];
        }

        return value.ToString();
    }

    private string ReadWord()
    {
        int end = _rest.IndexOfAny(_wordEnds);
        end = end < 0 ? _rest.Length : end;
        string word = end > 0 ? new string(_rest[..end]) : throw LvmFault.Corrupt("its text has a sign where a name must be");
        _rest = _rest[end..];
        return word;
    }

    private void SkipSpace()
    {
        _rest = _rest.TrimStart();
        while (!_rest.IsEmpty && _rest[0] == '#')
        {
            int end = _rest.IndexOf('\n');
            _rest = end < 0 ? default : _rest[end..].TrimStart();
        }
    }

    private bool TrySkip(char sign)
    {
        bool isThere = !_rest.IsEmpty && _rest[0] == sign;
        _rest = isThere ? _rest[1..] : _rest;
        return isThere;
    }

    private void Count()
    {
        if (++_values > MostValues)
        {
            throw LvmFault.Corrupt("its text has values without end");
        }
    }
}
