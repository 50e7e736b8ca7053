using System.Text.RegularExpressions;

namespace MSOnlineBackup.Help.Markdown;

/// <summary>Running text without its marks, as a terminal shows it.</summary>
internal static partial class PlainText
{
    public static string Of(string markdown) =>
        // Code is taken as it is; marks count outside it only.
        Marks().Replace(markdown, match =>
            match.Groups["code"].Success ? match.Groups["code"].Value
            : match.Groups["strong"].Success ? Of(match.Groups["strong"].Value)
            : match.Groups["address"].Value.StartsWith("http", StringComparison.Ordinal) ? $"{match.Groups["text"].Value} ({match.Groups["address"].Value})"
            : match.Groups["text"].Value);

    [GeneratedRegex(@"`(?<code>[^`]+)`|\*\*(?<strong>.+?)\*\*|\[(?<text>[^\]]+)\]\((?<address>[^)]+)\)")]
    private static partial Regex Marks();
}
