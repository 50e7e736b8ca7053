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
            : match.Groups["text"].Value + Address(match.Groups["address"].Value));

    // An address means something on a terminal; the path of another page does not.
    private static string Address(string address) => address.StartsWith("http", StringComparison.Ordinal) ? $" ({address})" : "";

    [GeneratedRegex(@"`(?<code>[^`]+)`|\*\*(?<strong>.+?)\*\*|\[(?<text>[^\]]+)\]\((?<address>[^)]+)\)")]
    private static partial Regex Marks();
}
