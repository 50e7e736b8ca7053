namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>
/// A wildcard pattern for paths: one <see cref="NamePattern"/> for each component, and <c>**</c> as a component of its own for any
/// number of them; at the end (<c>a/**</c>) for at least one.
/// </summary>
internal sealed class PathPattern
{
    // Null stands for "**".
    private readonly NamePattern?[] _components;

    private PathPattern(NamePattern?[] components) => _components = components;

    /// <summary>How many components there are, "**" included.</summary>
    public int Length => _components.Length;

    /// <summary>What the last name must match; null where it may be any.</summary>
    public NamePattern? Name => _components[^1];

    /// <summary>Compiles a pattern.</summary>
    /// <param name="text">Components joined by '/'; none at the ends.</param>
    /// <param name="ignoreCase">Whether upper and lower case are one.</param>
    /// <param name="escapes">Whether a backslash takes the meaning from what follows (and <c>\xHH</c> is a byte).</param>
    /// <param name="pattern">The pattern.</param>
    /// <returns>What is wrong with it; null when it was compiled.</returns>
    public static string? TryCompile(string text, bool ignoreCase, bool escapes, out PathPattern pattern)
    {
        pattern = null!;
        var components = new List<NamePattern?>();
        foreach (string component in text.Split('/'))
        {
            if (component.Length == 0 || component is "." or "..")
            {
                return $"'{component}' cannot be the name of a file or folder";
            }

            NamePattern? compiled = null;
            if (component != "**" && NamePattern.TryCompile(component, ignoreCase, escapes, out compiled) is { } problem)
            {
                return problem;
            }

            components.Add(compiled);
        }

        pattern = new PathPattern([.. components]);
        return null;
    }

    /// <summary>Whether a path matches as a whole.</summary>
    /// <remarks>As in a name, on a mismatch the last "**" takes one component more: no pattern takes more than length times length steps.</remarks>
    public bool Matches(ReadOnlySpan<byte> path)
    {
        int component = 0;
        int position = 0;
        int starComponent = -1;
        int starPosition = 0;
        while (position < path.Length)
        {
            int end = EndOfName(path, position);
            if (component < _components.Length && _components[component] is null)
            {
                starComponent = ++component;
                starPosition = position;
                if (component == _components.Length)
                {
                    return true;
                }
            }
            else if (component < _components.Length && _components[component]!.Matches(path[position..end]))
            {
                component++;
                position = end + 1;
            }
            else if (starComponent >= 0)
            {
                starPosition = EndOfName(path, starPosition) + 1;
                position = starPosition;
                component = starComponent;
            }
            else
            {
                return false;
            }
        }

        return component == _components.Length;
    }

    private static int EndOfName(ReadOnlySpan<byte> path, int position)
    {
        int slash = path[position..].IndexOf((byte)'/');
        return slash < 0 ? path.Length : position + slash;
    }
}
