using System.Text.RegularExpressions;
using MSOnlineBackup.Help.Markdown;

namespace MSOnlineBackup.Help.Pages;

/// <summary>Understands the page of a cmdlet, and holds it to its layout.</summary>
internal sealed partial class CommandPageReader
{
    private static readonly string[] _sections =
        ["SYNOPSIS", "SYNTAX", "DESCRIPTION", "EXAMPLES", "PARAMETERS", "INPUTS", "OUTPUTS", "NOTES", "RELATED LINKS"];

    private static readonly Dictionary<string, string> _frontMatter = new(StringComparer.Ordinal)
    {
        ["external help file"] = "MSOnlineBackup.dll-Help.xml",
        ["Module Name"] = "MSOnlineBackup",
        ["schema"] = "2.0.0",
    };

    private readonly MarkdownDocument _page;

    private CommandPageReader(MarkdownDocument page) => _page = page;

    public static CommandPage Read(MarkdownDocument page) => new CommandPageReader(page).Read();

    private CommandPage Read()
    {
        MarkdownSection root = _page.Root;
        foreach ((string key, string value) in _frontMatter)
        {
            Require(_page.FrontMatter.GetValueOrDefault(key) == value, 1, $"The front matter needs the line '{key}: {value}'.");
        }

        Require(root.Title == Path.GetFileNameWithoutExtension(_page.File), root.Line, "The heading is not the name of the file.");
        Require(CommandName().IsMatch(root.Title), root.Line, "The heading is not the name of a cmdlet.");
        Require(root.Blocks.Count == 0, root.Line, "Nothing stands between the name and SYNOPSIS.");
        Require(
            root.Sections.Select(section => section.Title).SequenceEqual(_sections),
            root.Line,
            $"The sections are, in this order: {string.Join(", ", _sections)}.");

        List<Parameter> parameters = ReadParameters(root.Sections[4]);
        return new CommandPage
        {
            File = _page.File,
            Line = root.Line,
            Name = root.Title,
            Synopsis = ReadSynopsis(root.Sections[0]),
            Sets = ReadSets(root.Sections[1], root.Title, parameters),
            Description = ReadText(root.Sections[2], isRequired: true),
            Examples = ReadExamples(root.Sections[3]),
            Parameters = parameters,
            Inputs = ReadTypes(root.Sections[5]),
            Outputs = ReadTypes(root.Sections[6]),
            Notes = ReadText(root.Sections[7], isRequired: false),
            Links = [.. root.Sections[8].Blocks.Select(ReadLink)],
        };
    }

    private string ReadSynopsis(MarkdownSection section)
    {
        List<string> text = ReadText(section, isRequired: true);
        Require(text.Count == 1, section.Line, "A synopsis is one paragraph.");
        return text[0];
    }

    private List<ParameterSet> ReadSets(MarkdownSection section, string command, List<Parameter> parameters)
    {
        MarkdownSection[] single = [section with { Title = "" }];
        List<ParameterSet> sets = [.. (section.Sections.Count > 0 ? [.. section.Sections] : single).Select(ReadSet)];
        Require(section.Sections.Count != 1, section.Line, "Where there is one set only, it has no heading.");
        Require(section.Sections.Count == 0 || section.Blocks.Count == 0, section.Line, "Nothing stands before the first set.");
        foreach (ParameterUse use in parameters.SelectMany(parameter => parameter.Uses))
        {
            string? unknown = use.Sets.FirstOrDefault(name => sets.All(set => set.Name != name));
            Require(unknown is null, use.Line, $"SYNTAX has no set '{unknown}'.");
        }

        foreach (ParameterSet set in sets)
        {
            string expected = SyntaxLine.Format(command, parameters, set);
            Require(set.Syntax == expected, set.Line, $"By the parameters below, this should read: {expected}");
        }

        return sets;
    }

    private ParameterSet ReadSet(MarkdownSection section)
    {
        Require(section.Blocks is [CodeBlock { Language: "" }], section.Line, "A set has one fenced block without a language.");
        var code = (CodeBlock)section.Blocks[0];
        const string Mark = " (Default)";
        bool isDefault = section.Title.EndsWith(Mark, StringComparison.Ordinal);
        return new ParameterSet(
            code.Line,
            isDefault ? section.Title[..^Mark.Length] : section.Title,
            isDefault,
            string.Join(' ', code.Lines.Select(line => line.Trim())));
    }

