using MSOnlineBackup.Engine.Errors;

namespace MSOnlineBackup.Engine.RecoveryPoints;

/// <summary>
/// A wildcard pattern that finds items: without a '/' it is about names, with one about full paths. <c>*</c>, <c>?</c> and sets
/// <c>[a-z]</c>, <c>[!a-z]</c> stay within a component, <c>**</c> crosses; a backslash takes the meaning from what follows.
/// </summary>
internal sealed class WildcardPattern
{
    private readonly PathPattern _pattern;
    private readonly bool _matchesPath;

    /// <summary>Parses a pattern.</summary>
    /// <exception cref="BackupException"><see cref="BackupErrorId.PatternInvalid"/>.</exception>
    public WildcardPattern(string pattern, bool ignoreCase)
    {
        _matchesPath = pattern.TrimEnd('/').Contains('/', StringComparison.Ordinal);
        if (PathPattern.TryCompile(pattern.Trim('/'), ignoreCase, escapes: true, out _pattern) is { } problem)
        {
            throw new BackupException(
                BackupErrorId.PatternInvalid,
                $"'{pattern}' is no wildcard pattern: {problem}.",
                "Correct the pattern; to take a character as it is, put a backslash before it.",
                pattern);
        }
    }

    /// <summary>Whether an item matches.</summary>
    /// <param name="fullPath">Its full path, raw, '/'-separated.</param>
    public bool IsMatch(ReadOnlySpan<byte> fullPath) =>
        _pattern.Matches(_matchesPath ? fullPath.Trim((byte)'/') : fullPath[(fullPath.LastIndexOf((byte)'/') + 1)..]);
}
