using System.Globalization;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.Statuses;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Agent.Jobs;

/// <summary>
/// Tells whoever watches the vault how a run of this machine went, and when the next is expected. Whatever comes of it, the run is what it is: a failure to tell is a warning, and costs
/// half a minute at most.
/// </summary>
internal sealed class RunTeller(JobMachine machine)
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);

    // A run is over when its status comes: it may take twice as long as the last, and begin late.
    private static readonly TimeSpan _grace = TimeSpan.FromHours(2);

    /// <summary>Tells how a backup ended, by what its job has opened.</summary>
    /// <param name="statuses">Where to.</param>
    /// <param name="order">What was asked for.</param>
    /// <param name="record">How it ended.</param>
    /// <returns>A warning; null for none.</returns>
    public Task<BackupException?> TellAsync(StatusWriter statuses, BackupOrder order, JobRecord record) =>
        TryAsync(stop => statuses.WriteAsync(Describe(order, record), stop));

    /// <summary>Tells how the backup of a virtual machine ended. When the next is expected this machine's own status says, which tells of it too where it fails.</summary>
    /// <param name="statuses">Where to: those of the virtual machine.</param>
    /// <param name="run">How it ended.</param>
    /// <param name="record">The job.</param>
    /// <returns>A warning; null for none.</returns>
    public Task<BackupException?> TellAsync(StatusWriter statuses, SourceRun run, JobRecord record)
    {
        JobSourceStatus source = run.ToStatus();
        return TryAsync(stop => statuses.WriteAsync(
            new RunStatus
            {
                Machine = run.Name,
                AgentVersion = "",
                Policy = StatusNames.NoPolicy,
                Outcome = run.Point is not null ? RunOutcome.Completed : run.Failure is null ? RunOutcome.Aborted : RunOutcome.Failed,
                Job = record.Id,
                Point = run.Point?.SessionId,
                Started = record.Started.ToUniversalTime(),
                Ended = record.Ended?.ToUniversalTime(),
                Errors = run.Failure is { } failure ? [failure.Id.ToString()] : [],
                Files = source.Files,
                Bytes = source.Bytes,
            },
            stop));
    }

    /// <summary>Tells how a backup ended that did not come so far as to open the vault. Nothing where this machine has no way into it.</summary>
    /// <inheritdoc cref="TellAsync(StatusWriter, BackupOrder, JobRecord)"/>
    public Task<BackupException?> TellAsync(BackupOrder order, JobRecord record) =>
        !IsActivated ? Task.FromResult<BackupException?>(null) : TryAsync(stop => WriteAsync(Describe(order, record), null, stop));

    /// <summary>Tells what is expected now that a policy was saved, paused or removed.</summary>
    /// <inheritdoc cref="TellAsync(StatusWriter, BackupOrder, JobRecord)"/>
    public Task<BackupException?> TellExpectationAsync(PolicyKind kind)
    {
        if (!IsActivated)
        {
            return Task.FromResult<BackupException?>(null);
        }

        BackupPolicy? policy = machine.Policies.Get(kind);
        RunOutcome outcome = policy switch
        {
            { IsPaused: true } => RunOutcome.Paused,
            { Schedule: not null } => RunOutcome.Expected,
            _ => RunOutcome.Ended,
        };
        RunStatus status = Expecting(policy, new RunStatus { Machine = machine.Name, Policy = PolicyScope.Of(kind).Key, Outcome = outcome, AgentVersion = "" }, TimeSpan.Zero);
        return TryAsync(stop => WriteAsync(status, newest => IsNews(status, newest), stop));
    }

    private bool IsActivated => machine.Account is { Registration: not null, HasPassphrase: true };

    // What was said already is not said again, or each time that a policy is saved would put the next backup off.
    private static bool IsNews(RunStatus status, RunStatus? newest) => status.Outcome switch
    {
        RunOutcome.Expected => newest?.Next is null || newest.Next != status.Next || newest.IsPaused,
        RunOutcome.Paused => newest?.Outcome != RunOutcome.Paused,
        _ => newest is { Outcome: not RunOutcome.Ended },
    };

    private RunStatus Describe(BackupOrder order, JobRecord record)
    {
        BackupPolicy? policy = order.Only.Count > 0 ? null : machine.Policies.Get(order.Policy);

        // A workload's log is as long as there was to write: only files say whether a backup has shrunk.
        BackupPolicy? saved = machine.Policies.Get(order.Policy);
        HashSet<string> others = [.. (saved?.Workloads ?? []).Select(workload => workload.Name), .. (saved?.VirtualMachines ?? []).Select(each => each.Name)];
        List<JobSourceStatus> files = [.. record.Sources.Where(source => !others.Contains(source.Name))];
        IEnumerable<string> errors = new[] { record.Error }.Concat(record.Sources.Select(source => source.Error)).Concat(record.Warnings ?? []).OfType<JobError>().Select(error => error.Id);
        var status = new RunStatus
        {
            Machine = machine.Name,
            AgentVersion = "",
            Policy = order.Only.Count > 0 ? StatusNames.NoPolicy : PolicyScope.Of(order.Policy).Key,
            Outcome = record.State switch
            {
                JobState.Completed => RunOutcome.Completed,
                JobState.CompletedWithWarnings => RunOutcome.CompletedWithWarnings,
                JobState.Aborted => RunOutcome.Aborted,
                JobState.Skipped => RunOutcome.Skipped,
                _ => RunOutcome.Failed,
            },
            Job = record.Id,
            Point = record.RecoveryPointId,
            Started = record.Started.ToUniversalTime(),
            Ended = record.Ended?.ToUniversalTime(),
            Errors = [.. errors.Distinct().Take(RunStatus.MostErrors)],
            Files = files.Sum(source => source.Files),
            Bytes = files.Sum(source => source.Bytes),
            Skipped = record.Skipped,
        };
        TimeSpan took = record is { Ended: { } ended, State: not JobState.Skipped } && ended > record.Started ? ended - record.Started : TimeSpan.Zero;
        return Expecting(policy, status, took);
    }

    private RunStatus Expecting(BackupPolicy? policy, RunStatus status, TimeSpan took)
    {
        if (policy is not { Schedule: { } schedule, IsPaused: false })
        {
            return status with { IsPaused = policy?.IsPaused == true };
        }

        DateTimeOffset now = machine.Clock.GetUtcNow();
        TimeZoneInfo local = machine.Clock.LocalTimeZone;
        DateTimeOffset? next = ScheduleMoments.Next(schedule, now, local);
        TimeSpan grace = _grace + TimeSpan.FromMinutes(schedule.RandomDelayMinutes) + (2 * took);
        return status with
        {
            Next = next?.ToUniversalTime(),
            NextSeconds = next is { } moment ? Math.Min((long)(moment - now).TotalSeconds, StatusNames.LongestWait) : null,
            GraceSeconds = Math.Min((long)grace.TotalSeconds, StatusNames.LongestWait),
            Zone = schedule.UtcOffsetMinutes is { } minutes ? string.Create(CultureInfo.InvariantCulture, $"UTC{minutes:+0;-0} min") : schedule.TimeZone ?? local.Id,
        };
    }

    private async Task WriteAsync(RunStatus status, Func<RunStatus?, bool>? isNews, CancellationToken stop)
    {
        using UnlockedVault vault = await machine.Vaults.OpenAsync(new JobMonitor(), VaultPatience.Person, stop).ConfigureAwait(false);
        await vault.StatusesOf(machine.Name).WriteAsync(status, stop, isNews).ConfigureAwait(false);
    }

    private async Task<BackupException?> TryAsync(Func<CancellationToken, Task> tell)
    {
        using var limit = new CancellationTokenSource(_patience, machine.Clock);
        try
        {
            await tell(limit.Token).ConfigureAwait(false);
            return null;
        }
        catch (Exception e) when (e is BackupException || limit.IsCancellationRequested)
        {
            string why = e is BackupException known ? known.Message : string.Create(CultureInfo.InvariantCulture, $"The vault has not answered for {_patience.TotalSeconds:0} seconds.");
            return new BackupException(
                BackupErrorId.StatusNotWritten,
                $"Whoever watches the vault could not be told of this: {why}",
                "Nothing needs to be done, if the next run can tell. Until then 'obengine watch' may report this machine as late.",
                machine.Name,
                transient: true,
                innerException: e);
        }
    }
}
