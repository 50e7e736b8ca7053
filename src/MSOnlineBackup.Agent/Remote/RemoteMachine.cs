using System.Text.Json.Serialization;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Remote;

/// <summary>Another machine, and how it is logged in to. What is not said here is of ssh's own configuration.</summary>
public sealed record RemoteMachine
{
    private const int MostOfName = 253;

    private readonly string _hostName = "";

    /// <summary>A name or an address, or a name that only ssh's configuration knows. Case does not tell two apart.</summary>
    /// <exception cref="BackupException">ArgumentInvalid: it is none.</exception>
    public required string HostName
    {
        get => _hostName;
        init => _hostName = IsName(value) ? value : throw new BackupException(
            BackupErrorId.ArgumentInvalid,
            $"'{value}' is no name of a machine.",
            "Give the host's name or address alone. The account and the port have parameters of their own (-UserName, -Port; --user, --port).",
            value);
    }

    /// <summary>The account there; null for what ssh takes.</summary>
    public string? UserName { get; init; }

    /// <summary>The port; null for what ssh takes.</summary>
    public int? Port { get; init; }

    /// <summary>The file of the private key that logs in; null for those that ssh finds.</summary>
    public string? KeyFilePath { get; init; }

    /// <summary>The name under which its key is pinned.</summary>
    [JsonIgnore]
    public string Alias => HostName.ToLowerInvariant();

    /// <summary>Sees that nothing in it could be taken for something else.</summary>
    /// <exception cref="BackupException">ArgumentInvalid.</exception>
    internal RemoteMachine Checked() =>
        UserName is { } user && (user.Length == 0 || user[0] == '-' || user.Any(c => char.IsControl(c) || char.IsWhiteSpace(c))) ? throw Invalid($"'{user}' is no name of an account.", user)
        : Port is < 1 or > 65_535 ? throw Invalid($"{Port} is no port.", $"{Port}")
        : KeyFilePath is { } key && !Path.IsPathFullyQualified(key) ? throw Invalid($"'{key}' is no absolute path.", key)
        : this;

    // It becomes an argument of ssh, a word of a line in a file of known hosts, and the name of a folder.
    private static bool IsName(string? name) => name is [var first, ..] && name.Length <= MostOfName && (char.IsAsciiLetterOrDigit(first) || first == ':')
        && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' or ':' or '%');

    private static BackupException Invalid(string message, string target) => new(
        BackupErrorId.ArgumentInvalid, message, "Give the name of an account, a port of 1 to 65535, and the path of a private key's file.", target);
}
