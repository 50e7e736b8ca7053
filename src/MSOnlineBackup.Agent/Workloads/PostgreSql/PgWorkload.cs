using System.Diagnostics;
using System.Globalization;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Workloads.PostgreSql;

/// <summary>
/// A PostgreSQL server of this machine. Its log is kept by a replication slot, which is ours by its name and moves on only when the vault has what is before it; it is fetched by
/// pg_receivewal. Everything is done by PostgreSQL's own programs.
/// </summary>
/// <param name="settings">Which server.</param>
/// <param name="spoolFolder">The folder for its log on the way to the vault; absolute.</param>
/// <param name="programs">Its programs.</param>
/// <param name="clock">The clock.</param>
internal sealed class PgWorkload(WorkloadSettings settings, string spoolFolder, PgPrograms programs, TimeProvider clock) : ILoggedWorkload
{
    private static readonly TimeSpan _slotPatience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan _slotPoll = TimeSpan.FromMilliseconds(200);

    private readonly PgSpool _spool = new(spoolFolder, settings.Name);
    private PgSession? _session;
    private PgServer? _server;
    private string? _receiver;

    /// <summary>The replication slot's name.</summary>
    public string Slot => SlotOf(settings.Name);

    /// <inheritdoc/>
    public string GapAdvice => "If it comes again, find out what drops the slot or removes the server's log, such as max_slot_wal_keep_size.";

    /// <summary>The replication slot of a workload.</summary>
    public static string SlotOf(string name) => "obengine_" + WorkloadSettings.KeyOf(name);

    /// <inheritdoc/>
    public async Task<WorkloadServer> DiscoverAsync(CancellationToken stop)
    {
        _session ??= await PgSession.OpenAsync(programs, settings.Name, stop).ConfigureAwait(false);
        PgServer server = _server = await PgServer.ReadAsync(_session, settings.Name, stop).ConfigureAwait(false);
        _receiver ??= await programs.FindAsync("pg_receivewal", server.Major, stop).ConfigureAwait(false);
        return new WorkloadServer(
            server.System, server.Timeline.ToString(CultureInfo.InvariantCulture), server.Layout, server.Version, server.Databases, server.Now);
    }

    /// <inheritdoc/>
    public async Task<string?> FindGapAsync(string position, CancellationToken stop)
    {
        (PgSession session, PgServer server) = Known();
        PgPosition from = PositionOf(position);
        if (server.Position < from)
        {
            return $"The server's log ends at {server.Position}, before {position}, where the vault has it: the server was recovered to an earlier time.";
        }

        IReadOnlyList<string[]> slots = await session.AskAsync(
            $"SELECT slot_type, coalesce(restart_lsn::text, ''), coalesce(wal_status, '') FROM pg_replication_slots WHERE slot_name = {PgServer.Literal(Slot)}", stop).ConfigureAwait(false);
        if (slots is not [[var type, var restart, var status]])
        {
            return $"The server's replication slot '{Slot}' is gone, so nobody knows what it still has of its log.";
        }

        PgPosition needed = _spool.EndFrom(from, server);
        if (type != "physical" || status == "lost" || !PgPosition.TryParse(restart, out PgPosition kept))
        {
            return $"The server's replication slot '{Slot}' has lost what it was to keep of the log.";
        }

        if (kept.SegmentStart(server.SegmentSize) > needed)
        {
            return $"The server keeps its log from {kept} on, but it is needed from {needed} on.";
        }

        HashSet<string> there = [.. (await session.AskAsync("SELECT name FROM pg_ls_waldir()", stop).ConfigureAwait(false)).Select(row => row[0])];
        string? missing = PgPosition.Segments(needed, server.Position, server.SegmentSize)
            .Select(at => at.SegmentName(server.Timeline, server.SegmentSize))
            .FirstOrDefault(name => !there.Contains(name));
        return missing is null ? null : $"The server no longer has the segment {missing} of its log.";
    }

    /// <inheritdoc/>
    public async Task<string> BeginStreamAsync(CancellationToken stop)
    {
        (PgSession session, PgServer server) = Known();
        await WaitForSlotAsync(session, stop).ConfigureAwait(false);
        await session.AskAsync($"SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = {PgServer.Literal(Slot)}", stop).ConfigureAwait(false);
        string[] row = await session.AskOneAsync($"SELECT lsn FROM pg_create_physical_replication_slot({PgServer.Literal(Slot)}, true, false)", 1, stop).ConfigureAwait(false);
        _spool.Clear();
        return PgServer.PositionOf(row[0], session).SegmentStart(server.SegmentSize).ToString();
    }

