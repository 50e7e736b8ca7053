using System.Text.RegularExpressions;

namespace MSOnlineBackup.Host.Tests;

/// <summary>What docs/cli.md promises.</summary>
internal static partial class CliDocument
{
    private static readonly string _text = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "cli.md"));

    /// <summary>The fields of the table below a heading, in order.</summary>
    public static IReadOnlyList<string> Fields(string heading) => [.. Rows(Section($"### {heading}\n")).Select(row => row[0].Trim('`'))];

    /// <summary>The fields of a command's summary: those of every summary, then its own.</summary>
    public static IReadOnlyList<string> SummaryFields(string command) =>
        [.. Fields("summary"), .. Rows(Section($"### {SummaryHeading(command)}\n")).Select(row => row[0].Trim('`'))];

    /// <summary>The error ids of each exit code.</summary>
    public static IReadOnlyDictionary<int, string[]> ExitCodes { get; } = Rows(Section("## Exit codes\n")).ToDictionary(
        row => int.Parse(row[0]), row => Code().Matches(row[2]).Select(match => match.Groups[1].Value).ToArray());

    /// <summary>Every command line that stands in the table of commands, up to its first argument.</summary>
    public static IReadOnlyList<string> Commands { get; } =
    [
        .. Rows(Section("## Commands\n")).Select(row => row[0].Trim('`').Replace("obengine ", "")).SelectMany(line =>
        {
            string[] words = [.. line.Split(' ').TakeWhile(word => char.IsAsciiLetterLower(word[0]))];
            string[] last = words.Length == 0 ? [] : words[^1].Split('|');
            return last.Select(word => string.Join(' ', [.. words[..^1], word]));
        }),
    ];

    private static string SummaryHeading(string command) => _text.Split('\n')
        .Where(line => line.StartsWith("### summary of ", StringComparison.Ordinal))
        .Select(line => line["### ".Length..])
        .Single(line => Code().Matches(line).Any(match => match.Groups[1].Value == command));

    private static string Section(string heading)
    {
        int start = _text.IndexOf(heading, StringComparison.Ordinal);
        Assert.True(start >= 0, $"docs/cli.md has no '{heading.Trim()}'.");
        start += heading.Length;
        int end = _text.IndexOf("\n#", start, StringComparison.Ordinal);
        return end < 0 ? _text[start..] : _text[start..end];
    }

    private static IEnumerable<string[]> Rows(string section) => section.Split('\n')
        .Where(line => line.StartsWith("| ", StringComparison.Ordinal))
        .Select(line => line.Replace(@"\|", "¦").Trim('|').Split('|').Select(cell => cell.Trim().Replace('¦', '|')).ToArray())
        .Where(row => !row[0].StartsWith("---", StringComparison.Ordinal))
        .Skip(1);

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Code();
}
