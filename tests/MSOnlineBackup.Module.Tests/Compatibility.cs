namespace MSOnlineBackup.Module.Tests;

/// <summary>A way in which ours is not as the original is documented: where, what, and what ours is instead.</summary>
internal sealed record Difference(string Where, string What, string Ours);

/// <summary>What docs/compatibility.md says: the differences that are meant, and which cmdlets it compares.</summary>
internal static class Compatibility
{
    private const string DifferencesHeading = "| Where | What | Ours | Why |";
    private const string CmdletsHeading = "| Cmdlet | | |";

    /// <summary>The differences, each with its reason.</summary>
    public static IReadOnlyList<(Difference Difference, string Why)> Meant { get; } =
    [
        .. Rows(DifferencesHeading)
            .Select(cells => (new Difference(cells[0], cells[1], cells[2]), cells[3])),
    ];

    /// <summary>The cmdlets that are compared one by one.</summary>
    public static IReadOnlyList<string> Compared { get; } = [.. Rows(CmdletsHeading).SelectMany(cells => cells[0].Split(", "))];

    private static IEnumerable<string[]> Rows(string heading) => Repository.Text("docs", "compatibility.md").Split('\n')
        .SkipWhile(line => line != heading)
        .Skip(2)
        .TakeWhile(line => line.StartsWith('|'))
        .Select(line => line.Trim('|').Split('|').Select(cell => cell.Trim().Replace("`", "", StringComparison.Ordinal)).ToArray());
}
