namespace MSOnlineBackup.Module.Tests;

/// <summary>A way in which ours is not as the original is documented: where, what, and what ours is instead.</summary>
internal sealed record Difference(string Where, string What, string Ours);

/// <summary>The differences that are meant, from the table in docs/compatibility.md.</summary>
internal static class Compatibility
{
    private const string Heading = "| Where | What | Ours | Why |";

    /// <summary>The rows, each with its reason.</summary>
    public static IReadOnlyList<(Difference Difference, string Why)> Meant { get; } =
    [
        .. Repository.Text("docs", "compatibility.md").Split('\n')
            .SkipWhile(line => line != Heading)
            .Skip(2)
            .TakeWhile(line => line.StartsWith('|'))
            .Select(line => line.Trim('|').Split('|').Select(cell => cell.Trim().Replace("`", "", StringComparison.Ordinal)).ToArray())
            .Select(cells => (new Difference(cells[0], cells[1], cells[2]), cells[3])),
    ];
}
