using System.Diagnostics;
using System.Text.Json;
using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Engine;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Engine.Sources.SystemState;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Agent;

/// <summary>
/// The jobs of this machine. One runs at a time, here or in a process of its own; each leaves a record. Whoever asks for a job in
/// the foreground gets its failure as an exception too; of one in the background only the record tells.
/// </summary>
public sealed class AgentJobs
{
    private static readonly TimeSpan _poll = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan _beginPatience = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan _stopPatience = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan _punctual = TimeSpan.FromHours(1);

    private readonly BackupAgent _agent;
    private readonly AgentOptions _options;
    private readonly StateFolder _state;
    private readonly JobHistory _history;
    private readonly TimeProvider _clock;

    internal AgentJobs(BackupAgent agent, AgentOptions options, StateFolder state)
    {
        _agent = agent;
        _options = options;
        _state = state;
        _clock = options.Engine.TimeProvider;
        _history = new JobHistory(state, _clock);
    }

    /// <summary>The job that is running; null where none is.</summary>
    public JobRecord? Running => _history.List().LastOrDefault(job => job.State == JobState.InProgress);

    /// <summary>Keeps jobs from beginning.</summary>
    /// <exception cref="BackupException">JobInProgress.</exception>
    internal Task<IDisposable> LockAsync(CancellationToken cancellationToken) => _history.LockAsync(cancellationToken);

    /// <summary>Runs a backup to its end. Its record says how it ended; a failure is also thrown.</summary>
    /// <param name="order">What.</param>
    /// <param name="progress">Told of every change, several times a second, from any thread. It must return quickly, and not throw.</param>
    /// <param name="cancellationToken">Stops in order: the record says Aborted, and OperationCanceledException is thrown.</param>
    /// <exception cref="BackupException">JobInProgress, PolicyNotFound, PolicyIncomplete, NotAvailable: nothing was begun, and there is
    /// no record. Others: the job failed, and its record says so.</exception>
    public Task<JobRecord> BackUpAsync(BackupOrder order, Action<JobRecord> progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(order);
        return BackUpAsync(JobHistory.NewId(), order, _options.Limits, progress, cancellationToken);
    }

    /// <summary>Runs a recovery to its end, as <see cref="BackUpAsync(BackupOrder, Action{JobRecord}, CancellationToken)"/> does a backup.</summary>
    /// <exception cref="BackupException">JobInProgress, RecoveryOptionMissing, NotAvailable: nothing was begun. Others: the job failed.</exception>
    public Task<JobRecord> RecoverAsync(RecoveryOrder order, Action<JobRecord> progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(order);
        return RecoverAsync(JobHistory.NewId(), order, _options.MachineName, progress, cancellationToken);
    }

    /// <summary>Has a process of its own run a backup; returns as soon as that has begun. It goes on when this process ends.</summary>
    /// <exception cref="BackupException">JobInProgress, JobHostMissing, PolicyNotFound, …: nothing was begun.</exception>
    public Task<JobRecord> StartAsync(BackupOrder order, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(order);
        Check(order);
        return StartAsync(JobOrder.Of(order, _options), [], cancellationToken);
    }

    /// <summary>Has a process of its own run a recovery.</summary>
    /// <exception cref="BackupException">JobInProgress, JobHostMissing, RecoveryOptionMissing, …: nothing was begun.</exception>
    public Task<JobRecord> StartAsync(RecoveryOrder order, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(order);
        Check(order, _options.MachineName);
        return StartAsync(JobOrder.Of(order, _options), [.. new[] { order.Passphrase, order.Vault?.Secret }.OfType<string>()], cancellationToken);
    }

