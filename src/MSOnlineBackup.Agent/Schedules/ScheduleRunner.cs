using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Schedules;

/// <summary>What came of asking a schedule.</summary>
public enum ScheduledOutcome
{
    /// <summary>Nothing was due.</summary>
    NotDue,

    /// <summary>A backup was made; its job says how it went.</summary>
    Ran,

    /// <summary>The policy is paused.</summary>
    Paused,

    /// <summary>What was due was put on record as skipped.</summary>
    Skipped,

    /// <summary>What is due waits, for the mains or for another network.</summary>
    Waiting,

    /// <summary>Another job is in progress; what is due is still due.</summary>
    Busy,
}

/// <summary>What came of asking a schedule.</summary>
/// <param name="Outcome">That.</param>
/// <param name="Due">The moment that it is about; null for none.</param>
/// <param name="Job">The job that ran; null for none.</param>
/// <param name="Reason">Why nothing ran; null where nothing was due, or it did.</param>
public sealed record ScheduledRun(ScheduledOutcome Outcome, DateTimeOffset? Due = null, JobRecord? Job = null, string? Reason = null)
{
    /// <summary>Why nothing is backed up until somebody sees to it: the subscription, contact that is lost, a registration that is not complete; null where it is.</summary>
    public BackupException? Stopped { get; init; }
}

/// <summary>Decides whether a schedule wants a backup now, and runs it.</summary>
internal sealed class ScheduleRunner(JobMachine machine, AgentJobs jobs, ScheduleLedger ledger, IMachineConditions conditions)
{
    // A machine that sleeps meanwhile, or whose clock is set, must not wait for long.
    private static readonly TimeSpan _longestNap = TimeSpan.FromMinutes(1);

    public async Task<ScheduledRun> RunAsync(PolicyKind kind, Action<JobRecord> progress, CancellationToken cancellationToken)
    {
        // Whoever else asks meanwhile leaves at once: this one waits for the moment, or runs the backup.
        using IDisposable? held = machine.State.TryLock($"schedule-{PolicyScope.Of(kind).Key}.lock");
        if (held is null)
        {
            return new ScheduledRun(ScheduledOutcome.Busy, Reason: "Another process sees to this schedule now.");
        }

        while (true)
        {
            // Read each time: it may be paused while this waits.
            BackupPolicy policy = machine.Policies.Require(kind);
            if (policy.IsPaused || policy.Schedule is not { } schedule)
            {
                return new ScheduledRun(ScheduledOutcome.Paused, Reason: "The policy is paused.");
            }

            DateTimeOffset now = machine.Clock.GetUtcNow();
            TimeZoneInfo local = machine.Clock.LocalTimeZone;
            ScheduleProgress handled = ledger.Read(policy, now, local);
            ScheduleDecision decision = Decide(new ScheduleConditions());
            if (decision is { Due: null, Skips: [] })
            {
                // As a rule; for that, neither the vault nor the machine is asked how things stand.
                return new ScheduledRun(ScheduledOutcome.NotDue);
            }

            decision = Decide(await FindConditionsAsync(schedule, cancellationToken).ConfigureAwait(false));
            foreach (SkippedMoment skip in decision.Skips)
            {
                // One word is enough for whoever watches.
                await jobs.RecordSkippedAsync(policy, skip.Due, skip.Why, tells: skip == decision.Skips[^1]).ConfigureAwait(false);
                ledger.Write(policy, AfterSkip(handled, schedule, skip));
            }

            if (decision.Due is not { } due)
            {
                return decision.Skips is [.., var last]
                    ? new ScheduledRun(ScheduledOutcome.Skipped, last.Due, Reason: last.Why.Message) { Stopped = IsObstacle(last.Why) ? last.Why : null }
                    : new ScheduledRun(ScheduledOutcome.NotDue);
            }

            if (decision.Begin > now)
            {
                TimeSpan left = decision.Begin - now;
                await Task.Delay(left < _longestNap ? left : _longestNap, machine.Clock, cancellationToken).ConfigureAwait(false);
                continue;
            }

            if (decision.Hindrance is { } hindrance)
            {
                return new ScheduledRun(ScheduledOutcome.Waiting, due, Reason: $"The backup waits: {hindrance}.");
            }

            try
            {
                return await BackUpAsync(policy, due, handled.Until, progress, cancellationToken).ConfigureAwait(false);
            }
            catch (BackupException e) when (BackupOrder.IsStopped(e))
            {
                // The job's own record says so of its moment. Those before it, for which it stood as well, were not begun either.
                foreach (SkippedMoment skip in Decide(new ScheduleConditions(e)).Skips.Where(skip => skip.Due != due))
                {
                    await jobs.RecordSkippedAsync(policy, skip.Due, skip.Why, tells: false).ConfigureAwait(false);
                }

                ledger.Write(policy, AfterSkip(handled, schedule, new SkippedMoment(due, e)));
                return new ScheduledRun(ScheduledOutcome.Skipped, due, Reason: e.Message) { Stopped = e };
            }

            ScheduleDecision Decide(ScheduleConditions conditions) => ScheduleDecision.Of(schedule, handled, now, local, $"{machine.Name}|{policy.Id}", conditions);
        }
    }

