using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Health;

/// <summary>Whether something is protected, and was.</summary>
internal sealed class PolicyChecks(JobMachine machine, AgentJobs jobs)
{
    // A day more than a schedule wants: the machine may have been off.
    private static readonly TimeSpan _late = TimeSpan.FromDays(1);

    /// <summary>All of it. The state of this machine can be read.</summary>
    public IEnumerable<HealthFinding> Run()
    {
        List<BackupPolicy> policies = [.. machine.Policies.List()];
        yield return CheckPolicies(policies);
        yield return CheckSources(policies);
        yield return CheckLastBackup(policies);
    }

    /// <summary>How much the last backup protected, in bytes; 0 where there was none.</summary>
    public long MeasureProtected() => LastBackup(record => record.State is JobState.Completed or JobState.CompletedWithWarnings)?.Sources.Sum(
        source => source.TotalBytes) ?? 0;

    private static HealthFinding CheckPolicies(List<BackupPolicy> policies) =>
        policies.Count == 0 ? HealthFinding.Warning(
            HealthCheck.Policy, "There is no policy: nothing is backed up by a schedule.", "Make one with New-OBPolicy, and save it with Set-OBPolicy.")
        : policies.Find(policy => policy.IsPaused) is { } paused ? HealthFinding.Warning(
            HealthCheck.Policy,
            $"The policy for {PolicyScope.Of(paused.Kind).Label} is paused: its schedule does not run.",
            "Resume it: Get-OBPolicy | Set-OBPolicyState -State Valid.")
        : HealthFinding.Pass(HealthCheck.Policy,
            $"There is a policy for {string.Join(" and ", policies.Select(policy => PolicyScope.Of(policy.Kind).Label))}.");

    private HealthFinding CheckSources(List<BackupPolicy> policies)
    {
        List<BackupPolicy> named = [.. policies.Where(policy => PolicyScope.Of(policy.Kind).NamesFiles)];
        if (named.Count == 0)
        {
            return HealthFinding.NotApplicable(HealthCheck.Sources, "No policy names folders or files.");
        }

        try
        {
            named.ForEach(policy => policy.RequireSources());
            return named.SelectMany(policy => PolicyDoubts.OfSources(policy, machine.RulesFor(policy.Kind))).FirstOrDefault() is { } doubt
                ? HealthFinding.Warning(HealthCheck.Sources, doubt, "Take it out of the policy (Remove-OBFileSpec, Set-OBPolicy) unless it is meant.")
                : HealthFinding.Pass(HealthCheck.Sources, "Everything that the policy names is there.");
        }
        catch (BackupException e)
        {
            return HealthFinding.Fail(HealthCheck.Sources, e.Message, e.RecommendedAction);
        }
    }

    private HealthFinding CheckLastBackup(List<BackupPolicy> policies)
    {
        if (LastBackup(record => record.State != JobState.InProgress) is not { } last)
        {
            return policies.Count == 0
                ? HealthFinding.NotApplicable(HealthCheck.LastBackup, "There is no policy.")
                : HealthFinding.Warning(HealthCheck.LastBackup, "No backup is on record yet.", "Run Start-OBBackup, and see that it completes.");
        }

        string what = $"The last backup, of {last.Started.UtcDateTime:u},";
        JobError? error = last.Error ?? (last.Warnings is [var first, ..] ? first : null);
        string why = error is null ? "" : $" {error.Message}";
        string fix = error?.RecommendedAction ?? "Get-OBSkippedItem lists what was skipped, and why.";
        return last.State switch
        {
            JobState.Failed => HealthFinding.Fail(HealthCheck.LastBackup, $"{what} failed.{why}", fix),
            JobState.Completed when FindLate(policies, last) is { } due => HealthFinding.Fail(
                HealthCheck.LastBackup,
                $"{what} was the last one, though one was due at {due.UtcDateTime:u}.",
                "See that the schedule runs (Test-OBSchedule) and the machine is on at its times; until then run Start-OBBackup."),
            JobState.Completed => HealthFinding.Pass(HealthCheck.LastBackup, $"{what} completed."),
            JobState.CompletedWithWarnings => HealthFinding.Warning(HealthCheck.LastBackup, $"{what} completed without {last.Skipped:N0} items.{why}", fix),
            JobState.Skipped => HealthFinding.Warning(HealthCheck.LastBackup, $"{what} was skipped.{why}", fix),
            _ => HealthFinding.Warning(HealthCheck.LastBackup, $"{what} was stopped.", "Run Start-OBBackup; it goes on from what had arrived."),
        };
    }

    private DateTimeOffset? FindLate(List<BackupPolicy> policies, JobRecord last)
    {
        BackupSchedule? schedule = policies.Find(policy => policy is { IsPaused: false, Schedule: not null })?.Schedule;
        return schedule is not null && ScheduleMoments.Next(schedule, last.Started, machine.Clock.LocalTimeZone) is { } due
            && due + _late < machine.Clock.GetUtcNow() ? due : null;
    }

    private JobRecord? LastBackup(Func<JobRecord, bool> isMeant) => jobs.List().Where(record => record.Kind == JobKind.Backup && isMeant(record)).MaxBy(
        record => record.Started);
}
