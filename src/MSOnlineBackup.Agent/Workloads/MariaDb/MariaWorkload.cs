using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Agent.Workloads.MariaDb;

/// <summary>
/// A MariaDB server of this machine. Its log is its binary log, of which each piece has whole files: the server is told to begin a new one, and those before it are copied. The
/// server keeps and removes its files as it is set to; what it removes too early is a gap.
/// </summary>
/// <param name="settings">Which server.</param>
/// <param name="spoolFolder">The folder for its log on the way to the vault; absolute.</param>
/// <param name="programs">Its programs.</param>
/// <param name="clock">The clock.</param>
internal sealed class MariaWorkload(WorkloadSettings settings, string spoolFolder, MariaPrograms programs, TimeProvider clock) : ILoggedWorkload
{
    private readonly MariaAccess _access = MariaAccess.Of(settings);
    private MariaSession? _session;
    private MariaServer? _server;
    private string? _backup;
    private MariaFull? _full;

    /// <inheritdoc/>
    public string GapAdvice =>
        "If it comes again, see that the server keeps its log until it is backed up (binlog_expire_logs_seconds), that nobody runs RESET MASTER or PURGE BINARY LOGS, and set sync_binlog = 1.";

    /// <inheritdoc/>
    public async Task<WorkloadServer> DiscoverAsync(CancellationToken stop)
    {
        _session ??= await MariaSession.OpenAsync(programs, _access, settings.Name, stop).ConfigureAwait(false);
        MariaServer server = _server = await MariaServer.ReadAsync(_session, settings.Name, stop).ConfigureAwait(false);
        _backup ??= await programs.FindAsync(MariaPrograms.Backup, server.Series, stop).ConfigureAwait(false);
        return new WorkloadServer(server.Id, Path.GetFileName(server.LogBase), server.Layout, server.Version, server.Databases, server.Now);
    }

    /// <inheritdoc/>
    public async Task<string?> FindGapAsync(string position, CancellationToken stop)
    {
        (MariaSession session, MariaServer server) = Known();
        if (!MariaPosition.TryParse(position, out MariaPosition? from))
        {
            return $"The vault names a position in the log that is none: '{position}'.";
        }

        IReadOnlyList<string> files = await ListAsync(session, stop).ConfigureAwait(false);
        int first = files.ToList().IndexOf(from.File);
        if (first < 0)
        {
            return $"The server no longer has the file {from.File} of its log, with which the next piece begins.";
        }

        if (MarkOf(server, from.File) != from.Mark)
        {
            return $"The server's file {from.File} is another one than it was: the log was begun anew by RESET MASTER.";
        }

        for (int i = first; i + 1 < files.Count; i++)
        {
            if (MariaPosition.NumberOf(files[i]) + 1 != MariaPosition.NumberOf(files[i + 1]))
            {
                return $"Between {files[i]} and {files[i + 1]} the server's log lacks files.";
            }
        }

        return FindDamage(server, files.Skip(first).SkipLast(1));
    }

    /// <inheritdoc/>
    public async Task<string> BeginStreamAsync(CancellationToken stop)
    {
        (MariaSession session, MariaServer server) = Known();
        await session.AskAsync("FLUSH BINARY LOGS", stop).ConfigureAwait(false);
        IReadOnlyList<string> files = await ListAsync(session, stop).ConfigureAwait(false);
        Clear();
        return new MariaPosition(files[^1], MarkOf(server, files[^1])).ToString();
    }

    /// <inheritdoc/>
    public async Task<IWorkloadFull> BeginFullAsync(CancellationToken stop)
    {
        (MariaSession session, MariaServer server) = Known();
        PrivateFolder.Make(spoolFolder);
        return _full = new MariaFull(_backup!, _access, session, server, settings.Name, spoolFolder, await session.AskTimeAsync(stop).ConfigureAwait(false));
    }

    /// <inheritdoc/>
    public async Task<WorkloadLog> ReadLogAsync(string position, CancellationToken stop)
    {
        (MariaSession session, MariaServer server) = Known();
        MariaPosition from = MariaPosition.TryParse(position, out MariaPosition? parsed) ? parsed : throw session.Unexpected();

        // What was told to be committed before this is in the files that end now. A full backup of this run is of use from its second's end on, so its log goes that far.
        DateTimeOffset to = await session.AskTimeAsync(stop).ConfigureAwait(false);
        while (_full is { } full && to < full.To)
        {
            await Task.Delay(full.To - to, clock, stop).ConfigureAwait(false);
            to = await session.AskTimeAsync(stop).ConfigureAwait(false);
        }

        await session.AskAsync("FLUSH BINARY LOGS", stop).ConfigureAwait(false);
        List<string> files = [.. await ListAsync(session, stop).ConfigureAwait(false)];
        int first = files.IndexOf(from.File);
        if (first < 0)
        {
            throw Broken($"its file {from.File} is not there any more");
        }

        PrivateFolder.Make(spoolFolder);
        Clear();
        for (int i = first; i + 1 < files.Count; i++)
        {
            await CopyAsync(server, files[i], files[i + 1], i == first ? from.Mark : null, stop).ConfigureAwait(false);
        }

        return new WorkloadLog(new BackupSource.Tree(spoolFolder, SourceSelection.Everything), new MariaPosition(files[^1], MarkOf(server, files[^1])).ToString(), to);
    }

