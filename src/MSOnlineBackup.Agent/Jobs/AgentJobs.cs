using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Agent.Jobs;

/// <summary>
/// The jobs of this machine. One runs at a time, here or in a process of its own; each leaves a record. Whoever asks for a job in
/// the foreground gets its failure as an exception too; of one in the background only the record tells.
/// </summary>
public sealed class AgentJobs
{
    private static readonly TimeSpan _poll = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan _stopPatience = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan _punctual = TimeSpan.FromHours(1);

    private readonly JobMachine _machine;
    private readonly JobHistory _history;
    private readonly BackgroundStart _background;

    internal AgentJobs(JobMachine machine, IReadOnlyList<string>? program)
    {
        _machine = machine;
        _history = new JobHistory(machine.State, machine.Clock) { Settled = record => ReportEnd(record) };
        _background = new BackgroundStart(machine, _history, program);
    }

    /// <summary>The job that is running; null where none is.</summary>
    public JobRecord? Running => _history.Running;

    /// <summary>
    /// Takes, for a program that backs up by itself, the right to run a job of this machine: of jobs of the module and of others one runs at a time.
    /// Null where this account has no machine that is registered with that vault, in that place, under that name: nobody is in the way then. A twin of the vault in another place is
    /// not what it is registered with.
    /// </summary>
    /// <param name="vault">The vault.</param>
    /// <param name="machineName">The name under which is backed up.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">JobInProgress.</exception>
    public static async Task<IDisposable?> TryHoldAsync(Vault vault, string machineName, TimeProvider clock, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        ArgumentException.ThrowIfNullOrEmpty(machineName);
        var state = new StateFolder(chosen: null);
        MachineRegistration? registration;
        try
        {
            registration = MachineAccount.ReadRegistration(state);
        }
        catch (BackupException e) when (e.Id is BackupErrorId.StateAccessDenied or BackupErrorId.StateInvalid)
        {
            // No job of the module runs by a state that cannot be read.
            return null;
        }

        return registration is not null
            && registration.VaultId == vault.VaultId
            && string.Equals(registration.MachineName, machineName, StringComparison.OrdinalIgnoreCase)
            && await IsInPlaceAsync(registration.VaultLocation, vault, cancellationToken).ConfigureAwait(false)
            ? await new JobHistory(state, clock).LockAsync(cancellationToken).ConfigureAwait(false)
            : null;
    }

    // Twins have the vault's id. A folder has many names, so what lies in it is asked; of a container the URL tells.
    private static async Task<bool> IsInPlaceAsync(VaultAddress registered, Vault vault, CancellationToken cancellationToken)
    {
        VaultAddress place = vault.Location;
        if (registered.IsRemote || place.IsRemote)
        {
            return string.Equals(registered.Location.TrimEnd('/'), place.Location.TrimEnd('/'), StringComparison.OrdinalIgnoreCase);
        }

        try
        {
            return (await VaultHeader.ReadAsync(new FolderVaultStore(registered.Location), cancellationToken).ConfigureAwait(false)).Copy == vault.CopyId;
        }
        catch (BackupException)
        {
            // Nobody can tell; then the jobs of this machine come one after the other.
            return true;
        }
    }

    /// <summary>Keeps jobs from beginning.</summary>
    /// <exception cref="BackupException">JobInProgress.</exception>
    internal Task<IDisposable> LockAsync(CancellationToken cancellationToken) => _history.LockAsync(cancellationToken);

    /// <summary>Runs a job to its end. Its record says how it ended; a failure is also thrown.</summary>
    /// <param name="order">What.</param>
    /// <param name="progress">Told of every change, several times a second, from any thread. It must return quickly, and not throw.</param>
    /// <param name="cancellationToken">Stops in order: the record says Aborted, and OperationCanceledException is thrown.</param>
    /// <exception cref="BackupException">JobInProgress, PolicyNotFound, PolicyIncomplete, RecoveryOptionMissing, NotAvailable: nothing was begun, and there
    /// is no record. Others: the job failed, and its record says so.</exception>
    public Task<JobRecord> RunAsync(JobOrder order, Action<JobRecord> progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(order);
        return RunAsync(JobHistory.NewId(), order, _machine, progress, cancellationToken);
    }

    /// <summary>Has a process of its own run a job; returns as soon as that has begun. It goes on when this process ends.</summary>
    /// <exception cref="BackupException">JobInProgress, JobHostMissing, PolicyNotFound, RecoveryOptionMissing, …: nothing was begun.</exception>
    public Task<JobRecord> StartAsync(JobOrder order, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(order);
        order.Check(_machine);
        return _background.StartAsync(order, cancellationToken);
    }

