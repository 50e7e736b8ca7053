using System.Security.Cryptography;
using System.Text;

namespace MSOnlineBackup.Agent.Workloads.MariaDb;

/// <summary>What a MariaDB server says of itself.</summary>
internal sealed record MariaServer
{
    private static readonly Version _least = new(10, 6);

    private static readonly string[] _rights = ["RELOAD", "PROCESS", "LOCK TABLES", "BINLOG MONITOR", "SHOW DATABASES"];

    /// <summary>Its version in full: "10.11.19-MariaDB-0+deb12u1-log".</summary>
    public required string Version { get; init; }

    /// <summary>Its series: "10.11".</summary>
    public required string Series { get; init; }

    /// <summary>Its number among those that replicate each other.</summary>
    public required string Id { get; init; }

    /// <summary>Its data directory, without a slash at the end.</summary>
    public required string DataFolder { get; init; }

    /// <summary>The path that the names of its binary logs begin with.</summary>
    public required string LogBase { get; init; }

    /// <summary>What makes up the place of its files, as 32 hexadecimal digits.</summary>
    public required string Layout { get; init; }

    /// <summary>Those of its settings that <see cref="MariaFacts"/> names.</summary>
    public required IReadOnlyDictionary<string, string> Settings { get; init; }

    /// <summary>Whether what it has told to be committed is in its log and in its tables after a crash.</summary>
    public required bool IsCrashSafe { get; init; }

    /// <summary>The names of its databases.</summary>
    public required IReadOnlyList<string> Databases { get; init; }

    /// <summary>What its clock says (UTC).</summary>
    public required DateTimeOffset Now { get; init; }

    /// <summary>The folder of its binary logs.</summary>
    public string LogFolder => Path.GetDirectoryName(LogBase) ?? "/";

    /// <summary>Asks a server.</summary>
    /// <param name="session">A session on it.</param>
    /// <param name="workload">The workload's name.</param>
    /// <param name="stop">Stops it.</param>
    /// <exception cref="Vaults.Errors.BackupException">WorkloadUnfit, WorkloadAccessDenied, WorkloadCommandFailed.</exception>
    public static async Task<MariaServer> ReadAsync(MariaSession session, string workload, CancellationToken stop)
    {
        string version = (await session.AskOneAsync("SELECT VERSION()", 1, stop).ConfigureAwait(false))[0];
        string series = MariaPrograms.SeriesOf(version) ?? throw MariaErrors.Unfit(
            workload, $"the server is no MariaDB: its version is {version}.", "Back it up by scripts around a snapshot (examples/Applications).");
        if (System.Version.Parse(series) < _least)
        {
            throw MariaErrors.Unfit(workload, $"the server has version {version}, and those before {_least} are not known to this version.", $"Upgrade the server to {_least} or later.");
        }

        await RequireRightsAsync(session, workload, stop).ConfigureAwait(false);
        string[] row = await session.AskOneAsync(
            "SELECT @@log_bin, IFNULL(@@log_bin_basename, ''), @@binlog_format, @@encrypt_binlog, @@log_slave_updates, @@sync_binlog, @@innodb_flush_log_at_trx_commit, "
            + "@@server_id, @@datadir, IFNULL(@@innodb_data_home_dir, ''), @@innodb_data_file_path, IFNULL(@@innodb_undo_directory, ''), UTC_TIMESTAMP(6)", 13, stop).ConfigureAwait(false);
        await RefuseAsync(session, workload, row, stop).ConfigureAwait(false);
        IReadOnlyList<string[]> databases = await session.AskAsync(
            "SELECT schema_name FROM information_schema.schemata WHERE schema_name NOT IN ('information_schema', 'performance_schema', 'sys') ORDER BY schema_name", stop).ConfigureAwait(false);
        IReadOnlyList<string[]> settings = await session.AskAsync(
            $"SELECT variable_name, variable_value FROM information_schema.global_variables WHERE variable_name IN ({string.Join(", ", MariaFacts.SettingNames.Select(Literal))})", stop).ConfigureAwait(false);
        string data = row[8].TrimEnd('/');
        return new MariaServer
        {
            Version = version,
            Series = series,
            Id = row[7],
            DataFolder = data,
            LogBase = row[1].StartsWith('/') ? row[1] : Path.GetFullPath(row[1], data),
            Layout = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', data, row[9], row[10], row[11])))[..16]),
            Settings = settings.ToDictionary(setting => setting[0].ToLowerInvariant(), setting => setting[1]),
            IsCrashSafe = row[5] == "1" && row[6] == "1",
            Databases = [.. databases.Select(database => database[0])],
            Now = MariaSession.TryParseTime(row[12], out DateTimeOffset now) ? now : throw session.Unexpected(),
        };
    }

