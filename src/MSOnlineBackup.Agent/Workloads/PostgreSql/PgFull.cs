using System.Globalization;
using System.Text;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Workloads.PostgreSql;

/// <summary>
/// A base backup, as PostgreSQL's documentation describes those of its low-level interface: the server is told in one session that it begins and ends, and its files are read
/// meanwhile, however they change. What the server says at the end comes into the recovery point as files.
/// </summary>
internal sealed class PgFull : IWorkloadFull
{
    /// <summary>The source that holds what the server says at the end.</summary>
    public const string LabelName = "backup_label";

    /// <summary>The source that says where tablespaces lie.</summary>
    public const string MapName = "tablespace_map";

    /// <summary>The source that is the cluster's control file.</summary>
    public const string ControlName = "pg_control";

    // What a server must not find when it starts, makes anew anyway, or has of its own.
    private static readonly string[] _excluded =
    [
        "pg_wal", "postmaster.pid", "postmaster.opts", "pgsql_tmp*", "pg_internal.init*", "current_logfiles*",
        "pg_replslot/*", "pg_dynshmem/*", "pg_notify/*", "pg_serial/*", "pg_snapshots/*", "pg_stat_tmp/*", "pg_subtrans/*", "pg_tblspc/*",
        LabelName, LabelName + ".old", MapName, MapName + ".old", "backup_manifest", "global/" + ControlName, PgRecovery.LogFolder, PgRecovery.TablespaceFolder,
    ];

    // Of what the configuration says, where the cluster itself lies is another matter once it is recovered.
    private const string ConfigurationQuestion =
        "SELECT name, encode(convert_to(setting, 'UTF8'), 'hex') FROM pg_settings WHERE source = 'configuration file' "
        + "AND name NOT IN ('data_directory', 'config_file', 'hba_file', 'ident_file', 'external_pid_file') ORDER BY name";

    private readonly PgSession _session;
    private readonly PgServer _server;
    private readonly string _workload;
    private readonly TimeProvider _clock;
    private readonly MemoryStream _label = new();
    private readonly MemoryStream _map = new();
    private bool _hasEnded;

    private PgFull(PgSession session, PgServer server, string workload, TimeProvider clock, PgPosition start, DateTimeOffset from)
    {
        (_session, _server, _workload, _clock) = (session, server, workload, clock);
        (Start, From) = (start.ToString(), from);
        Sources = [.. MakeSources()];
    }

    /// <inheritdoc/>
    public IReadOnlyList<BackupSource> Sources { get; }

    /// <inheritdoc/>
    public string Start { get; }

    /// <inheritdoc/>
    public string End { get; private set; } = "";

    /// <inheritdoc/>
    public DateTimeOffset From { get; }

    /// <inheritdoc/>
    public DateTimeOffset To { get; private set; }

    /// <summary>Begins one.</summary>
    /// <param name="session">A session of its own, which it takes over.</param>
    /// <param name="server">What the server says of itself.</param>
    /// <param name="workload">The workload's name.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="stop">Stops it.</param>
    public static async Task<PgFull> BeginAsync(PgSession session, PgServer server, string workload, TimeProvider clock, CancellationToken stop)
    {
        // At once, rather than spread over minutes: nobody waits for it, and it writes what would be written anyway.
        string[] row = await session.AskOneAsync($"SELECT clock_timestamp(), pg_backup_start({PgServer.Literal("obengine " + workload)}, true)", 2, stop).ConfigureAwait(false);
        return new PgFull(session, server, workload, clock, PgServer.PositionOf(row[1], session), PgServer.TimeOf(row[0], session));
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _session.DisposeAsync();

    private IEnumerable<BackupSource> MakeSources()
    {
        yield return TreeOf(_server.DataFolder, _excluded);
        foreach (PgTablespace space in _server.Tablespaces)
        {
            yield return TreeOf(space.Location, ["pgsql_tmp*"]);
        }

        foreach ((string name, string path) in _server.ForeignFiles)
        {
            yield return Made(name, name == "postgresql.conf" ? DescribeConfigurationAsync : stop => ReadAsync(path, stop));
        }

        yield return Made(ControlName, ReadControlAsync);
        yield return new BackupSource.Input(LabelName, _label) { Begin = EndAsync };

        // It comes with the label.
        yield return new BackupSource.Input(MapName, _map);
    }

    private static BackupSource.Tree TreeOf(string path, IReadOnlyList<string> excluded) => new(path, new SourceSelection { Exclude = excluded, CrossMountPoints = true });

    private static BackupSource.Input Made(string name, Func<CancellationToken, Task<byte[]>> make)
    {
        var content = new MemoryStream();
        return new BackupSource.Input(name, content) { Begin = async stop => Fill(content, await make(stop).ConfigureAwait(false)) };
    }

    private static void Fill(MemoryStream content, byte[] bytes)
    {
        content.Write(bytes);
        content.Position = 0;
    }

    // All that goes before was read by now.
    private async Task EndAsync(CancellationToken stop)
    {
        if (_hasEnded)
        {
            throw new InvalidOperationException("A base backup ends once.");
        }

        string[] row = await _session.AskOneAsync(
            $"SELECT lsn, {PgServer.Hex("labelfile")}, {PgServer.Hex("coalesce(spcmapfile, '')")} FROM pg_backup_stop(false)", 3, stop).ConfigureAwait(false);
        _hasEnded = true;
        Fill(_label, Convert.FromHexString(row[1]));
        Fill(_map, Convert.FromHexString(row[2]));
        End = PgServer.PositionOf(row[0], _session).ToString();
        To = PgServer.TimeOf((await _session.AskOneAsync("SELECT clock_timestamp()", 1, stop).ConfigureAwait(false))[0], _session);
    }

    // As one file, whatever it includes: what is in force, as the server tells it.
    private async Task<byte[]> DescribeConfigurationAsync(CancellationToken stop)
    {
        var text = new StringBuilder("# What was in force when this cluster was backed up.\n");
        foreach (string[] row in await _session.AskAsync(ConfigurationQuestion, stop).ConfigureAwait(false))
        {
            text.Append(CultureInfo.InvariantCulture, $"{row[0]} = {PgRecovery.Quote(PgServer.Text(row[1]))}\n");
        }

        return Encoding.UTF8.GetBytes(text.ToString());
    }

    // It is written in place, and too small to be read and written at the same time for long: twice the same is one state of it.
    private async Task<byte[]> ReadControlAsync(CancellationToken stop)
    {
        string path = Path.Combine(_server.DataFolder, "global", ControlName);
        byte[] before = await ReadAsync(path, stop).ConfigureAwait(false);
        while (true)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), _clock, stop).ConfigureAwait(false);
            byte[] now = await ReadAsync(path, stop).ConfigureAwait(false);
            if (now.AsSpan().SequenceEqual(before))
            {
                return now;
            }

            before = now;
        }
    }

    private async Task<byte[]> ReadAsync(string path, CancellationToken stop)
    {
        try
        {
            return await File.ReadAllBytesAsync(path, stop).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BackupException(
                BackupErrorId.WorkloadFileUnreadable,
                $"'{path}' could not be read, and a backup of the workload '{_workload}' without it could not be recovered: {e.Message}",
                "Run the backup as root, or as the account that the server runs as.",
                path,
                innerException: e);
        }
    }
}
