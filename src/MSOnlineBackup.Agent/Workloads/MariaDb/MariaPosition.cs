using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace MSOnlineBackup.Agent.Workloads.MariaDb;

/// <summary>
/// The beginning of a file of the binary log; written as <c>mysql-bin.000008 6b0dd16844136fa3</c>. What tells the file from others of its name belongs to it: after RESET MASTER the names come
/// again.
/// </summary>
/// <param name="File">The file's name.</param>
/// <param name="Mark">What tells it from others of its name, see <see cref="BinlogFacts"/>.</param>
internal sealed record MariaPosition(string File, string Mark)
{
    private const int MarkLength = 16;

    private static readonly SearchValues<char> _digits = SearchValues.Create("0123456789abcdef");

    /// <summary>Reads a position as recovery points have it. False where it is none.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out MariaPosition? position)
    {
        int space = text?.LastIndexOf(' ') ?? -1;
        position = space > 0 && NumberOf(text![..space]) is not null && text.Length - space - 1 == MarkLength && !text.AsSpan(space + 1).ContainsAnyExcept(_digits)
            ? new MariaPosition(text[..space], text[(space + 1)..])
            : null;
        return position is not null;
    }

    /// <summary>The number in a file's name; null where it has none, or is no name.</summary>
    public static long? NumberOf(string file)
    {
        int dot = file.LastIndexOf('.');
        return dot > 0 && !file.Contains('/', StringComparison.Ordinal) && long.TryParse(file.AsSpan(dot + 1), NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : null;
    }

    /// <summary>As recovery points have it.</summary>
    public override string ToString() => $"{File} {Mark}";
}

/// <summary>A place in the binary log, between two transactions; written as <c>mysql-bin.000008:605</c>.</summary>
/// <param name="File">The file's name.</param>
/// <param name="Offset">Bytes from the file's beginning.</param>
internal sealed record MariaPlace(string File, long Offset)
{
    /// <summary>Reads a place as recovery points have it. False where it is none.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out MariaPlace? place)
    {
        int colon = text?.LastIndexOf(':') ?? -1;
        place = colon > 0 && MariaPosition.NumberOf(text![..colon]) is not null && long.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out long offset)
            ? new MariaPlace(text[..colon], offset)
            : null;
        return place is not null;
    }

    /// <summary>As recovery points have it.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{File}:{Offset}");
}
