using MSOnlineBackup.Engine.Errors;

namespace MSOnlineBackup.Engine.RecoveryPoints;

/// <summary>
/// A wildcard pattern over raw names and paths. <c>*</c> and <c>?</c> and sets <c>[a-z]</c>, <c>[!a-z]</c> stay within a
/// component; <c>**</c> as a whole component stands for any number of components, none included. A backslash takes the
/// next character as it is.
/// </summary>
/// <remarks>Takes time at most proportional to pattern times name for each component: no pattern is a trap.
/// Bytes are compared; ignoring case folds ASCII letters, and <c>?</c> takes a whole UTF-8 character where there is one.</remarks>
public sealed class WildcardPattern
{
    private readonly byte[][] _components;
    private readonly bool _ignoreCase;

    /// <summary>Parses a pattern.</summary>
    /// <param name="pattern">The pattern as text; leading and trailing '/' are no part of it.</param>
    /// <param name="ignoreCase">Whether ASCII letters match in either case.</param>
    /// <exception cref="BackupException"><see cref="BackupErrorId.PatternInvalid"/>: it is empty, or a set is not closed.</exception>
    public WildcardPattern(string pattern, bool ignoreCase)
    {
        MatchesPath = pattern.TrimEnd('/').Contains('/', StringComparison.Ordinal);
        _ignoreCase = ignoreCase;
        string trimmed = pattern.Trim('/');
        _components = [.. trimmed.Split('/').Select(System.Text.Encoding.UTF8.GetBytes)];
        if (_components.Any(component => component.Length == 0 || !SetsAreClosed(component)))
        {
            throw new BackupException(
                BackupErrorId.PatternInvalid,
                $"'{pattern}' is no wildcard pattern: it has an empty part, or a '[' without ']', or ends in a backslash.",
                "Correct the pattern; put a backslash before a '[' that stands for itself.",
                target: pattern);
        }
    }

    /// <summary>Whether the pattern is about whole paths (it has a '/' before its end) rather than about names.</summary>
    public bool MatchesPath { get; }

    /// <summary>Whether a single name matches a pattern of one component.</summary>
    public bool IsNameMatch(ReadOnlySpan<byte> name) => _components.Length == 1 && IsComponentMatch(_components[0], name);

    /// <summary>Whether a whole path ('/'-separated, with or without a leading one) matches.</summary>
    public bool IsPathMatch(ReadOnlySpan<byte> path)
    {
        path = path.Trim((byte)'/');

        // The classic two-pointer match, with components for characters: only the last "**" need be tried again.
        int pattern = 0;
        int afterStars = -1;
        ReadOnlySpan<byte> retry = default;
        bool more = !path.IsEmpty;
        while (more)
        {
            int slash = path.IndexOf((byte)'/');
            ReadOnlySpan<byte> name = slash < 0 ? path : path[..slash];
            ReadOnlySpan<byte> rest = slash < 0 ? default : path[(slash + 1)..];
            if (pattern < _components.Length && IsStars(_components[pattern]))
            {
                afterStars = ++pattern;
                retry = path;
            }
            else if (pattern < _components.Length && IsComponentMatch(_components[pattern], name))
            {
                pattern++;
                path = rest;
                more = slash >= 0;
            }
            else if (afterStars >= 0)
            {
                int next = retry.IndexOf((byte)'/');
                if (next < 0)
                {
                    return afterStars == _components.Length;
                }

                retry = retry[(next + 1)..];
                path = retry;
                pattern = afterStars;
            }
            else
            {
                return false;
            }
        }

        while (pattern < _components.Length && IsStars(_components[pattern]))
        {
            pattern++;
        }

        return pattern == _components.Length;
    }

    /// <summary>Whether an item matches: its name, or its full path where the pattern is about paths.</summary>
    public bool IsMatch(ReadOnlySpan<byte> fullPath) => MatchesPath
        ? IsPathMatch(fullPath)
        : IsNameMatch(fullPath[(fullPath.LastIndexOf((byte)'/') + 1)..]);

    private static bool IsStars(byte[] component) => component.AsSpan().SequenceEqual("**"u8);

