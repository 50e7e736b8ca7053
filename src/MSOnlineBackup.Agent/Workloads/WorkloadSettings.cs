using System.Buffers;
using System.Globalization;
using System.Text.Json.Serialization;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Workloads;

/// <summary>What a workload is.</summary>
public enum WorkloadKind
{
    /// <summary>A PostgreSQL server: all databases of one cluster.</summary>
    PostgreSql,
}

/// <summary>A database server of this machine, as a policy names it.</summary>
/// <param name="Name">What it is called here and in the vault: 1 to 40 ASCII letters, digits, '-' and '_'; case does not count.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Socket">The absolute path of the folder that the server's socket lies in.</param>
/// <param name="Port">The port, which is part of the socket's name: 1 to 65,535.</param>
/// <param name="User">The role to log in as; null for that of the account's name.</param>
/// <param name="FullEveryMinutes">After how many minutes the next backup is full again: 60 to 525,600 (365 days). Those between are of the log.</param>
public sealed record WorkloadSettings(
    string Name,
    WorkloadKind Kind,
    string Socket,
    int Port = WorkloadSettings.UsualPort,
    string? User = null,
    int FullEveryMinutes = WorkloadSettings.UsualFullEveryMinutes)
{
    /// <summary>PostgreSQL's own port.</summary>
    public const int UsualPort = 5432;

    /// <summary>A full backup a day.</summary>
    public const int UsualFullEveryMinutes = 24 * 60;

    private const int MaxNameLength = 40;
    private const int MaxUserLength = 63;
    private const int LeastFullEvery = 60;
    private const int MostFullEvery = 365 * 24 * 60;

    private static readonly SearchValues<char> _ofNames = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    /// <summary>After which time the next backup is full again.</summary>
    [JsonIgnore]
    public TimeSpan FullEvery => TimeSpan.FromMinutes(FullEveryMinutes);

    /// <summary>What names are compared by: in replication slots neither capitals nor '-' exist.</summary>
    [JsonIgnore]
    public string Key => KeyOf(Name);

    /// <summary>What a name is compared by.</summary>
    public static string KeyOf(string name) => (name ?? throw new ArgumentNullException(nameof(name))).ToLowerInvariant().Replace('-', '_');

    /// <summary>Refuses what no server can have. The server is not asked.</summary>
    /// <exception cref="BackupException">PolicyInvalid.</exception>
    public void Check()
    {
        if (Name.Length is 0 or > MaxNameLength || Name.AsSpan().ContainsAnyExcept(_ofNames))
        {
            throw Invalid($"'{Name}' is no name for a workload.", $"Use 1 to {MaxNameLength} letters from A to Z, digits, '-' and '_'.");
        }

        if (Kind != WorkloadKind.PostgreSql)
        {
            throw Invalid($"The workload '{Name}' is of the kind {(int)Kind}, which this version does not know.", "Use a newer version, or PostgreSql.");
        }

        if (!Path.IsPathFullyQualified(Socket) || Socket.AsSpan().ContainsAny('\n', '\0'))
        {
            throw Invalid($"The socket folder '{Socket}' of the workload '{Name}' is not an absolute path.", "Name the folder of the server's socket, for example /run/postgresql.");
        }

        if (Port is < 1 or > ushort.MaxValue)
        {
            throw Invalid(string.Create(CultureInfo.InvariantCulture, $"The port {Port} of the workload '{Name}' is none."), "Use 1 to 65535; PostgreSQL's own is 5432.");
        }

        if (User is { } user && (user.Length is 0 or > MaxUserLength || user.Any(char.IsControl)))
        {
            throw Invalid($"'{user}' is no name of a role, in the workload '{Name}'.", $"Use 1 to {MaxUserLength} characters, or leave it out.");
        }

        if (FullEveryMinutes is < LeastFullEvery or > MostFullEvery)
        {
            throw Invalid(
                string.Create(CultureInfo.InvariantCulture, $"A full backup of the workload '{Name}' every {FullEveryMinutes:n0} minutes is not possible."),
                "Use 1 hour to 365 days.");
        }
    }

    private BackupException Invalid(string message, string action) => new(BackupErrorId.PolicyInvalid, message, action, Name);
}