    /// <summary>Runs, in this process, a job that another one has started in the background: what the program for such jobs does.</summary>
    /// <param name="id">The job.</param>
    /// <param name="readSecret">Reads the next line that the starter hands over; called only where it does.</param>
    /// <param name="cancellationToken">Stops it in order.</param>
    /// <exception cref="BackupException">JobNotFound: there is no order of this id that was not carried out yet; StateInvalid, NotAvailable: the order cannot
    /// be carried out by this version. Others: the job failed; its record says so.</exception>
    public async Task<JobRecord> RunStartedAsync(Guid id, Func<CancellationToken, Task<string?>> readSecret, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(readSecret);
        JobOrderFile file = _background.ReadOrder(id);
        JobHostProcess.LeaveTerminal();
        DateTimeOffset started = _machine.Clock.GetUtcNow();
        try
        {
            var secrets = new List<JobSecret>();
            foreach (string name in file.Secrets)
            {
                if (await readSecret(cancellationToken).ConfigureAwait(false) is { } value)
                {
                    secrets.Add(new JobSecret(name, value));
                }
            }

            JobMachine machine = _machine with { Limits = PolicyLimits.Find(file.Limits)!, OwnName = file.MachineName };
            return await RunAsync(id, file.Order.WithSecrets(secrets), machine, _ => { }, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (_history.Read(id) is null)
        {
            await RecordAsNotBegunAsync(id, file.Order, started, e).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Runs the backup that a schedule wants. One that fails before it begins has a record, too, unless another job is in the way: nobody looks on.</summary>
    /// <exception cref="BackupException">JobInProgress: there is no record, and it may be tried again. Others: the job failed, and its record says so.</exception>
    internal async Task<JobRecord> RunScheduledAsync(BackupOrder order, Action<JobRecord> progress, CancellationToken cancellationToken)
    {
        Guid id = JobHistory.NewId();
        DateTimeOffset started = _machine.Clock.GetUtcNow();
        try
        {
            return await RunAsync(id, order with { IsScheduled = true }, _machine, progress, cancellationToken, isScheduled: true).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not BackupException { Id: BackupErrorId.JobInProgress } && _history.Read(id) is null)
        {
            await RecordAsNotBegunAsync(id, order, started, e).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Puts on record that a backup which a schedule wanted was not made.</summary>
    /// <param name="policy">Whose schedule.</param>
    /// <param name="due">When it wanted it: what the record has for its beginning.</param>
    /// <param name="why">Why not.</param>
    /// <param name="tells">Whether whoever watches the vault is told as well.</param>
    internal async Task RecordSkippedAsync(BackupPolicy policy, DateTimeOffset due, BackupException why, bool tells)
    {
        DateTimeOffset now = _machine.Clock.GetUtcNow();
        JobError error = JobError.Of(why);
        IEnumerable<string> sources = PolicyScope.Of(policy.Kind).SourceName is { } whole
            ? [whole]
            : policy.Files.Where(file => !file.Exclude).Select(file => file.Path).Concat(policy.Workloads.Select(workload => workload.Name)).Concat(policy.VirtualMachines.Select(each => each.Name));
        await WriteToldAsync(tells ? new BackupOrder { Policy = policy.Kind } : null, new JobRecord
        {
            Id = JobHistory.NewId(),
            Kind = JobKind.Backup,
            State = JobState.Skipped,
            Phase = JobPhase.Finished,
            Started = due,
            Ended = now,
            Heartbeat = now,
            ProcessId = Environment.ProcessId,
            Error = error,
            Sources = [.. sources.Select(source => new JobSourceStatus(source, JobState.Skipped, 0, 0, 0, 0, 0, 0, error))],
        }).ConfigureAwait(false);
    }

    // Nobody but the record can tell why it did not begin.
    private Task RecordAsNotBegunAsync(Guid id, JobOrder order, DateTimeOffset started, Exception e)
    {
        DateTimeOffset now = _machine.Clock.GetUtcNow();
        bool stopped = e is OperationCanceledException;
        var record = new JobRecord
        {
            Id = id,
            Kind = order.Kind,
            State = JobState.InProgress,
            Started = started,
            Heartbeat = now,
            ProcessId = Environment.ProcessId,
        };
        // That another job is in the way says nothing about backups.
        return WriteToldAsync(e is BackupException { Id: BackupErrorId.JobInProgress } ? null : order as BackupOrder, record.EndedAs(stopped ? JobState.Aborted : JobState.Failed, stopped ? null : JobError.Of(e), now));
    }

    // Of a job that did not begin. The record first: it is there, whatever becomes of the rest.
    private async Task WriteToldAsync(BackupOrder? order, JobRecord record)
    {
        _history.Write(record);
        if (order is not null && await new RunTeller(_machine).TellAsync(order, record).ConfigureAwait(false) is { } untold)
        {
            record = record with { Warnings = [JobError.Of(untold)] };
            _history.Write(record);
        }

        ReportEnd(record);
    }

    // Of one whose process has ended without a word, too.
    private void ReportEnd(JobRecord record)
    {
        using var reporter = new JobReporter(_history.OpenLog(record.Id), _machine.Observers);
        if (reporter.Ended(record) is { Count: > 0 } untold)
        {
            _history.Write(record with { Warnings = [.. record.Warnings ?? [], .. untold.Select(JobError.Of)] });
        }
    }

    /// <summary>Stops a job in order, in whatever process it runs, and returns when it has ended. One that has ended is returned as it is.</summary>
    /// <exception cref="BackupException">JobNotFound; StateAccessDenied; JobInProgress: it has not ended for ten minutes.</exception>
    public async Task<JobRecord> StopAsync(Guid id, CancellationToken cancellationToken)
    {
        long start = _machine.Clock.GetTimestamp();
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

            if (_machine.Clock.GetElapsedTime(start) > _stopPatience)
            {
                throw new BackupException(
                    BackupErrorId.JobInProgress,
                    $"The job {id} was asked to stop but has not ended; process {job.ProcessId} is still in the phase {job.Phase}.",
                    $"Wait for it, or end process {job.ProcessId}: what has arrived in the vault stays usable.",
                    id.ToString(),
                    transient: true);
            }

            await Task.Delay(_poll, _machine.Clock, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>All jobs that are on record, oldest first.</summary>
    public IReadOnlyList<JobRecord> List() => _history.List();

    /// <summary>One job.</summary>
    /// <exception cref="BackupException">JobNotFound.</exception>
    public JobRecord Get(Guid id) => _history.Get(id);

    /// <summary>What a job skipped, and why: the first ten thousand items.</summary>
    /// <exception cref="BackupException">JobNotFound.</exception>
    public IReadOnlyList<SkippedItem> ListSkipped(Guid id) => _history.ReadSkipped(Get(id).Id);

    /// <summary>What a job did, line by line: it is there while it runs, too, and goes with its record.</summary>
    /// <exception cref="BackupException">JobNotFound, StateAccessDenied.</exception>
    public IReadOnlyList<JobLogEntry> ReadLog(Guid id) => _history.ReadLog(Get(id).Id);

    /// <summary>The newest backup of a kind that has ended, one that was skipped not counted; null where there is none.</summary>
    public JobRecord? LastBackup(PolicyKind kind) => List().LastOrDefault(job => job.State is not (JobState.InProgress or JobState.Skipped) && IsOf(job, kind));

    /// <summary>Whether something runs the schedule of a policy: a backup began within the hour after the schedule's last moment.</summary>
    /// <param name="policy">A saved policy.</param>
    public bool RunsBySchedule(BackupPolicy policy)
    {
        ArgumentNullException.ThrowIfNull(policy);
        TimeProvider clock = _machine.Clock;
        return policy.Schedule is { } schedule
            && ScheduleMoments.Last(schedule, clock.GetUtcNow(), clock.LocalTimeZone) is { } due
            && List().Any(job => IsOf(job, policy.Kind) && job.Started >= due && job.Started < due + _punctual);
    }

    private static bool IsOf(JobRecord job, PolicyKind kind) =>
        job.Kind == JobKind.Backup && PolicyScope.OfSources(job.Sources.Select(source => source.Name)).Kind == kind;

    private async Task<JobRecord> RunAsync(
        Guid id, JobOrder order, JobMachine machine, Action<JobRecord> progress, CancellationToken cancellationToken, bool isScheduled = false)
    {
        JobPlan plan = order.Prepare(machine) with { Settings = JobLogSettings.Of(order, machine) };
        var runner = new JobRunner(_history, machine.Clock, () => machine.Account.Bandwidth?.Limit, machine.Observers);
        (RunPings? pings, BackupException? fault) = order is BackupOrder ? RunPings.Find(machine, id) : default;
        if (pings is null && fault is null)
        {
            return await runner.RunAsync(id, order.Kind, plan, progress, cancellationToken, isScheduled).ConfigureAwait(false);
        }

        bool hasBegun = false;
        JobPlan pinged = plan with
        {
            RunAsync = async (work, stop) =>
            {
                hasBegun = true;
                foreach (BackupException warning in pings is null ? [fault!] : await pings.StartAsync().ConfigureAwait(false))
                {
                    work.Warn(warning);
                }

                await plan.RunAsync(work, stop).ConfigureAwait(false);
            },
        };
        try
        {
            return await runner.RunAsync(id, order.Kind, pinged, progress, cancellationToken, isScheduled).ConfigureAwait(false);
        }
        finally
        {
            // Whatever came of it stands in its record.
            if (hasBegun && pings is not null && _history.Read(id) is { } ended)
            {
                IReadOnlyList<BackupException> warnings = await pings.EndAsync(ended).ConfigureAwait(false);
                if (warnings.Count > 0)
                {
                    _history.Write(ended with { Warnings = [.. ended.Warnings ?? [], .. warnings.Select(JobError.Of)] });
                }
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
            throw _machine.State.Denied(e);
        }
    }
}
