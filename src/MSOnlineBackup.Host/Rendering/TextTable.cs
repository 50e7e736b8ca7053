namespace MSOnlineBackup.Host.Rendering;

/// <summary>A column of a table.</summary>
/// <param name="Header">Its heading.</param>
/// <param name="Cell">The text of a row.</param>
/// <param name="AlignRight">Whether numbers line up at their end.</param>
internal sealed record Column<T>(string Header, Func<T, string> Cell, bool AlignRight = false);

/// <summary>Rows lined up with spaces, so that a table is as good in a pipe as on a screen.</summary>
internal sealed class TextTable<T>(params Column<T>[] columns)
{
    private const string Gap = "  ";

    /// <summary>Writes the headings and the rows; nothing where there are no rows.</summary>
    public void Write(TextWriter writer, IReadOnlyList<T> rows)
    {
        if (rows.Count == 0)
        {
            return;
        }

        string[][] cells =
            [[.. columns.Select(column => column.Header)], .. rows.Select(row => columns.Select(column => VisibleText.Line(column.Cell(row))).ToArray())];
        int[] widths = [.. columns.Select((_, index) => cells.Max(row => row[index].Length))];
        foreach (string[] row in cells)
        {
            string line = string.Join(Gap, row.Select((cell, index) =>
                columns[index].AlignRight ? cell.PadLeft(widths[index]) : cell.PadRight(widths[index])));
            writer.WriteLine(line.TrimEnd());
        }
    }
}
