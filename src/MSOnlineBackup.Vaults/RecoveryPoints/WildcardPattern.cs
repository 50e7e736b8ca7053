using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>
/// A wildcard pattern that finds items: without a '/' it is about names, with one about full paths. <c>*</c>, <c>?</c> and sets
/// <c>[a-z]</c>, <c>[!a-z]</c> stay within a component, <c>**</c> crosses. In the form of POSIX a backslash takes the meaning from what follows; in that of
/// Windows it separates as '/' does, and capital and small letters are the same.
/// </summary>
internal sealed class WildcardPattern
{
    private readonly PathPattern _pattern;
    private readonly bool _matchesPath;

    /// <summary>Parses a pattern.</summary>
    /// <param name="pattern">The pattern.</param>
    /// <param name="ignoreCase">Whether capital and small letters are the same; in the form of Windows they always are.</param>
    /// <param name="form">How the paths are written that it is about.</param>
    /// <exception cref="BackupException"><see cref="BackupErrorId.PatternInvalid"/>.</exception>
    public WildcardPattern(string pattern, bool ignoreCase, PathForm form = PathForm.Posix)
    {
        bool windows = form == PathForm.Windows;
        string text = windows ? pattern.Replace('\\', '/') : pattern;
        _matchesPath = text.TrimEnd('/').Contains('/', StringComparison.Ordinal);
        if (PathPattern.TryCompile(text.Trim('/'), ignoreCase || windows, escapes: !windows, out _pattern) is { } problem)
        {
            throw new BackupException(
                BackupErrorId.PatternInvalid,
                windows
                    ? $"'{pattern}' is not a valid wildcard pattern for Windows paths: {problem}."
                    : $"'{pattern}' is not a valid wildcard pattern: {problem}.",
                windows
                    ? "Correct the pattern; to take a character as it is, put it into a set: [[]. Or search points of other machines only."
                    : "Correct the pattern; to take a character as it is, put a backslash before it.",
                pattern);
        }
    }

    /// <summary>Whether an item matches.</summary>
    /// <param name="fullPath">Its full path, raw, '/'-separated.</param>
    public bool IsMatch(ReadOnlySpan<byte> fullPath) =>
        _pattern.Matches(_matchesPath ? fullPath.Trim((byte)'/') : fullPath[(fullPath.LastIndexOf((byte)'/') + 1)..]);
}
