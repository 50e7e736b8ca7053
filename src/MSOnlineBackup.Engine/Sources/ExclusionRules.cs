using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Sources;

/// <summary>What the exclusion patterns say of an item.</summary>
[Flags]
internal enum Exclusion
{
    /// <summary>It is taken.</summary>
    None = 0,

    /// <summary>It is left out if it is a folder.</summary>
    Folder = 1,

    /// <summary>It is left out if it is no folder.</summary>
    File = 2,

    /// <summary>It is left out.</summary>
    Item = Folder | File,
}

/// <summary>
/// Compiled exclusion patterns; <see cref="SourceSelection.Exclude"/> says what they mean. As in .gitignore, <c>**</c> crosses
/// folders where it is a component of its own (<c>**/a</c>, <c>a/**</c>, <c>a/**/b</c>), and elsewhere is a <c>*</c>; a backslash takes the
/// meaning from the character that follows it, and <c>\xHH</c> is a byte. On Windows a backslash is a '/' and case does not count.
/// </summary>
internal sealed class ExclusionRules
{
    private readonly Rule[] _rules;

    private ExclusionRules(Rule[] rules) => _rules = rules;

    /// <summary>Compiles patterns.</summary>
    /// <param name="patterns">The patterns.</param>
    /// <param name="rootPath">The full path of the source's root, raw, with '/' as separator; what absolute patterns are matched against.</param>
    /// <param name="windows">Whether the rules of Windows hold: no escapes, no case, absolute patterns begin with a drive.</param>
    /// <param name="filePatterns">Patterns that leave folders alone.</param>
    /// <exception cref="BackupException">PatternInvalid, naming the pattern.</exception>
    public static ExclusionRules Compile(
        IReadOnlyList<string> patterns, ReadOnlySpan<byte> rootPath, bool windows = false, IReadOnlyList<string>? filePatterns = null)
    {
        var rules = new List<Rule>(patterns.Count);
        AddRules(patterns, rootPath, windows, filesOnly: false, rules);
        AddRules(filePatterns ?? [], rootPath, windows, filesOnly: true, rules);
        return new ExclusionRules([.. rules]);
    }