    private List<Example> ReadExamples(MarkdownSection section)
    {
        Require(section.Sections.Count > 0, section.Line, "There is no example.");
        return [.. section.Sections.Select((example, index) => ReadExample(example, index + 1))];
    }

    private Example ReadExample(MarkdownSection section, int number)
    {
        string start = $"Example {number}: ";
        Require(section.Title.StartsWith(start, StringComparison.Ordinal), section.Line, $"The heading should begin with '{start}'.");
        Require(section.Blocks is [CodeBlock { Language: "powershell" }, ..], section.Line, "An example begins with a fenced block 'powershell'.");
        return new Example(section.Title, string.Join('\n', ((CodeBlock)section.Blocks[0]).Lines), [.. section.Blocks.Skip(1).Select(ReadText)]);
    }

    private List<Parameter> ReadParameters(MarkdownSection section)
    {
        var parameters = new List<Parameter>();
        foreach (MarkdownSection one in section.Sections.Where(one => one.Title != "CommonParameters"))
        {
            Require(one.Title.StartsWith('-'), one.Line, "The heading of a parameter is its name with a dash.");
            Require(parameters.All(other => other.Name != one.Title[1..]), one.Line, "The parameter is described twice.");
            List<ParameterUse> uses = [.. one.Blocks.OfType<CodeBlock>().Select(block => ParameterUseReader.Read(_page, block))];
            List<string> description = [.. one.Blocks.Where(block => block is not CodeBlock).Select(ReadText)];
            Require(uses.Count > 0, one.Line, "The fenced block with the parameter's attributes is missing.");
            Require(description.Count > 0, one.Line, "The parameter is not described.");
            parameters.Add(new Parameter(one.Line, one.Title[1..], description, uses));
        }

        return parameters;
    }

    private List<ObjectType> ReadTypes(MarkdownSection section)
    {
        Require(section.Sections.Count > 0, section.Line, "A type is missing; where there is none, say '### None'.");
        return [.. section.Sections.Select(type => new ObjectType(type.Title, ReadText(type, isRequired: true)))];
    }

    private Link ReadLink(MarkdownBlock block)
    {
        Match match = Regex.Match(block is Paragraph paragraph ? paragraph.Text : "", @"^\[([^\]]+)\]\(([^)]*)\)$");
        Require(match.Success, block.Line, "A related link is a paragraph '[Text](address)'.");
        string address = match.Groups[2].Value;
        if (address.StartsWith("http", StringComparison.Ordinal))
        {
            return new Link(match.Groups[1].Value, address);
        }

        bool exists = File.Exists(Path.Combine(Path.GetDirectoryName(_page.File) ?? "", address));
        Require(exists && Path.GetFileNameWithoutExtension(address) == match.Groups[1].Value, block.Line, $"There is no page '{address}' of that name.");
        return new Link(match.Groups[1].Value, Address: null);
    }

    private List<string> ReadText(MarkdownSection section, bool isRequired)
    {
        Require(section.Sections.Count == 0, section.Line, $"{section.Title} has no headings below it.");
        Require(!isRequired || section.Blocks.Count > 0, section.Line, $"{section.Title} is empty.");
        return [.. section.Blocks.Select(ReadText)];
    }

    private string ReadText(MarkdownBlock block) => block switch
    {
        Paragraph paragraph => PlainText.Of(paragraph.Text),
        Bullet bullet => "- " + PlainText.Of(bullet.Text),
        _ => throw _page.Fault(block.Line, "Code is shown in EXAMPLES only."),
    };

    private void Require(bool condition, int line, string message)
    {
        if (!condition)
        {
            throw _page.Fault(line, message);
        }
    }

    [GeneratedRegex("^[A-Z][A-Za-z]+-(?:OB|DPM)[A-Z][A-Za-z]+$")]
    private static partial Regex CommandName();
}
