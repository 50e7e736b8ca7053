using System.Globalization;
using System.Security.Cryptography;
using System.Text.RegularExpressions;

namespace MSOnlineBackup.Composition.Ssh;

/// <summary>The two keys of a host that has another than the known one, by what ssh says of them. It tells the fingerprint of the new one, and where the known one stands.</summary>
internal static partial class SshKnownHosts
{
    /// <summary>Both fingerprints, as a sentence for people; empty where ssh named no key, without the known one where it cannot be read.</summary>
    /// <param name="words">What ssh wrote.</param>
    /// <param name="read">Reads the lines of a file of known hosts; null where it cannot be read.</param>
    public static string Compare(string words, Func<string, IReadOnlyList<string>?> read)
    {
        if (Shown().Match(words) is not { Success: true } shown)
        {
            return "";
        }

        string now = $" It shows the {shown.Groups["kind"].Value} key {shown.Groups["print"].Value}";
        return Offending().Match(words) is { Success: true } known
            && FingerprintAt(read(known.Groups["file"].Value), int.Parse(known.Groups["line"].Value, CultureInfo.InvariantCulture)) is { } print
            ? $"{now}; known is the {known.Groups["kind"].Value} key {print} ({known.Groups["file"].Value}, line {known.Groups["line"].Value})."
            : $"{now}.";
    }

    /// <summary>The command by which ssh says the known key is removed; null where it says none.</summary>
    public static string? RemedyIn(string words) => Remedy().Match(words) is { Success: true } found ? found.Value.Trim() : null;

    /// <summary>The lines of a file; null where it cannot be read.</summary>
    public static IReadOnlyList<string>? ReadFile(string file)
    {
        try
        {
            return File.ReadAllLines(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    // [@MARKER] HOSTS KIND KEY [COMMENT]
    private static string? FingerprintAt(IReadOnlyList<string>? lines, int number)
    {
        if (lines is null || number < 1 || number > lines.Count)
        {
            return null;
        }

        string[] fields = lines[number - 1].Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        int key = fields is [['@', ..], ..] ? 3 : 2;
        byte[] blob = new byte[fields.Length > key ? fields[key].Length : 0];
        return blob.Length > 0 && Convert.TryFromBase64String(fields[key], blob, out int length)
            ? $"SHA256:{Convert.ToBase64String(SHA256.HashData(blob.AsSpan(0, length))).TrimEnd('=')}"
            : null;
    }

    [GeneratedRegex(@"fingerprint for the (?<kind>\S+) key sent by the remote host is\s+(?<print>\S+?)\.?\s")]
    private static partial Regex Shown();

    [GeneratedRegex(@"ssh-keygen -f [^\r\n]+ -R [^\r\n]+")]
    private static partial Regex Remedy();

    [GeneratedRegex(@"Offending (?<kind>\S+) key in (?<file>[^\r\n]+):(?<line>\d{1,9})\s")]
    private static partial Regex Offending();
}