    // And not a moment that was missed, which the schedule has chosen to pass over.
    private static bool IsObstacle(BackupException why) => BackupOrder.IsStopped(why) || why.Id is BackupErrorId.MachineNotRegistered or BackupErrorId.MachineNotActivated;

    // What backups that were stopped leave owing is made up for only where the schedule says so.
    private static ScheduleProgress AfterSkip(ScheduleProgress handled, BackupSchedule schedule, SkippedMoment skip) => new(
        skip.Due > handled.Until ? skip.Due : handled.Until,
        schedule.CatchesUpStops && BackupOrder.IsStopped(skip.Why) ? skip.Due : handled.Owed);

    private async Task<ScheduledRun> BackUpAsync(
        BackupPolicy policy, DateTimeOffset due, DateTimeOffset handled, Action<JobRecord> progress, CancellationToken cancellationToken)
    {
        try
        {
            JobRecord job = await jobs.RunScheduledAsync(new BackupOrder { Policy = policy.Kind }, progress, cancellationToken).ConfigureAwait(false);
            Settle();
            return new ScheduledRun(ScheduledOutcome.Ran, due, job);
        }
        catch (BackupException e) when (e.Id == BackupErrorId.JobInProgress)
        {
            return new ScheduledRun(ScheduledOutcome.Busy, due, Reason: e.Message);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested && !BackupOrder.IsStopped(e))
        {
            // It has its record, failed or stopped by somebody. Where this process is told to end, as when the machine is shut down, it is made up for.
            Settle();
            throw;
        }

        // What is owed was due earlier, and is paid with it.
        void Settle() => ledger.Write(policy, new ScheduleProgress(due > handled ? due : handled));
    }

    private async Task<ScheduleConditions> FindConditionsAsync(BackupSchedule schedule, CancellationToken cancellationToken)
    {
        BackupException? obstacle = null;
        try
        {
            machine.Account.RequireActivated();
        }
        catch (BackupException e) when (e.Id is BackupErrorId.MachineNotRegistered or BackupErrorId.MachineNotActivated)
        {
            obstacle = e;
        }

        obstacle ??= await machine.Contact.FindObstacleAsync(cancellationToken).ConfigureAwait(false);

        string? hindrance =
            schedule.NotOnBattery && await conditions.IsOnBatteryAsync(cancellationToken).ConfigureAwait(false) ? "the machine runs on its battery"
            : schedule.NotOnMetered && await conditions.IsMeteredAsync(cancellationToken).ConfigureAwait(false) ? "the network is metered"
            : null;
        return new ScheduleConditions(obstacle, hindrance);
    }
}