    private bool IsComponentMatch(ReadOnlySpan<byte> pattern, ReadOnlySpan<byte> name)
    {
        int p = 0;
        int n = 0;
        int afterStar = -1;
        int retry = 0;
        while (n < name.Length)
        {
            if (p < pattern.Length && pattern[p] == '*')
            {
                afterStar = ++p;
                retry = n;
            }
            else if (p < pattern.Length && TakeOne(pattern[p..], name[n..], out int patternTaken, out int nameTaken))
            {
                p += patternTaken;
                n += nameTaken;
            }
            else if (afterStar >= 0)
            {
                p = afterStar;
                n = ++retry;
            }
            else
            {
                return false;
            }
        }

        return pattern[p..].IndexOfAnyExcept((byte)'*') < 0;
    }

    // Matches one element of the pattern that is no star against the beginning of a name.
    private bool TakeOne(ReadOnlySpan<byte> pattern, ReadOnlySpan<byte> name, out int patternTaken, out int nameTaken)
    {
        nameTaken = 1;
        patternTaken = 1;
        switch (pattern[0])
        {
            case (byte)'?':
                nameTaken = CharacterLength(name);
                return true;
            case (byte)'[':
                patternTaken = SetLength(pattern);
                return IsInSet(pattern[1..(patternTaken - 1)], name, out nameTaken);
            case (byte)'\\':
                patternTaken = 2;
                return Fold(pattern[1]) == Fold(name[0]);
            default:
                return Fold(pattern[0]) == Fold(name[0]);
        }
    }

    private bool IsInSet(ReadOnlySpan<byte> set, ReadOnlySpan<byte> name, out int nameTaken)
    {
        bool negated = set[0] is (byte)'!' or (byte)'^';
        set = negated ? set[1..] : set;
        nameTaken = CharacterLength(name);
        uint character = Character(name[..nameTaken]);
        bool found = false;
        while (!set.IsEmpty)
        {
            uint low = TakeCharacter(ref set);
            uint high = low;
            if (set.Length >= 2 && set[0] == '-')
            {
                set = set[1..];
                high = TakeCharacter(ref set);
            }

            found |= (low <= character && character <= high)
                || (_ignoreCase && character < 0x80
                    && ((low <= Lower(character) && Lower(character) <= high) || (low <= Upper(character) && Upper(character) <= high)));
        }

        return found != negated;

        static uint Lower(uint c) => char.ToLowerInvariant((char)c);
        static uint Upper(uint c) => char.ToUpperInvariant((char)c);
    }

    private static uint TakeCharacter(ref ReadOnlySpan<byte> set)
    {
        int length = CharacterLength(set);
        uint character = Character(set[..length]);
        set = set[length..];
        return character;
    }

    private static int CharacterLength(ReadOnlySpan<byte> text)
    {
        bool valid = System.Text.Rune.DecodeFromUtf8(text, out _, out int consumed) == System.Buffers.OperationStatus.Done;
        return valid ? consumed : 1;
    }

    // A byte that is no UTF-8 stands beyond every character, so that no range of characters takes it in.
    private static uint Character(ReadOnlySpan<byte> text) =>
        System.Text.Rune.DecodeFromUtf8(text, out System.Text.Rune rune, out _) == System.Buffers.OperationStatus.Done
            ? (uint)rune.Value
            : 0x110000u + text[0];

    private byte Fold(byte value) => _ignoreCase && char.IsAsciiLetterUpper((char)value) ? (byte)(value | 0x20) : value;

    // A ']' that is the first member of a set stands for itself. 0 where the set is not closed.
    private static int SetLength(ReadOnlySpan<byte> pattern)
    {
        int first = pattern.Length > 1 && pattern[1] is (byte)'!' or (byte)'^' ? 2 : 1;
        int close = pattern.Length > first + 1 ? pattern[(first + 1)..].IndexOf((byte)']') : -1;
        return close < 0 ? 0 : first + 1 + close + 1;
    }

    private static bool SetsAreClosed(ReadOnlySpan<byte> component)
    {
        while (!component.IsEmpty)
        {
            int length = component[0] switch
            {
                (byte)'[' => SetLength(component),
                (byte)'\\' => component.Length > 1 ? 2 : 0,
                _ => 1,
            };
            if (length == 0)
            {
                return false;
            }

            component = component[length..];
        }

        return true;
    }
}