    /// <summary>Runs, in this process, a job that another one has started in the background: what the program for such jobs does.</summary>
    /// <param name="id">The job.</param>
    /// <param name="readSecret">Reads the next line that the starter hands over; called only where it does.</param>
    /// <param name="cancellationToken">Stops it in order.</param>
    /// <exception cref="BackupException">JobNotFound: there is no order of this id that was not carried out yet. Others: the job failed;
    /// its record says so.</exception>
    public async Task<JobRecord> RunStartedAsync(Guid id, Func<CancellationToken, Task<string?>> readSecret, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(readSecret);
        JobOrder order = ReadOrder(id);
        JobHostProcess.LeaveTerminal();
        DateTimeOffset started = _clock.GetUtcNow();
        try
        {
            if (order.Backup is { } backup)
            {
                return await BackUpAsync(id, backup, PolicyLimits.Find(order.Limits)!, _ => { }, cancellationToken).ConfigureAwait(false);
            }

            string? passphrase = order.ReadsPassphrase ? await readSecret(cancellationToken).ConfigureAwait(false) : null;
            string? secret = order.ReadsVaultSecret ? await readSecret(cancellationToken).ConfigureAwait(false) : null;
            RecoveryOrder recovery = order.Recovery!;
            VaultAddress? vault = recovery.Vault is null ? null : recovery.Vault with { Secret = secret };
            return await RecoverAsync(id, recovery with { Passphrase = passphrase, Vault = vault }, order.MachineName, _ => { }, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (_history.Read(id) is null)
        {
            // Nobody but the record can tell why it did not begin.
            _history.Write(new JobRecord
            {
                Id = id,
                Kind = order.Backup is null ? JobKind.Recovery : JobKind.Backup,
                State = e is OperationCanceledException ? JobState.Aborted : JobState.Failed,
                Phase = JobPhase.Finished,
                Started = started,
                Ended = _clock.GetUtcNow(),
                Heartbeat = _clock.GetUtcNow(),
                ProcessId = Environment.ProcessId,
                Error = e is OperationCanceledException ? null : JobError.Of(e),
            });
            throw;
        }
    }

    /// <summary>All jobs that are on record, oldest first.</summary>
    public IReadOnlyList<JobRecord> List() => _history.List();

    /// <summary>The newest backup of a kind that has ended; null where there is none.</summary>
    public JobRecord? LastBackup(PolicyKind kind) => List().LastOrDefault(job => job.State != JobState.InProgress && IsOf(job, kind));

    /// <summary>Whether something runs the schedule of a policy: a backup began within the hour after the schedule's last moment.</summary>
    /// <param name="policy">A saved policy.</param>
    public bool RunsBySchedule(BackupPolicy policy)
    {
        ArgumentNullException.ThrowIfNull(policy);
        IReadOnlyList<DateTimeOffset> due = policy.Schedule is { } schedule ? ScheduleMoments.Last(schedule, _clock.GetUtcNow(), _clock.LocalTimeZone) : [];
        return List().Any(job => IsOf(job, policy.Kind) && due.Any(moment => job.Started >= moment && job.Started < moment + _punctual));
    }

    /// <summary>One job.</summary>
    /// <exception cref="BackupException">JobNotFound.</exception>
    public JobRecord Get(Guid id) => _history.Get(id);

    /// <summary>Stops a job in order, in whatever process it runs, and returns when it has ended. One that has ended is returned as it is.</summary>
    /// <exception cref="BackupException">JobNotFound; StateAccessDenied; JobInProgress: it has not ended for ten minutes.</exception>
    public async Task<JobRecord> StopAsync(Guid id, CancellationToken cancellationToken)
    {
        long start = _clock.GetTimestamp();
        bool asked = false;
        while (true)
        {
            JobRecord job = Get(id);
            if (job.State != JobState.InProgress)
            {
                return job;
            }

            if (!asked)
            {
                await AskToStopAsync(id, cancellationToken).ConfigureAwait(false);
                asked = true;
            }

            if (_clock.GetElapsedTime(start) > _stopPatience)
            {
                throw new BackupException(
                    BackupErrorId.JobInProgress,
                    $"The job {id} was asked to stop and has not ended; process {job.ProcessId} is still in the phase {job.Phase}.",
                    $"Wait for it, or end process {job.ProcessId}: what has arrived in the vault stays usable.",
                    id.ToString(),
                    transient: true);
            }

            await Task.Delay(_poll, _clock, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>What a job skipped, and why: the first ten thousand items.</summary>
    /// <exception cref="BackupException">JobNotFound.</exception>
    public IReadOnlyList<SkippedItem> ListSkipped(Guid id) => _history.ReadSkipped(Get(id).Id);

    private async Task<JobRecord> BackUpAsync(Guid id, BackupOrder order, PolicyLimits limits, Action<JobRecord> progress, CancellationToken cancellationToken)
    {
        BackupPolicy policy = Check(order);
        var sources = new PolicyBackup(policy, order, _state.PathOf("system-state"));
        return await new JobRunner(_history, _clock, () => _agent.Machine.Bandwidth?.Limit).RunAsync(
            id, JobKind.Backup, monitor => SourceStatuses.OfBackup(monitor, sources.Names), WorkAsync, progress, cancellationToken).ConfigureAwait(false);

        async Task WorkAsync(JobWork job, CancellationToken stop)
        {
            using UnlockedVault engine = await _agent.OpenEngineAsync(job.Monitor, stop).ConfigureAwait(false);
            job.ReadTraffic = () => engine.Traffic;
            string machine = MachineName;
            PointHistory earlier = await engine.OpenHistoryAsync(machine, stop).ConfigureAwait(false);
            var request = new BackupRequest
            {
                MachineName = machine,
                Sources = await sources.PrepareAsync(stop).ConfigureAwait(false),
                Tags = await sources.FindTagsAsync(_clock, earlier.NewestFirst, stop).ConfigureAwait(false),
                Compression = order.Compression,
                MustBeRegistered = true,
                OwnFolders = [_state.Path, _agent.Machine.ScratchFolder],
                OpenSource = _options.OpenSource,
            };
            limits.CheckRecoveryPoints(earlier.Count + 1);
            if (limits.SizesScratch)
            {
                ScratchCheck scratch = _agent.Machine.CheckScratch(await engine.EstimateAsync(request, stop).ConfigureAwait(false));
                if (scratch.IsFull)
                {
                    // Earlier points say how much there was. Before a backup is refused, what there is now counts.
                    scratch = _agent.Machine.CheckScratch(await VaultFiles.MeasureSourcesAsync(request, stop).ConfigureAwait(false));
                    scratch.ThrowIfFull();
                }

                if (scratch.FindWarning() is { } low)
                {
                    job.Warn(low);
                }
            }

            BackupResult result = await engine.BackUpAsync(request, job.Monitor, stop).ConfigureAwait(false);
            job.RecoveryPointId = result.Point.SessionId;
            job.LostSources = result.LostSources;
        }
    }

    private async Task<JobRecord> RecoverAsync(Guid id, RecoveryOrder order, string ownName, Action<JobRecord> progress, CancellationToken cancellationToken)
    {
        Check(order, ownName);
        string name = order.Paths.Count switch
        {
            0 => "Everything",
            1 => order.Paths[0],
            int count => $"{order.Paths[0]} and {count - 1} more",
        };
        return await new JobRunner(_history, _clock, () => _agent.Machine.Bandwidth?.Limit) { IsExpected = IsWanted }.RunAsync(
            id, JobKind.Recovery, monitor => SourceStatuses.OfRecovery(monitor, name), WorkAsync, progress, cancellationToken).ConfigureAwait(false);

        // Who says that what is there stays has asked for just that.
        bool IsWanted(SkippedItem item) => order.Conflict == RestoreConflict.Skip && item.Id == BackupErrorId.RestoreItemExists;

        async Task WorkAsync(JobWork job, CancellationToken stop)
        {
            using UnlockedVault engine = await OpenEngineAsync(order, job.Monitor, stop).ConfigureAwait(false);
            job.ReadTraffic = () => engine.Traffic;
            RecoveryPoint point = await engine.GetPointAsync(order.PointId, order.MachineName, stop).ConfigureAwait(false);
            job.RecoveryPointId = point.SessionId;
            var request = new RestoreRequest
            {
                Point = point,
                Paths = order.Paths,
                TargetFolder = order.TargetFolder ?? "/",
                Layout = order.TargetFolder is null ? RestoreLayout.FullPath : RestoreLayout.ItemName,
                Conflict = order.Conflict,
                CopyNames = CopyNames.Dated,
                SkipSecurity = order.SkipSecurity,
                MapNames = order.MapNames,
                Verify = order.Verify,
            };
            IndexedVault index = await engine.IndexAsync(stop, job.Monitor).ConfigureAwait(false);
            RestoreResult result = await index.RestoreAsync(request, job.Monitor, stop).ConfigureAwait(false);
            if (result.Layout != request.Layout)
            {
                // All is there, but not where one looks for it.
                job.Warn(new BackupException(
                    BackupErrorId.RestoredByFullPath,
                    $"Some of the items have the same name, so all of them are in '{request.TargetFolder}' by their full paths and not by their names.",
                    "Look for them there. To have an item in the folder by its own name, recover it by itself.",
                    request.TargetFolder));
            }
        }
    }

    private async Task AskToStopAsync(Guid id, CancellationToken cancellationToken)
    {
        try
        {
            await File.WriteAllBytesAsync(_history.FileOf(id, JobRunner.StopFile), [], cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw _state.Denied(e);
        }
    }

    private string MachineName => _agent.Machine.Registration?.MachineName ?? _options.MachineName;

    private static bool IsOf(JobRecord job, PolicyKind kind) =>
        job.Kind == JobKind.Backup && job.Sources.Any(source => source.Name == LinuxSystemState.Name) == (kind == PolicyKind.SystemState);

    private BackupPolicy Check(BackupOrder order)
    {
        if (order.Kind == PolicyKind.SystemState)
        {
            LinuxSystemState.RequireSupport();
        }

        return _agent.Policies.Get(order.Kind) ?? throw new BackupException(
            BackupErrorId.PolicyNotFound,
            order.Kind == PolicyKind.Files ? "This machine has no policy." : "This machine has no policy for its system state.",
            "Make one with New-OBPolicy and save it with Set-OBPolicy.");
    }

    private void Check(RecoveryOrder order, string ownName)
    {
        bool isOwn = string.Equals(order.MachineName, _agent.Machine.Registration?.MachineName ?? ownName, StringComparison.OrdinalIgnoreCase);
        if (order.TargetFolder is null && !isOwn)
        {
            throw Missing($"Items of another machine, '{order.MachineName}', are to be recovered, and no folder to put them into was named.", "Name a folder: New-OBRecoveryOption -DestinationPath.");
        }

        if (order.TargetFolder is null && OperatingSystem.IsWindows())
        {
            throw new BackupException(
                BackupErrorId.NotAvailable,
                "On Windows this version recovers items into a folder, not to where they came from.",
                "Name a folder (New-OBRecoveryOption -DestinationPath), and move the items from there.");
        }

        if (order.Passphrase is null && order.Vault is { } vault && vault.Location != _agent.Machine.Registration?.VaultLocation)
        {
            throw Missing($"The vault '{vault}' is not this machine's, and no passphrase was given.", "Give the passphrase of the machine whose items are to be recovered.");
        }
    }

    private static BackupException Missing(string message, string action) => new(BackupErrorId.RecoveryOptionMissing, message, action);

    private Task<UnlockedVault> OpenEngineAsync(RecoveryOrder order, JobMonitor monitor, CancellationToken cancellationToken)
    {
        if (order.Passphrase is not { } passphrase)
        {
            return _agent.OpenEngineAsync(monitor, cancellationToken);
        }

        VaultAddress vault = order.Vault ?? _agent.Machine.Registration?.VaultLocation
            ?? throw Missing("No vault was named, and this machine is registered with none.", "Name the vault, or register the machine with Start-OBRegistration.");
        return _agent.OpenEngineAsync(vault, passphrase, monitor, cancellationToken);
    }

    private async Task<JobRecord> StartAsync(JobOrder order, IReadOnlyList<string> secrets, CancellationToken cancellationToken)
    {
        if (Running is { } other)
        {
            throw JobHistory.InProgress(other);
        }

        Guid id = JobHistory.NewId();
        _history.WriteFile(id, JobOrder.FileName, JsonSerializer.SerializeToUtf8Bytes(order, OrderJson.Default.JobOrder));
        string log = _history.FileOf(id, "log.txt");
        using Process process = JobHostProcess.Start(_options.JobHost, ["job", "run", id.ToString("D"), "--state", _state.Path], secrets, log);
        long start = _clock.GetTimestamp();
        while (true)
        {
            bool ended = process.HasExited;
            if (_history.Read(id) is { } job)
            {
                return job is { State: JobState.Failed, Error.Id: nameof(BackupErrorId.JobInProgress) } ? throw JobHistory.InProgress(Running) : job;
            }

            if (ended || _clock.GetElapsedTime(start) > _beginPatience)
            {
                throw await NotBegunAsync(process, ended, log, cancellationToken).ConfigureAwait(false);
            }

            await Task.Delay(_poll, _clock, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<BackupException> NotBegunAsync(Process process, bool ended, string log, CancellationToken cancellationToken)
    {
        string wrote = File.Exists(log) ? (await File.ReadAllTextAsync(log, cancellationToken).ConfigureAwait(false)).Trim() : "";
        return new BackupException(
            BackupErrorId.JobHostMissing,
            ended
                ? $"The program for background jobs, '{_options.JobHost}', ended with status {process.ExitCode} without beginning the job: {wrote}"
                : $"The program for background jobs, '{_options.JobHost}', has not begun the job for a minute; it still runs as process {process.Id}.",
            "See that it is executable, and run it by hand with --version to see what else it lacks; or run the job in the foreground.",
            _options.JobHost);
    }

    private JobOrder ReadOrder(Guid id)
    {
        string path = _history.FileOf(id, JobOrder.FileName);
        byte[]? content = _state.Read(path);
        if (content is null || _history.Read(id) is not null)
        {
            throw new BackupException(
                BackupErrorId.JobNotFound,
                $"No job {id} waits to be run: '{path}' does not exist, or was carried out.",
                "Start jobs with Start-OBBackup or Start-OBRecovery.",
                id.ToString());
        }

        return JobOrder.Decode(content, path);
    }
}
