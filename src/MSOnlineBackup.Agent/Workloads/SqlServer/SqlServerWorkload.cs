using System.Globalization;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Workloads.SqlServer;

/// <summary>
/// A SQL Server of this machine. The server writes backups of its databases and of their logs to a folder, from where they go to the vault. A backup of the log cuts it off: until the vault has it,
/// the folder has the only one, and keeps it.
/// </summary>
/// <param name="settings">Which server.</param>
/// <param name="program">Its client.</param>
internal sealed class SqlServerWorkload(WorkloadSettings settings, SqlProgram program) : ILoggedWorkload
{
    private const int LeastMajor = 14;
    private const int Offline = 6;
    private const int OfflineElsewhere = 10;

    private readonly SqlFolder _fulls = FolderOf(settings, "full");
    private readonly SqlFolder _logs = FolderOf(settings, "log");
    private SqlInstance? _server;
    private IReadOnlyList<SqlDatabase> _databases = [];

    // What the vault and the folder have, up to where the log of each database goes on.
    private Dictionary<string, SqlDatabase> _known = [];
    private Full? _full;

    /// <inheritdoc/>
    public string GapAdvice => "If it comes again, see that nothing else backs up the logs of its databases (other than WITH COPY_ONLY), and that recovery models stay.";

    /// <inheritdoc/>
    public async Task<WorkloadServer> DiscoverAsync(CancellationToken stop)
    {
        SqlInstance server = _server = await AskAsync(stop).ConfigureAwait(false);
        if (!int.TryParse(server.Version.Split('.')[0], NumberStyles.None, CultureInfo.InvariantCulture, out int major) || major < LeastMajor)
        {
            throw Unfit($"its server is of version {server.Version}.", "SQL Server 2017 (14) or later is needed.");
        }

        // Those that somebody has taken offline, or that another server restores into, are left to whoever did.
        if (server.Databases.FirstOrDefault(each => each.State is not (0 or 1 or Offline or OfflineElsewhere)) is { } broken)
        {
            throw Unfit($"its database '{broken.Name}' is not in order (state {broken.State} in sys.databases).", "Bring it online or take it offline. Until then nothing is backed up, and the earlier backups stay.");
        }

        _databases = [.. server.Databases.Where(each => each.State == 0)];
        return new WorkloadServer(server.Name, "", "", server.Version, [.. _databases.Select(each => each.Name)], server.Now);
    }

    /// <inheritdoc/>
    public Task<string?> FindGapAsync(string position, CancellationToken stop)
    {
        stop.ThrowIfCancellationRequested();
        string now = SqlManifest.PositionOf(_databases);
        bool isPending = _logs.Read() is { } pending && pending.From == position && pending.End == now;
        if (!isPending && now != position)
        {
            return Task.FromResult<string?>(
                "The logs of its databases do not go on from where the vault has them: another program has backed up a log, a database has come or gone or was restored, or its recovery model was changed.");
        }

        Remember();
        return Task.FromResult<string?>(null);
    }

    /// <inheritdoc/>
    public Task<string> BeginStreamAsync(CancellationToken stop)
    {
        stop.ThrowIfCancellationRequested();
        _logs.Clear();
        Remember();
        return Task.FromResult(SqlManifest.PositionOf(_databases));
    }

    /// <inheritdoc/>
    public async Task<IWorkloadFull> BeginFullAsync(CancellationToken stop)
    {
        SqlInstance server = Known();
        _fulls.Make(settings.Path!);
        _fulls.Clear();
        var parts = new List<SqlPart>();
        try
        {
            foreach (SqlDatabase database in _databases)
            {
                string file = _fulls.NewFile(database.Id, "bak");
                await program.RunAsync(SqlQuestions.BackUpDatabase(database.Name, file), stop).ConfigureAwait(false);
                parts.Add(await DescribeAsync(database, file, stop).ConfigureAwait(false));
            }
        }
        catch
        {
            _fulls.Clear();
            throw;
        }

        SqlInstance after = await AskAsync(stop).ConfigureAwait(false);
        string position = SqlManifest.PositionOf(_databases);
        _fulls.Write(new SqlManifest(position, position, after.OffsetMinutes, parts));
        return _full = new Full(_fulls, parts, position, server.Now, after.Now);
    }

    /// <inheritdoc/>
    public async Task<WorkloadLog> ReadLogAsync(string position, CancellationToken stop)
    {
        SqlInstance server = await AskAsync(stop).ConfigureAwait(false);
        RequireSame(server);
        _logs.Make(settings.Path!);
        List<SqlPart> parts = _logs.Read() is { } pending && pending.From == position ? [.. pending.Parts] : [];
        if (parts.Count == 0)
        {
            _logs.Clear();
        }

        foreach (SqlDatabase database in _databases.Where(each => each.HasLog))
        {
            string file = _logs.NewFile(database.Id, "trn");
            await program.RunAsync(SqlQuestions.BackUpLog(database.Name, file), stop).ConfigureAwait(false);
            SqlPart part = await DescribeAsync(database, file, stop).ConfigureAwait(false);
            RequireNext(_known[database.Name], part);
            parts.Add(part);
            _known[database.Name] = database with { Next = part.Last, Fork = part.Fork };

            // From here on this file is the only one that has this piece of the log: should this run end, the next one goes on with it.
            _logs.Write(Manifest());
        }

        // Where no database has a log, a piece of it holds that.
        SqlManifest manifest = Manifest();
        _logs.Write(manifest);
        return new WorkloadLog(new BackupSource.Tree(_logs.Path, SourceSelection.Everything), manifest.End, server.Now);

        SqlManifest Manifest() => new(position, SqlManifest.PositionOf(_known.Values), server.OffsetMinutes, parts);
    }

