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

    /// <summary>A MariaDB server: all its databases.</summary>
    MariaDb,

    /// <summary>A database of SQLite's: one file.</summary>
    Sqlite,

    /// <summary>A SQL Server: all its databases.</summary>
    SqlServer,
}

/// <summary>A database server or a database of this machine, as a policy names it.</summary>
/// <param name="Name">What it is called here and in the vault: 1 to 40 ASCII letters, digits, '-' and '_'; case does not count.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Socket">The absolute path of what the server is reached by: of PostgreSQL the folder of its socket, of MariaDB the socket itself, of SQL Server its name on this machine (localhost,1433); null where there is no server.</param>
/// <param name="Port">The port, where it is part of the socket's name: 1 to 65,535; null for the kind's own.</param>
/// <param name="User">The role to log in as; null for that of the account's name.</param>
/// <param name="FullEveryMinutes">After how many minutes the next backup is full again: 60 to 525,600 (365 days); null for what the schedule says. Those between are of the log; where there is none, each is full.</param>
/// <param name="OptionFile">The absolute path of a file with options of the kind's programs, such as a password; null for none.</param>
/// <param name="Path">The absolute path of the database, where it is a file; of SQL Server that of the folder that it writes its backups to; null otherwise.</param>
public sealed record WorkloadSettings(
    string Name,
    WorkloadKind Kind,
    string? Socket = null,
    int? Port = null,
    string? User = null,
    int? FullEveryMinutes = null,
    string? OptionFile = null,
    string? Path = null)
{
    private const int MaxNameLength = 40;
    private const int LeastFullEvery = 60;
    private const int UsualFullEvery = 24 * 60;
    private const int MostFullEvery = 365 * 24 * 60;

    private static readonly SearchValues<char> _ofNames = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    /// <summary>After which time the next backup is full again: a day, where nothing is said of it.</summary>
    [JsonIgnore]
    public TimeSpan FullEvery => TimeSpan.FromMinutes(FullEveryMinutes ?? UsualFullEvery);

    /// <summary>What names are compared by: in replication slots neither capitals nor '-' exist.</summary>
    [JsonIgnore]
    public string Key => KeyOf(Name);

    /// <summary>The port that counts; null where the kind has none.</summary>
    [JsonIgnore]
    public int? PortInUse => Port ?? WorkloadKinds.Find(Kind)?.UsualPort;

    /// <summary>Whether each of its backups stands alone, without a log between them.</summary>
    [JsonIgnore]
    public bool StandsAlone => WorkloadKinds.StandAlone(Kind);

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

        CheckFullEvery($"the workload '{Name}'", FullEveryMinutes, Name);

        IWorkloadKind kind = WorkloadKinds.Find(Kind)
            ?? throw Invalid($"The workload '{Name}' is of the kind {(int)Kind}, which this version does not know.", $"Use a newer version, or one of: {string.Join(", ", WorkloadKinds.Names)}.");
        kind.Check(this);
    }

    /// <summary>Refuses a time between full backups that is too short or too long.</summary>
    /// <param name="whose">Of whom it is said, for people.</param>
    /// <param name="minutes">How many minutes; null where nothing is said.</param>
    /// <param name="target">What the error is about.</param>
    /// <exception cref="BackupException">PolicyInvalid.</exception>
    internal static void CheckFullEvery(string whose, int? minutes, string target)
    {
        if (minutes is < LeastFullEvery or > MostFullEvery)
        {
            throw new BackupException(
                BackupErrorId.PolicyInvalid,
                string.Create(CultureInfo.InvariantCulture, $"A full backup of {whose} every {minutes:n0} minutes is not possible."),
                "Use 1 hour to 365 days.",
                target);
        }
    }

    /// <summary>Refuses a path that is not absolute.</summary>
    /// <param name="what">What it is of: "socket folder".</param>
    /// <param name="path">The path.</param>
    /// <param name="action">What to do instead.</param>
    /// <exception cref="BackupException">PolicyInvalid.</exception>
    internal void RequirePath(string what, string path, string action)
    {
        if (!System.IO.Path.IsPathFullyQualified(path) || path.AsSpan().ContainsAny('\n', '\0'))
        {
            throw Invalid($"The {what} '{path}' of the workload '{Name}' is not an absolute path.", action);
        }
    }

    /// <summary>Refuses a role that no server has.</summary>
    /// <param name="most">How many characters its name may have.</param>
    /// <exception cref="BackupException">PolicyInvalid.</exception>
    internal void RequireUser(int most)
    {
        if (User is { } user && (user.Length == 0 || user.Length > most || user.Any(char.IsControl)))
        {
            throw Invalid($"'{user}' is no name of a role, in the workload '{Name}'.", string.Create(CultureInfo.InvariantCulture, $"Use 1 to {most} characters, or leave it out."));
        }
    }

    /// <summary>Refuses what the kind has no use for.</summary>
    /// <param name="value">It; null where it is not given, as it should be.</param>
    /// <param name="what">What it is called.</param>
    /// <exception cref="BackupException">PolicyInvalid.</exception>
    internal void RequireNone(object? value, string what)
    {
        if (value is not null)
        {
            throw Invalid($"The workload '{Name}' names {what}, which has no meaning for {Kind}.", "Leave it out.");
        }
    }

    /// <summary>What is refused.</summary>
    internal BackupException Invalid(string message, string action) => new(BackupErrorId.PolicyInvalid, message, action, Name);
}
