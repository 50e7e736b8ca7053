using System.Text.RegularExpressions;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Errors;

/// <summary>One id, one section of docs/errors.md, at least one place that reports it.</summary>
public sealed partial class ErrorDocumentTests
{
    private static readonly string[] _parts = ["**Meaning.** ", "**Causes.** ", "**What to do.** ", "**Exit code.** "];

    private static readonly string[] _exitCodes = ["1", "2", "10", "11", "12"];

    public static TheoryData<string> Ids => [.. Enum.GetNames<BackupErrorId>()];

    [Theory]
    [MemberData(nameof(Ids))]
    public void Every_id_has_a_whole_section(string id)
    {
        Dictionary<string, string> sections = ReadSections();

        Assert.True(sections.TryGetValue(id, out string? section), $"docs/errors.md has no section '{id}'.");
        Assert.All(_parts, part => Assert.Contains("\n" + part, section, StringComparison.Ordinal));
        Assert.Contains(ExitCode().Match(section).Groups["code"].Value, _exitCodes);
    }

    [Fact]
    public void Every_section_is_an_id_in_the_order_of_their_numbers() =>
        Assert.Equal(Enum.GetValues<BackupErrorId>().Order().Select(id => id.ToString()), ReadSections().Keys);

    [Theory]
    [MemberData(nameof(Ids))]
    public void Every_id_is_reported_somewhere(string id)
    {
        var use = new Regex($@"\bBackupErrorId\.{id}\b");

        Assert.Contains(
            Repository.Sources("src").Where(file => Path.GetFileName(file) != $"{nameof(BackupErrorId)}.cs").SelectMany(File.ReadLines),
            line => !line.TrimStart().StartsWith("//", StringComparison.Ordinal) && use.IsMatch(line));
    }

    private static Dictionary<string, string> ReadSections()
    {
        string document = File.ReadAllText(Path.Combine(Repository.Root, "docs", "errors.md"));
        return Heading().Split(document).Skip(1).Chunk(2).ToDictionary(pair => pair[0], pair => pair[1], StringComparer.Ordinal);
    }

    [GeneratedRegex(@"^### (\w+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"^\*\*Exit code\.\*\* (?<code>\d+)", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex ExitCode();
}