    private static async Task RefuseAsync(MariaSession session, string workload, string[] row, CancellationToken stop)
    {
        string running = (await session.AskOneAsync(
            "SELECT IFNULL(MAX(variable_value), '0') FROM information_schema.global_status WHERE variable_name = 'SLAVES_RUNNING'", 1, stop).ConfigureAwait(false))[0];
        string cluster = (await session.AskOneAsync(
            "SELECT IFNULL(MAX(variable_value), 'OFF') FROM information_schema.global_variables WHERE variable_name = 'WSREP_ON'", 1, stop).ConfigureAwait(false))[0];
        string keys = (await session.AskOneAsync(
            "SELECT COUNT(*) FROM information_schema.plugins WHERE plugin_type = 'ENCRYPTION' AND plugin_status = 'ACTIVE'", 1, stop).ConfigureAwait(false))[0];
        bool isSkipping = row[0] != "0" && (await session.AskOneAsync("SHOW MASTER STATUS", 4, stop).ConfigureAwait(false)) is [_, _, var only, var ignored] && (only + ignored).Length > 0;
        (bool IsUnfit, string Why, string Action)[] causes =
        [
            (row[0] == "0", "log_bin is off, so the server keeps no log to recover by.", "Set log_bin = mysql-bin in the group [mysqld] of the server's option file, and restart the server."),
            (row[2] == "STATEMENT", "binlog_format is STATEMENT, and what statements did cannot always be done again.", "Set binlog_format = MIXED or ROW, the first of which is MariaDB's own."),
            (isSkipping, "binlog_do_db or binlog_ignore_db keeps databases out of the log.", "Take the option out, and restart the server."),
            (row[3] != "0" || keys != "0", "its data are encrypted at rest, which was not tried.", "Back it up by scripts around a snapshot (examples/Applications)."),
            (row[4] == "0" && running != "0", "it is a replica, and log_slave_updates is off: what it gets from its primary is not in its log.", "Set log_slave_updates, and restart the server; or back up the primary."),
            (row[4] == "0" && cluster == "ON", "it is of a Galera cluster, and log_slave_updates is off: what other nodes write is not in its log.", "Set log_slave_updates, and restart the server."),
        ];
        foreach ((bool isUnfit, string why, string action) in causes)
        {
            if (isUnfit)
            {
                throw MariaErrors.Unfit(workload, why, action);
            }
        }
    }

    private static async Task RequireRightsAsync(MariaSession session, string workload, CancellationToken stop)
    {
        string account = (await session.AskOneAsync("SELECT CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), '''')", 1, stop).ConfigureAwait(false))[0];
        IReadOnlyList<string[]> rights = await session.AskAsync($"SELECT privilege_type FROM information_schema.user_privileges WHERE grantee = {Literal(account)}", stop).ConfigureAwait(false);
        HashSet<string> there = [.. rights.Select(right => right[0])];
        List<string> missing = [.. _rights.Where(right => !there.Contains(right))];
        if (missing.Count > 0)
        {
            throw MariaErrors.Denied(workload, account, missing);
        }
    }

    /// <summary>A text as a literal of SQL, in a session of ours.</summary>
    internal static string Literal(string text) => "'" + text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "''", StringComparison.Ordinal) + "'";
}
