using System.Globalization;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Composition.Ssh;

/// <summary>
/// <c>ssh://[USER@]HOST[:PORT]/PATH</c>: a folder of another machine. The path is absolute there; <c>/~/PATH</c> is below the home of the account. HOST may
/// be a name that only ssh's own configuration knows, which also says the identity and everything else.
/// </summary>
/// <param name="Location">As the user wrote it.</param>
/// <param name="Host">The host, with the account where one is named, as ssh takes it.</param>
/// <param name="Port">The port; null for what ssh takes.</param>
/// <param name="Path">The folder there.</param>
internal sealed record SshLocation(string Location, string Host, int? Port, string Path)
{
    private const string Scheme = "ssh://";

    // What a shell leaves alone.
    private const string Harmless = "/._-+=@%";

    /// <summary>Takes one apart.</summary>
    /// <exception cref="BackupException">ArgumentInvalid.</exception>
    public static SshLocation Parse(string location)
    {
        string rest = location[Scheme.Length..];
        int slash = rest.IndexOf('/', StringComparison.Ordinal);
        string path = slash < 0 ? "" : rest[slash..];
        (string host, int? port) = SplitPort(location, slash < 0 ? rest : rest[..slash]);

        // What begins with '-' would be an option to ssh; what is no name or address would be one to a shell of its configuration.
        if (host.Length == 0 || host[0] == '-' || host.Contains("@-", StringComparison.Ordinal) || !host.All(IsOfHost))
        {
            throw Invalid(location, "it names no host");
        }

        string folder = path.StartsWith("/~/", StringComparison.Ordinal) ? path[3..] : path;
        return folder.Trim('/').Length == 0 || folder[0] == '-' || folder.Any(char.IsControl)
            ? throw Invalid(location, "it names no folder")
            : new SshLocation(location, host, port, folder);
    }

    /// <summary>The arguments for ssh.</summary>
    /// <param name="program">What the program is called there.</param>
    public IEnumerable<string> Arguments(string program) =>
    [
        "-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=30", "-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=4",
        .. Port is { } port ? new[] { "-p", port.ToString(CultureInfo.InvariantCulture) } : [],
        "--", Host, $"{program} serve store --stdio --vault {Quote(Path)}",
    ];

    // A path without anything special is not quoted, so that shells of Windows take it, too.
    private static string Quote(string text) => text.All(c => char.IsAsciiLetterOrDigit(c) || Harmless.Contains(c, StringComparison.Ordinal))
        ? text
        : $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    private static (string Host, int? Port) SplitPort(string location, string authority)
    {
        int colon = authority.LastIndexOf(':');
        string host = colon >= 0 && !authority.EndsWith(']') ? authority[..colon] : authority;
        int? port = null;
        if (host.Length != authority.Length)
        {
            port = int.TryParse(authority.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int given) && given is > 0 and <= 65535
                ? given
                : throw Invalid(location, "its port is none");
        }

        // ssh takes an address of IPv6 without the brackets that tell it from a port.
        return (host.Replace("[", "", StringComparison.Ordinal).Replace("]", "", StringComparison.Ordinal), port);
    }

    private static bool IsOfHost(char c) => char.IsLetterOrDigit(c) || c is '.' or '-' or '_' or '@' or ':' or '%' or '\\' or '+';

    private static BackupException Invalid(string location, string why) => new(
        BackupErrorId.ArgumentInvalid,
        $"'{location}' is no vault on another machine: {why}.",
        "Write ssh://USER@HOST/PATH, with an absolute path, or ssh://USER@HOST/~/PATH for one below the account's home.",
        location);
}
