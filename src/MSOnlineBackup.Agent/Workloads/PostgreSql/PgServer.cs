using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Workloads.PostgreSql;

/// <summary>A tablespace that lies outside the data directory.</summary>
/// <param name="Id">Its number.</param>
/// <param name="Location">Its absolute path.</param>
internal sealed record PgTablespace(uint Id, string Location);

/// <summary>What a PostgreSQL server says of itself.</summary>
internal sealed record PgServer
{
    /// <summary>The first major version with the functions of a base backup as they are now.</summary>
    public const int LeastMajor = 15;

    /// <summary>Its version in full: "15.18 (Debian 15.18-0+deb12u1)".</summary>
    public required string Version { get; init; }

    /// <summary>Its major version.</summary>
    public required int Major { get; init; }

    /// <summary>The cluster's identifier: a number.</summary>
    public required string System { get; init; }

    /// <summary>The timeline that it writes.</summary>
    public required uint Timeline { get; init; }

    /// <summary>The size of a segment of its log, in bytes.</summary>
    public required uint SegmentSize { get; init; }

    /// <summary>Where its log ends.</summary>
    public required PgPosition Position { get; init; }

    /// <summary>Its data directory.</summary>
    public required string DataFolder { get; init; }

    /// <summary>Its configuration files, by their own names, as far as they lie outside the data directory.</summary>
    public required IReadOnlyDictionary<string, string> ForeignFiles { get; init; }

    /// <summary>Its tablespaces, but for the two that every cluster has.</summary>
    public required IReadOnlyList<PgTablespace> Tablespaces { get; init; }

    /// <summary>The names of its databases.</summary>
    public required IReadOnlyList<string> Databases { get; init; }

    /// <summary>What its clock says (UTC).</summary>
    public required DateTimeOffset Now { get; init; }