    /// <summary>Whether a folder is left out, by itself or with one that holds it.</summary>
    /// <param name="path">Its path below the root, raw.</param>
    public bool LeavesOut(ReadOnlySpan<byte> path)
    {
        for (int end = 0; end < path.Length; end++)
        {
            int slash = path[end..].IndexOf((byte)'/');
            end = slash < 0 ? path.Length : end + slash;
            if (Match(path[..end]).HasFlag(Exclusion.Folder))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>What the patterns say of a path below the root. What lies in a folder that is left out is not asked for.</summary>
    public Exclusion Match(ReadOnlySpan<byte> path)
    {
        var found = Exclusion.None;
        ReadOnlySpan<byte> name = path[(path.LastIndexOf((byte)'/') + 1)..];
        foreach (Rule rule in _rules)
        {
            if ((found | rule.Verdict) != found && rule.Matches(path, name))
            {
                found |= rule.Verdict;
            }
        }

        return found;
    }

    /// <summary>Whether the patterns leave out what lies at a path, for the folder itself or one above it.</summary>
    public bool LeavesOutFolder(ReadOnlySpan<byte> path)
    {
        for (int end = 0; end < path.Length; end++)
        {
            int slash = path[end..].IndexOf((byte)'/');
            end = slash < 0 ? path.Length : end + slash;
            if (Match(path[..end]).HasFlag(Exclusion.Folder))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>What the patterns say of the root itself: those for names by its name, absolute ones by its full path.</summary>
    /// <param name="rootPath">As in <see cref="Compile"/>.</param>
    public Exclusion MatchRoot(ReadOnlySpan<byte> rootPath)
    {
        var found = Exclusion.None;
        ReadOnlySpan<byte> path = rootPath.Trim((byte)'/');
        ReadOnlySpan<byte> name = path[(path.LastIndexOf((byte)'/') + 1)..];
        foreach (Rule rule in _rules)
        {
            found |= !name.IsEmpty && rule.MatchesRoot(path, name) ? rule.Verdict : Exclusion.None;
        }

        return found;
    }

    private static void AddRules(
        IReadOnlyList<string> patterns, ReadOnlySpan<byte> rootPath, bool windows, bool filesOnly, List<Rule> rules)
    {
        foreach (string pattern in patterns)
        {
            string? problem = TryCompile(pattern, rootPath, windows, filesOnly, out Rule? rule);
            if (problem is not null)
            {
                throw new BackupException(
                    BackupErrorId.PatternInvalid,
                    $"The exclusion pattern '{pattern}' is not valid: {problem}.",
                    windows
                        ? "Correct the pattern."
                        : "Correct the pattern. To match a special character literally, put a backslash before it.",
                    pattern);
            }

            if (rule is not null)
            {
                rules.Add(rule);
            }
        }
    }

    private static string? TryCompile(string pattern, ReadOnlySpan<byte> rootPath, bool windows, bool filesOnly, out Rule? rule)
    {
        rule = null;
        string text = windows ? pattern.Replace('\\', '/') : pattern;
        if (text.Contains('\0', StringComparison.Ordinal))
        {
            return "it contains the character 0, which no name can contain";
        }

        if (!windows && text.StartsWith('!'))
        {
            return "'!' cannot undo an exclusion";
        }

        bool foldersOnly = text.EndsWith('/');
        text = foldersOnly ? text[..^1] : text;
        bool absolute = text.StartsWith('/') || (windows && text is [_, ':', '/', ..]);
        text = text.StartsWith('/') ? text[1..] : text;
        if (text.Length == 0)
        {
            return "it names nothing";
        }

        if (PathPattern.TryCompile(text, ignoreCase: windows, escapes: !windows, out PathPattern compiled) is { } problem)
        {
            return problem;
        }

        Exclusion verdict = filesOnly ? Exclusion.File : foldersOnly ? Exclusion.Folder : Exclusion.Item;
        if (absolute)
        {
            rule = new PathRule(verdict, compiled, [.. rootPath.Trim((byte)'/'), (byte)'/']);
        }
        else if (compiled is { Length: 1, Name: { } single })
        {
            rule = new NameRule(verdict, single);
        }
        else
        {
            rule = new PathRule(verdict, compiled, []);
        }

        return null;
    }

    private abstract class Rule(Exclusion verdict)
    {
        public Exclusion Verdict { get; } = verdict;

        public abstract bool Matches(ReadOnlySpan<byte> path, ReadOnlySpan<byte> name);

        public abstract bool MatchesRoot(ReadOnlySpan<byte> fullPath, ReadOnlySpan<byte> name);
    }

    private sealed class NameRule(Exclusion verdict, NamePattern pattern) : Rule(verdict)
    {
        public override bool Matches(ReadOnlySpan<byte> path, ReadOnlySpan<byte> name) => pattern.Matches(name);

        public override bool MatchesRoot(ReadOnlySpan<byte> fullPath, ReadOnlySpan<byte> name) => pattern.Matches(name);
    }

    private sealed class PathRule(Exclusion verdict, PathPattern pattern, byte[] root) : Rule(verdict)
    {
        public override bool Matches(ReadOnlySpan<byte> path, ReadOnlySpan<byte> name)
        {
            // Most items fail by their name already.
            if (pattern.Name is { } last && !last.Matches(name))
            {
                return false;
            }

            return pattern.Matches(root.Length <= 1 ? path : [.. root, .. path]);
        }

        // One that is relative to the root says nothing of the root.
        public override bool MatchesRoot(ReadOnlySpan<byte> fullPath, ReadOnlySpan<byte> name) => root.Length > 1 && pattern.Matches(fullPath);
    }
}
