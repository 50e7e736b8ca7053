using System.Globalization;
using System.Text.RegularExpressions;

namespace MSOnlineBackup.Errors;

/// <summary>docs/errors.md and docs/original-errors.md, which are part of this assembly, taken apart.</summary>
internal static partial class ErrorHelp
{
    /// <summary>Every error, in the documents' order: those of this module, then those that the original's documents have.</summary>
    public static OBErrorHelp[] All() => [.. Read("errors.md"), .. Read("original-errors.md")];

    /// <summary>What an error may be looked up by: as it was given, and as the original writes numbers, which systems write as negative or without a
    /// prefix, too.</summary>
    public static IReadOnlyList<string> Spellings(string id) =>
        int.TryParse(id, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number) && number < 0 ? [id, $"0x{number:X8}"]
        : Digits().IsMatch(id) ? [id, $"0x{id.ToUpperInvariant()}"]
        : [id];

    private static OBErrorHelp[] Read(string name)
    {
        using Stream document = typeof(ErrorHelp).Assembly.GetManifestResourceStream(name)!;
        using var reader = new StreamReader(document);
        return [.. Section().Matches(reader.ReadToEnd()).Select(section => new OBErrorHelp
        {
            Id = section.Groups["id"].Value,
            ErrorCode = [.. Code().Matches(section.Groups["text"].Value.ReplaceLineEndings(" ")).Select(code => code.Value)],
            Meaning = Part(section, "Meaning"),
            Causes = Part(section, "Causes"),
            RecommendedAction = Part(section, "What to do"),
            RelatedId = [.. Name().Matches(Part(section, "Here")).Select(name => name.Value)],
        })];
    }

    private static string Part(Match section, string title) =>
        Regex.Match(section.Groups["text"].Value, $@"\*\*{title}\.\*\* (?<text>.*?)(?=\n\n|\z)", RegexOptions.Singleline | RegexOptions.ExplicitCapture)
            .Groups["text"].Value.ReplaceLineEndings(" ");

    [GeneratedRegex("^[0-9A-Fa-f]{8}$")]
    private static partial Regex Digits();

    [GeneratedRegex("(?<=`)[A-Z][A-Za-z]+(?=`)")]
    private static partial Regex Name();

    [GeneratedRegex(@"^### (?<id>\w+)\n(?<text>.*?)(?=^##|\z)", RegexOptions.Multiline | RegexOptions.Singleline | RegexOptions.ExplicitCapture)]
    private static partial Regex Section();

    // As in "has the original's number 0x29834", "The original's number is 34513", "the original's ids are SalLowDiskSpace and 407", "Blob Storage's codes are
    // 404, ContainerNotFound and ResourceNotFound".
    [GeneratedRegex(@"(?<=original's (?:number|numbers|id|ids|name|names) (?:is |are )?(?:[\w-]+ and )?)(?!is\b|are\b)(?<![\w-])[\w-]+|(?<=Blob Storage's codes? (?:is|are) (?:\w+(?:, | and ))*)\w+")]
    private static partial Regex Code();
}