    /// <inheritdoc/>
    public Task ReleaseAsync(string position, CancellationToken stop)
    {
        stop.ThrowIfCancellationRequested();
        _logs.Clear();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static SqlFolder FolderOf(WorkloadSettings settings, string part) => new(Path.Combine(settings.Path!, "obengine_" + settings.Key, part), settings.Name);

    private static string Same(SqlDatabase database) => FormattableString.Invariant($"{database.HasLog} {(database.HasLog ? database.Fork : "")} {database.Name}");

    private async Task<SqlInstance> AskAsync(CancellationToken stop) =>
        SqlAnswer.TryReadInstance(await program.RunAsync(SqlQuestions.Instance, stop).ConfigureAwait(false), out SqlInstance? server) ? server : throw Unexpected("what it is");

    private async Task<SqlPart> DescribeAsync(SqlDatabase database, string file, CancellationToken stop)
    {
        await program.RunAsync(SqlQuestions.Verify(file), stop).ConfigureAwait(false);
        if (!File.Exists(file))
        {
            throw new BackupException(
                BackupErrorId.WorkloadFileUnreadable,
                $"The server of the workload '{settings.Name}' has written '{file}', and it is not there.",
                "The server must run on this machine, not in a container with folders of its own, and the backup as root or as the server's account.",
                file);
        }

        return SqlAnswer.TryReadBackup(await program.RunAsync(SqlQuestions.Backup(database.Name, file), stop).ConfigureAwait(false), out SqlBackupSet? set)
            ? new SqlPart(database.Name, Path.GetFileName(file), set.First, set.Last, set.Fork, database.IsOfSystem, database.HasLog, set.Files)
            : throw Unexpected($"what its backup '{file}' holds");
    }

    // What has come or changed since it was looked at belongs to no full backup: the next run finds that, and is full.
    private void RequireSame(SqlInstance server)
    {
        _databases = [.. server.Databases.Where(each => each.State == 0)];
        bool isSame = _databases.Where(each => !each.IsOfSystem).Select(Same).Order(StringComparer.Ordinal).SequenceEqual(_known.Values.Select(Same).Order(StringComparer.Ordinal));
        foreach (SqlDatabase database in isSame ? _databases.Where(each => each.HasLog) : [])
        {
            // A database's first full backup begins its log.
            decimal? full = _full?.Parts.FirstOrDefault(each => each.Database == database.Name)?.Last;
            isSame &= _known[database.Name].Next is { } next ? database.Next == next : database.Next <= full;
            _known[database.Name] = database;
        }

        if (!isSame)
        {
            throw Broken("its databases, their recovery models or their logs were changed by somebody else while it was made");
        }
    }

    private void RequireNext(SqlDatabase before, SqlPart part)
    {
        if (part.First != before.Next || part.Fork != before.Fork)
        {
            throw Broken($"that of the database '{part.Database}' does not go on from where the last one ended");
        }
    }

    private void Remember() => _known = _databases.Where(each => !each.IsOfSystem).ToDictionary(each => each.Name, StringComparer.Ordinal);

    private SqlInstance Known() => _server ?? throw new InvalidOperationException("The server was not asked yet.");

    private BackupException Unfit(string why, string action) => new(BackupErrorId.WorkloadUnfit, $"The workload '{settings.Name}' cannot be backed up: {why}", action, settings.Name);

    private BackupException Unexpected(string what) => new(
        BackupErrorId.WorkloadCommandFailed, $"The server of the workload '{settings.Name}' was asked {what}, and the answer is not understood.", "Look into the server's error log. The next run tries again.", settings.Name, transient: true);

    private BackupException Broken(string why) => new(
        BackupErrorId.WorkloadCommandFailed, $"The log of the workload '{settings.Name}' cannot be backed up: {why}.", "The next run is full.", settings.Name, transient: true);

    private sealed class Full(SqlFolder folder, IReadOnlyList<SqlPart> parts, string position, DateTimeOffset from, DateTimeOffset to) : IWorkloadFull
    {
        public IReadOnlyList<SqlPart> Parts => parts;

        public IReadOnlyList<BackupSource> Sources { get; } = [new BackupSource.Tree(folder.Path, SourceSelection.Everything)];

        public string Start => position;

        public string End => position;

        public DateTimeOffset From => from;

        public DateTimeOffset To => to;

        public ValueTask DisposeAsync()
        {
            folder.Clear();
            return ValueTask.CompletedTask;
        }
    }
}
