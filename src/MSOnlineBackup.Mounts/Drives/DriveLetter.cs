namespace MSOnlineBackup.Mounts.Drives;

/// <summary>Places that are drive letters of Windows.</summary>
internal static class DriveLetter
{
    /// <summary>The drive that a text names ("R:" of "r:", "r:\" and "R:/"); null where it names something else, as a folder on a drive.</summary>
    public static string? Read(string text) =>
        text.Length is 2 or 3 && char.IsAsciiLetter(text[0]) && text[1] == ':' && (text.Length == 2 || text[2] is '\\' or '/') ? $"{char.ToUpperInvariant(text[0])}:" : null;

    /// <summary>What the secret of a server ends with that serves a mount as a drive.</summary>
    public static string LabelOf(Guid id) => $"-{id:N}";

    /// <summary>
    /// Whether what a drive stands for is a mount's server: <c>http://127.0.0.1:PORT/SECRET-ID</c>, which Windows shows as <c>\\127.0.0.1@PORT\SECRET-ID</c>.
    /// </summary>
    public static bool IsOf(Guid id, string remote)
    {
        string[] parts = remote.Split(['/', '\\'], StringSplitOptions.RemoveEmptyEntries);
        int host = parts is ["http:", ..] ? 1 : 0;
        return parts.Length > host + 1
            && (parts[host].StartsWith("127.0.0.1:", StringComparison.Ordinal) || parts[host].StartsWith("127.0.0.1@", StringComparison.Ordinal))
            && parts[^1].EndsWith(LabelOf(id), StringComparison.OrdinalIgnoreCase);
    }
}