    /// <inheritdoc/>
    public async Task<IWorkloadFull> BeginFullAsync(CancellationToken stop)
    {
        (_, PgServer server) = Known();
        PgSession held = await PgSession.OpenAsync(programs, settings.Name, stop).ConfigureAwait(false);
        try
        {
            return await PgFull.BeginAsync(held, server, settings.Name, clock, stop).ConfigureAwait(false);
        }
        catch
        {
            await held.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <inheritdoc/>
    public async Task<WorkloadLog> ReadLogAsync(string position, CancellationToken stop)
    {
        (PgSession session, PgServer server) = Known();
        PgPosition from = PositionOf(position);
        await WaitForSlotAsync(session, stop).ConfigureAwait(false);

        // Every commit from now on is later than this. One of them, of nothing, is made: a recovery to any time before finds something to stop at.
        string[] row = await session.AskOneAsync("SELECT clock_timestamp()", 1, stop).ConfigureAwait(false);
        DateTimeOffset to = PgServer.TimeOf(row[0], session);
        await session.AskAsync("SET synchronous_commit = local; BEGIN READ WRITE; SELECT pg_current_xact_id(); COMMIT", stop).ConfigureAwait(false);
        row = await session.AskOneAsync("SELECT pg_switch_wal()", 1, stop).ConfigureAwait(false);
        PgPosition end = PgServer.PositionOf(row[0], session).SegmentEnd(server.SegmentSize);
        _spool.Make();
        programs.Open(_spool.Folder);
        _spool.Trim(from, server);
        if (_spool.EndFrom(from, server) < end)
        {
            await ReceiveAsync(end, stop).ConfigureAwait(false);
        }

        _spool.Trim(from, server);
        _spool.Require(from, end, server);
        return new WorkloadLog(new BackupSource.Tree(_spool.Folder, SourceSelection.Everything), end.ToString(), to);
    }

    /// <inheritdoc/>
    public async Task ReleaseAsync(string position, CancellationToken stop)
    {
        (PgSession session, _) = Known();
        PgPosition to = PositionOf(position);
        _spool.Clear();
        await session.AskAsync(
            $"SELECT pg_replication_slot_advance(slot_name, '{to}') FROM pg_replication_slots WHERE slot_name = {PgServer.Literal(Slot)} AND NOT active AND restart_lsn < '{to}'", stop).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _session?.DisposeAsync() ?? ValueTask.CompletedTask;

    private async Task ReceiveAsync(PgPosition end, CancellationToken stop)
    {
        // It ends when it has more than that: all of the last segment.
        var last = new PgPosition(end.Value - 1);
        ProcessStartInfo start = programs.Start(
            _receiver!, ["--directory", PgPrograms.FolderArgument, "--slot", Slot, "--no-loop", "--endpos", last.ToString()], _spool.Folder);
        (int status, _, string said) = await ProgramRun.ToEndAsync(start, settings.Name, stop).ConfigureAwait(false);
        if (status != 0)
        {
            throw PgErrors.Of(settings.Name, "pg_receivewal", said, isConnected: !said.Contains(programs.Socket, StringComparison.Ordinal));
        }
    }

    // Where another run was killed, what it had begun may go on for a moment.
    private async Task WaitForSlotAsync(PgSession session, CancellationToken stop)
    {
        long began = clock.GetTimestamp();
        while ((await session.AskAsync($"SELECT active_pid FROM pg_replication_slots WHERE slot_name = {PgServer.Literal(Slot)} AND active", stop).ConfigureAwait(false)) is [[var pid]])
        {
            if (clock.GetElapsedTime(began) > _slotPatience)
            {
                throw new BackupException(
                    BackupErrorId.WorkloadCommandFailed,
                    $"The replication slot '{Slot}' of the workload '{settings.Name}' is in use by another, the server's process {pid}.",
                    "Two machines, or two policies, may back up the same server under one name: give them different ones.",
                    settings.Name,
                    transient: true);
            }

            await Task.Delay(_slotPoll, clock, stop).ConfigureAwait(false);
        }
    }

    private (PgSession Session, PgServer Server) Known() => _session is { } session && _server is { } server
        ? (session, server)
        : throw new InvalidOperationException("The server was not asked yet.");

    private PgPosition PositionOf(string text) => PgPosition.TryParse(text, out PgPosition position)
        ? position
        : throw new BackupException(
            BackupErrorId.WorkloadCommandFailed, $"The vault names a position in the log of the workload '{settings.Name}' that is none: '{text}'.", "Back up under another name.", settings.Name);
}