    /// <summary>What makes up the place of its files, as 32 hexadecimal digits.</summary>
    public string Layout => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n',
        Tablespaces.Select(space => string.Create(CultureInfo.InvariantCulture, $"{space.Id} {space.Location}")).Prepend(DataFolder))))[..16]);

    /// <summary>Asks a server.</summary>
    /// <param name="session">A session on it.</param>
    /// <param name="workload">The workload's name.</param>
    /// <param name="stop">Stops it.</param>
    /// <exception cref="BackupException">WorkloadUnfit, WorkloadAccessDenied, WorkloadCommandFailed.</exception>
    public static async Task<PgServer> ReadAsync(PgSession session, string workload, CancellationToken stop)
    {
        string[] first = await session.AskOneAsync(
            "SELECT current_setting('server_version_num'), current_setting('server_version'), pg_is_in_recovery(), current_setting('wal_level'), "
            + "current_setting('max_replication_slots'), current_setting('max_wal_senders')", 6, stop).ConfigureAwait(false);
        int major = Number(first[0], session) / 10_000;
        Refuse(workload, major, first);
        await RequireRightsAsync(session, workload, stop).ConfigureAwait(false);

        string[] row = await session.AskOneAsync(
            "SELECT (SELECT system_identifier FROM pg_control_system()), left(pg_walfile_name(pg_current_wal_lsn()), 8), "
            + "(SELECT setting FROM pg_settings WHERE name = 'wal_segment_size'), pg_current_wal_lsn(), clock_timestamp(), "
            + $"{Hex("current_setting('data_directory')")}, {Hex("current_setting('config_file')")}, {Hex("current_setting('hba_file')")}, {Hex("current_setting('ident_file')")}", 9, stop).ConfigureAwait(false);
        IReadOnlyList<string[]> spaces = await session.AskAsync(
            $"SELECT oid, {Hex("pg_tablespace_location(oid)")} FROM pg_tablespace WHERE spcname NOT IN ('pg_default', 'pg_global') ORDER BY oid", stop).ConfigureAwait(false);
        IReadOnlyList<string[]> databases = await session.AskAsync(
            $"SELECT {Hex("datname::text")} FROM pg_database WHERE datname <> 'template0' ORDER BY datname", stop).ConfigureAwait(false);
        string data = Text(row[5]);
        return new PgServer
        {
            Version = first[1],
            Major = major,
            System = row[0],
            Timeline = uint.TryParse(row[1], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint timeline) ? timeline : throw session.Unexpected(),
            SegmentSize = (uint)Number(row[2], session),
            Position = PositionOf(row[3], session),
            Now = TimeOf(row[4], session),
            DataFolder = data,
            ForeignFiles = new[] { ("postgresql.conf", Text(row[6])), ("pg_hba.conf", Text(row[7])), ("pg_ident.conf", Text(row[8])) }
                .Where(file => !file.Item2.StartsWith(data + "/", StringComparison.Ordinal))
                .ToDictionary(file => file.Item1, file => file.Item2),
            Tablespaces = [.. spaces.Select(space => SpaceOf(space, session, workload))],
            Databases = [.. databases.Select(database => Text(database[0]))],
        };
    }

    /// <summary>A field as hexadecimal digits: it may hold anything then.</summary>
    public static string Hex(string expression) => $"encode(convert_to({expression}, 'UTF8'), 'hex')";

    /// <summary>The text of a field that was asked for by <see cref="Hex"/>.</summary>
    public static string Text(string hex) => Encoding.UTF8.GetString(Convert.FromHexString(hex));

    /// <summary>A text as a literal of SQL.</summary>
    public static string Literal(string text) => "'" + text.Replace("'", "''", StringComparison.Ordinal) + "'";

    /// <summary>A position that the server told.</summary>
    public static PgPosition PositionOf(string text, PgSession session) => PgPosition.TryParse(text, out PgPosition position) ? position : throw session.Unexpected();

    /// <summary>A time that the server told, as sessions of ours have it: "2026-11-30 16:23:39.123456+00".</summary>
    public static DateTimeOffset TimeOf(string text, PgSession session) => TryParseTime(text, out DateTimeOffset time) ? time : throw session.Unexpected();

    /// <summary>Reads a time as a session of ours has it.</summary>
    internal static bool TryParseTime(string text, out DateTimeOffset time) =>
        DateTimeOffset.TryParseExact(text, "yyyy-MM-dd HH:mm:ss.FFFFFFFzz", CultureInfo.InvariantCulture, DateTimeStyles.None, out time)
        || DateTimeOffset.TryParseExact(text, "yyyy-MM-dd HH:mm:sszz", CultureInfo.InvariantCulture, DateTimeStyles.None, out time);

    private static int Number(string text, PgSession session) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number > 0 ? number : throw session.Unexpected();

    private static void Refuse(string workload, int major, string[] first)
    {
        (bool IsUnfit, string Why, string Action)[] causes =
        [
            (major < LeastMajor, $"the server has version {first[1]}, and versions before {LeastMajor} begin a base backup in another way.", $"Back it up by scripts around a snapshot (examples/Applications), or upgrade the server to {LeastMajor} or later."),
            (first[2] != "f", "the server is a standby, which cannot switch to the next file of its log.", "Back up the primary server."),
            (first[3] == "minimal", "wal_level is 'minimal', so its log does not hold what a recovery needs.", "Set wal_level = replica in postgresql.conf, and restart the server."),
            (first[4] == "0", "max_replication_slots is 0, so the server cannot keep its log until it is backed up.", "Set max_replication_slots = 10 in postgresql.conf, and restart the server."),
            (first[5] == "0", "max_wal_senders is 0, so the server does not send its log.", "Set max_wal_senders = 10 in postgresql.conf, and restart the server."),
        ];
        foreach ((bool isUnfit, string why, string action) in causes)
        {
            if (isUnfit)
            {
                throw PgErrors.Unfit(workload, why, action);
            }
        }
    }

    private static async Task RequireRightsAsync(PgSession session, string workload, CancellationToken stop)
    {
        string[] rights = await session.AskOneAsync(
            "SELECT current_user, (SELECT rolsuper OR rolreplication FROM pg_roles WHERE rolname = current_user), "
            + "has_function_privilege('pg_backup_start(text, boolean)', 'EXECUTE'), has_function_privilege('pg_backup_stop(boolean)', 'EXECUTE'), "
            + "has_function_privilege('pg_switch_wal()', 'EXECUTE'), has_function_privilege('pg_ls_waldir()', 'EXECUTE'), "
            + "pg_has_role('pg_read_all_settings', 'USAGE')", 7, stop).ConfigureAwait(false);
        string[] names = ["REPLICATION", "pg_backup_start", "pg_backup_stop", "pg_switch_wal", "pg_ls_waldir", "pg_read_all_settings"];
        List<string> missing = [.. names.Where((_, at) => rights[at + 1] != "t")];
        if (missing.Count > 0)
        {
            throw PgErrors.Denied(workload, rights[0], missing);
        }
    }

    private static PgTablespace SpaceOf(string[] row, PgSession session, string workload)
    {
        string location = row.Length == 2 ? Text(row[1]) : throw session.Unexpected();
        uint id = uint.TryParse(row[0], NumberStyles.None, CultureInfo.InvariantCulture, out uint number) ? number : throw session.Unexpected();
        return !location.StartsWith('/')
            ? throw PgErrors.Unfit(workload, $"the tablespace {id} lies in the data directory itself (allow_in_place_tablespaces), as only tests have it.", "Move it to a folder of its own, or drop it.")
            : new PgTablespace(id, location);
    }
}
