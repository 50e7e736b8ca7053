using System.Text.RegularExpressions;

namespace MSOnlineBackup.Errors;

/// <summary>docs/errors.md, which is part of this assembly, taken apart.</summary>
internal static partial class ErrorHelp
{
    /// <summary>Every error, in the document's order.</summary>
    public static OBErrorHelp[] All()
    {
        using Stream document = typeof(ErrorHelp).Assembly.GetManifestResourceStream("errors.md")!;
        using var reader = new StreamReader(document);
        return [.. Section().Matches(reader.ReadToEnd()).Select(section => new OBErrorHelp
        {
            Id = section.Groups["id"].Value,
            ErrorCode = [.. Code().Matches(section.Groups["text"].Value.ReplaceLineEndings(" ")).Select(code => code.Value)],
            Meaning = Part(section, "Meaning"),
            Causes = Part(section, "Causes"),
            RecommendedAction = Part(section, "What to do"),
        })];
    }

    private static string Part(Match section, string title) =>
        Regex.Match(section.Groups["text"].Value, $@"\*\*{title}\.\*\* (?<text>.*?)(?=\n\n|\z)", RegexOptions.Singleline | RegexOptions.ExplicitCapture)
            .Groups["text"].Value.ReplaceLineEndings(" ");

    [GeneratedRegex(@"^### (?<id>\w+)\n(?<text>.*?)(?=^##|\z)", RegexOptions.Multiline | RegexOptions.Singleline | RegexOptions.ExplicitCapture)]
    private static partial Regex Section();

    // As in "has the original's number 0x29834", "The original's number is 34513", "the original's ids are SalLowDiskSpace and 407", "Blob Storage's codes are
    // 404, ContainerNotFound and ResourceNotFound".
    [GeneratedRegex(@"(?<=original's (?:number|numbers|id|ids|name|names) (?:is |are )?(?:[\w-]+ and )?)(?!is\b|are\b)(?<![\w-])[\w-]+|(?<=Blob Storage's codes? (?:is|are) (?:\w+(?:, | and ))*)\w+")]
    private static partial Regex Code();
}
