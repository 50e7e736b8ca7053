using System.Buffers;
using System.Text;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Agent.Policies;

/// <summary>An absolute path of a policy, taken apart without looking at the disk. On Windows its first component is the drive, or a share's server.</summary>
/// <param name="Prefix">What stands before the first component: '/' on Unix, '//' before a server, nothing before a drive.</param>
/// <param name="Components">Names, drive and server included.</param>
/// <param name="Windows">Whether the rules of Windows hold.</param>
internal sealed record PolicyPath(string Prefix, IReadOnlyList<string> Components, bool Windows)
{
    /// <summary>As the source is opened.</summary>
    public string Text
    {
        get
        {
            string joined = Prefix + string.Join('/', Components);
            return !Windows ? joined : (IsDrive ? joined + '/' : joined).Replace('/', '\\');
        }
    }

    private bool IsDrive => Prefix.Length == 0 && Components.Count == 1;

    private StringComparison Comparison => Windows ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;

    /// <summary>Whether a text is an absolute path.</summary>
    public static bool IsAbsolute(string text, bool windows) =>
        windows
        ? text is ['\\' or '/', '\\' or '/', _, ..]
            || (text is [_, ':'] or [_, ':', '/' or '\\', ..] && char.IsAsciiLetter(text[0]))
        : text.StartsWith('/');

    /// <summary>Takes an absolute path apart; empty components are dropped.</summary>
    /// <exception cref="BackupException">PolicyInvalid: it is not absolute, holds '.' or '..', or is no text.</exception>
    public static PolicyPath Parse(string text, bool windows)
    {
        CheckText(text);
        if (!IsAbsolute(text, windows))
        {
            throw Invalid(text, "is not an absolute path", "Give the full path, as it is on this machine.");
        }

        string unified = windows ? text.Replace('\\', '/') : text;
        string prefix = !windows ? "/" : unified.StartsWith('/') ? "//" : "";
        string[] components = unified.Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (components.Any(component => component is "." or ".."))
        {
            throw Invalid(text, "contains '.' or '..'", "Write the path without them.");
        }

        return new PolicyPath(prefix, components, windows);
    }

    /// <summary>Whether this is another path or lies below it.</summary>
    public bool IsAtOrBelow(PolicyPath other) =>
        Prefix == other.Prefix
        && Components.Count >= other.Components.Count
        && other.Components.Zip(Components).All(pair => pair.First.Equals(pair.Second, Comparison));

    /// <summary>Whether this lies below another path and is not that path.</summary>
    public bool IsBelow(PolicyPath other) => Components.Count > other.Components.Count && IsAtOrBelow(other);

    /// <summary>The bytes of some of the components, joined by '/': what exclusion patterns are matched against.</summary>
    public byte[] Bytes(Range components)
    {
        string joined = string.Join('/', Components.Take(components));
        return !Windows && joined.Contains(@"\x", StringComparison.Ordinal) ? EntryName.Unescape(joined) : Encoding.UTF8.GetBytes(joined);
    }

    /// <summary>An exclusion pattern that means exactly this path.</summary>
    public string ToPattern() => PatternOf(Components.Select(component => Escape(component, Windows)));

    /// <summary>An absolute exclusion pattern of components that are patterns already.</summary>
    public string PatternOf(IEnumerable<string> components) => (Prefix.Length > 0 ? "/" : "") + string.Join('/', components);

    /// <summary>Takes the meaning from the characters of a name that a pattern would give one to; <c>\xHH</c> remains a byte.</summary>
    public static string Escape(string name, bool windows)
    {
        if (windows)
        {
            // There are no escapes there, but a set of one.
            return name.Replace("[", "[[]", StringComparison.Ordinal);
        }

        var escaped = new StringBuilder(name.Length);
        for (int at = 0; at < name.Length; at++)
        {
            bool isByte = name[at] == '\\' && at + 3 < name.Length && name[at + 1] == 'x'
                && char.IsAsciiHexDigit(name[at + 2]) && char.IsAsciiHexDigit(name[at + 3]);
            if (!isByte && (name[at] is '*' or '?' or '[' or '\\' || (at == 0 && name[at] == '!')))
            {
                escaped.Append('\\');
            }

            escaped.Append(name[at]);
        }

        return escaped.ToString();
    }

    /// <summary>Refuses what no path can be: nothing, the character 0, halves of characters.</summary>
    /// <exception cref="BackupException">PolicyInvalid.</exception>
    public static void CheckText(string text)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            throw Invalid(text ?? "", "is not a path", "Name a folder or a file.");
        }

        if (text.Contains('\0', StringComparison.Ordinal) || !IsWellFormed(text))
        {
            throw Invalid(text, "contains text that no path can have", @"Write bytes that are not text as \xHH.");
        }
    }

    private static bool IsWellFormed(ReadOnlySpan<char> text)
    {
        while (!text.IsEmpty)
        {
            if (Rune.DecodeFromUtf16(text, out _, out int length) != OperationStatus.Done)
            {
                return false;
            }

            text = text[length..];
        }

        return true;
    }

    private static BackupException Invalid(string path, string fault, string action) =>
        new(BackupErrorId.PolicyInvalid, $"The path '{path}' of the policy {fault}.", action, path);
}
