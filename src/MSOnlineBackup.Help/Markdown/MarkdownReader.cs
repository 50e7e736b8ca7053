using System.Text.RegularExpressions;

namespace MSOnlineBackup.Help.Markdown;

/// <summary>
/// Reads as much Markdown as help can show: headings, paragraphs, lists and fenced code. Anything else is an error, not a surprise.
/// </summary>
internal sealed partial class MarkdownReader
{
    private readonly string _file;
    private readonly string[] _lines;
    private int _next;

    private MarkdownReader(string file, string text) => (_file, _lines) = (file, text.ReplaceLineEndings("\n").Split('\n'));

    private bool AtEnd => _next == _lines.Length;

    public static MarkdownDocument Read(string file, string text) => new MarkdownReader(file, text).ReadDocument();

    private MarkdownDocument ReadDocument()
    {
        Dictionary<string, string> frontMatter = ReadFrontMatter();
        SkipBlankLines();
        if (AtEnd || HeadingLevel(_lines[_next]) != 1)
        {
            throw Fault("A page begins with a heading of the first level: '# Name'.");
        }

        MarkdownSection root = ReadSection(1);
        return AtEnd ? new MarkdownDocument(_file, frontMatter, root) : throw Fault("A page has one heading of the first level.");
    }

    private Dictionary<string, string> ReadFrontMatter()
    {
        var entries = new Dictionary<string, string>(StringComparer.Ordinal);
        if (_lines[0] != "---")
        {
            return entries;
        }

        for (_next = 1; !AtEnd && _lines[_next] != "---"; _next++)
        {
            string[] pair = _lines[_next].Split(':', 2);
            if (pair.Length != 2 || !entries.TryAdd(pair[0].Trim(), pair[1].Trim()))
            {
                throw Fault("Between the dashes are lines 'key: value', each key once.");
            }
        }

        if (AtEnd)
        {
            throw new PageException(new PageError(_file, 1, "The front matter has no second '---'."));
        }

        _next++;
        return entries;
    }

    private MarkdownSection ReadSection(int level)
    {
        var section = new MarkdownSection(_next + 1, level, _lines[_next][level..].Trim(), [], []);
        _next++;
        for (SkipBlankLines(); !AtEnd; SkipBlankLines())
        {
            int heading = HeadingLevel(_lines[_next]);
            if (heading == 0)
            {
                section.Blocks.Add(ReadBlock());
            }
            else if (heading <= level)
            {
                break;
            }
            else if (heading == level + 1 && heading <= 3)
            {
                section.Sections.Add(ReadSection(heading));
            }
            else
            {
                throw Fault($"A heading of level {heading} below one of level {level}.");
            }
        }

        return section;
    }

    private MarkdownBlock ReadBlock()
    {
        string line = _lines[_next];
        return line switch
        {
            _ when line.StartsWith("```", StringComparison.Ordinal) => ReadCode(),
            _ when line.StartsWith("- ", StringComparison.Ordinal) => new Bullet(_next + 1, ReadText(2)),
            _ when Unsupported().IsMatch(line) => throw Fault(
                "Help has no tables, numbered lists, quotations, pictures or HTML: write paragraphs, '- ' lists or fenced code."),
            _ => new Paragraph(_next + 1, ReadText(0)),
        };
    }

    private CodeBlock ReadCode()
    {
        int begin = _next++;
        int end = Array.FindIndex(_lines, _next, line => line.TrimEnd() == "```");
        if (end < 0)
        {
            throw new PageException(new PageError(_file, begin + 1, "The fence is not closed."));
        }

        _next = end + 1;
        return new CodeBlock(begin + 1, _lines[begin][3..].Trim(), _lines[(begin + 1)..end]);
    }

    private string ReadText(int marker)
    {
        string text = _lines[_next++][marker..].Trim();
        while (!AtEnd && _lines[_next].Trim().Length > 0 && !BlockStart().IsMatch(_lines[_next]))
        {
            text += " " + _lines[_next++].Trim();
        }

        return text;
    }

    private void SkipBlankLines()
    {
        while (!AtEnd && string.IsNullOrWhiteSpace(_lines[_next]))
        {
            _next++;
        }
    }

    private PageException Fault(string message) => new(new PageError(_file, Math.Min(_next + 1, _lines.Length), message));

    private static int HeadingLevel(string line) => Heading().Match(line).Groups[1].Length;

    [GeneratedRegex(@"^(#+) ")]
    private static partial Regex Heading();

    [GeneratedRegex(@"^(\||>|!\[|<|\s*\d+\. |\s*\* |\s+- )")]
    private static partial Regex Unsupported();

    [GeneratedRegex(@"^(#+ |- |```)")]
    private static partial Regex BlockStart();
}
