using System.Globalization;

namespace MSOnlineBackup.Agent.Remote;

/// <summary>What a script on another machine has said: lines of NAME=VALUE between a mark and <c>end</c>. The machine is believed nothing else.</summary>
internal sealed class ScriptAnswer
{
    private readonly ILookup<string, string> _values;

    private ScriptAnswer(IEnumerable<(string Name, string Value)> values, bool isWhole)
    {
        _values = values.ToLookup(value => value.Name, value => value.Value, StringComparer.Ordinal);
        IsWhole = isWhole;
    }

    /// <summary>Whether it came to its end.</summary>
    public bool IsWhole { get; }

    /// <summary>The value of a name; null where it was not said, or is empty.</summary>
    public string? this[string name] => _values[name].FirstOrDefault() is { Length: > 0 } value ? value : null;

    /// <summary>Free bytes at the place, rounded down; null where nobody knows.</summary>
    public long? Free => long.TryParse(this["free"], NumberStyles.None, CultureInfo.InvariantCulture, out long blocks) && blocks <= long.MaxValue >> 10 ? blocks << 10 : null;

    /// <summary>All values of a name.</summary>
    public IReadOnlyList<string> All(string name) => [.. _values[name]];

    /// <summary>Reads one; null where the mark is not in it, so that the script did not run.</summary>
    /// <param name="output">All that was written: what a shell greets with may come first.</param>
    /// <param name="mark">The mark.</param>
    public static ScriptAnswer? Read(string output, string mark)
    {
        string[] lines = [.. output.Split('\n').Select(line => line.TrimEnd('\r'))];
        int begin = Array.IndexOf(lines, mark);
        if (begin < 0)
        {
            return null;
        }

        string[] said = lines[(begin + 1)..];
        int end = Array.IndexOf(said, "end");
        return new ScriptAnswer(
            (end < 0 ? said : said[..end]).Select(line => (line, At: line.IndexOf('=', StringComparison.Ordinal))).Where(line => line.At > 0).Select(line => (line.line[..line.At], line.line[(line.At + 1)..])),
            end >= 0);
    }
}