    /// <inheritdoc/>
    public Task ReleaseAsync(string position, CancellationToken stop)
    {
        stop.ThrowIfCancellationRequested();
        Clear();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _session?.DisposeAsync() ?? ValueTask.CompletedTask;

    private static async Task<IReadOnlyList<string>> ListAsync(MariaSession session, CancellationToken stop)
    {
        IReadOnlyList<string[]> rows = await session.AskAsync("SHOW BINARY LOGS", stop).ConfigureAwait(false);
        return rows.Count > 0 && rows.All(row => row.Length >= 2 && MariaPosition.NumberOf(row[0]) is not null) ? [.. rows.Select(row => row[0])] : throw session.Unexpected();
    }

    private string? FindDamage(MariaServer server, IEnumerable<string> ended)
    {
        foreach (string name in ended)
        {
            using FileStream file = Open(server, name);
            BinlogFacts? facts = BinlogFile.Read(file);
            if (facts is null || (facts.IsClosed && facts.Length != file.Length))
            {
                return $"The server's file {name} is damaged.";
            }

            // A server that may lose what it has told to be committed has a log then that its tables do not follow.
            if (!facts.IsClosed && !server.IsCrashSafe)
            {
                return $"The server has crashed while it wrote {name}, and is not set such that its log and its tables are the same after that (sync_binlog = 1, innodb_flush_log_at_trx_commit = 1).";
            }
        }

        return null;
    }

    private async Task CopyAsync(MariaServer server, string name, string following, string? mark, CancellationToken stop)
    {
        string copy = Path.Combine(spoolFolder, name);
        FileStream from = Open(server, name);
        await using (from.ConfigureAwait(false))
        {
            var to = new FileStream(copy, FileMode.CreateNew, FileAccess.ReadWrite);
            await using (to.ConfigureAwait(false))
            {
                await from.CopyToAsync(to, stop).ConfigureAwait(false);
                BinlogFacts facts = BinlogFile.Read(to) ?? throw Broken($"{name} is no binary log");
                if (mark is { } expected && facts.Mark != expected)
                {
                    throw Broken($"{name} is another one than it was");
                }

                if ((facts.IsClosed && facts.Length != to.Length) || (facts.Next is { } next && next != following))
                {
                    throw Broken($"{name} is damaged, or does not lead to {following}");
                }

                // Where the server has crashed, its last event may not be whole: it does not count.
                to.SetLength(facts.Length);
            }
        }
    }

    private string MarkOf(MariaServer server, string name)
    {
        try
        {
            return BinlogFile.ReadMark(Path.Combine(server.LogFolder, name)) ?? throw Broken($"{name} is no binary log");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(Path.Combine(server.LogFolder, name), e);
        }
    }

    private FileStream Open(MariaServer server, string name)
    {
        string path = Path.Combine(server.LogFolder, name);
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(path, e);
        }
    }

    private void Clear()
    {
        if (Directory.Exists(spoolFolder))
        {
            foreach (string path in Directory.EnumerateFiles(spoolFolder))
            {
                File.Delete(path);
            }
        }
    }

    private (MariaSession Session, MariaServer Server) Known() => _session is { } session && _server is { } server
        ? (session, server)
        : throw new InvalidOperationException("The server was not asked yet.");

    private BackupException Unreadable(string path, Exception e) => new(
        BackupErrorId.WorkloadFileUnreadable,
        $"'{path}' could not be read, and the log of the workload '{settings.Name}' is nothing without it: {e.Message}",
        "Run the backup as root, or as the account that the server runs as.",
        path,
        innerException: e);

    private BackupException Broken(string why) => new(
        BackupErrorId.WorkloadCommandFailed,
        $"The binary log of the workload '{settings.Name}' cannot be had: {why}.",
        "Somebody removes or changes files of the server's log. The next run looks again.",
        settings.Name,
        transient: true);
}
