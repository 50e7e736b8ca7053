using MSOnlineBackup.Agent.Installation;
using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Schedules.Others;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Schedules;

/// <summary>How a policy's schedule stands with the system's scheduler.</summary>
public enum ScheduleRegistration
{
    /// <summary>The scheduler runs it.</summary>
    Registered,

    /// <summary>It should be there, and is not.</summary>
    Missing,

    /// <summary>It is there, and switched off.</summary>
    Disabled,

    /// <summary>It is there, and is not what would be registered now.</summary>
    Changed,

    /// <summary>The policy is paused, or the machine belongs to no vault: nothing is to be there, and nothing is.</summary>
    Resting,

    /// <summary>Nothing is to be there, and something is.</summary>
    LeftOver,

    /// <summary>No scheduler of the system is used.</summary>
    NotUsed,
}

/// <summary>The schedule of a policy.</summary>
/// <param name="Policy">The policy's kind.</param>
/// <param name="Scheduler">What runs it; null for nothing that this agent knows.</param>
/// <param name="Registration">How it stands there.</param>
/// <param name="Place">Where it is kept; null for nowhere.</param>
/// <param name="Command">What is run, once an hour.</param>
/// <param name="NextRun">When a backup is due next, random delays not counted; null for never.</param>
public sealed record ScheduleStatus(
    PolicyKind Policy, string? Scheduler, ScheduleRegistration Registration, string? Place, IReadOnlyList<string> Command, DateTimeOffset? NextRun)
{
    /// <summary>Why whoever watches the vault could not be told what is expected now; null where they were, or nobody asked for it.</summary>
    public BackupException? Untold { get; init; }

    /// <summary>The minutes of the hour, by the machine's clock, at which the command has to be run.</summary>
    public IReadOnlyList<int> Minutes { get; init; } = [0];

    /// <summary>What people are told to have run where no scheduler of the system is used, and how often.</summary>
    public string Advice =>
        $"Have something run this {(Minutes.Count == 1 ? "each hour" : $"at the minutes {string.Join(", ", Minutes)} of each hour")}: {string.Join(' ', Command)}";
}

/// <summary>
/// The schedules of this machine: registered with the system's scheduler, which asks once an hour, at the minutes that the schedule needs, whether a backup is due.
/// </summary>
public sealed class AgentSchedules
{
    private readonly JobMachine _machine;
    private readonly ScheduleLedger _ledger;
    private readonly ISystemScheduler? _scheduler;
    private readonly IReadOnlyList<string> _program;
    private readonly ScheduleRunner _runner;
    private readonly ScheduleCheckup _checkup;

    internal AgentSchedules(JobMachine machine, AgentJobs jobs, ISystemScheduler? scheduler, IReadOnlyList<string>? program, ScheduleParts parts)
    {
        _machine = machine;
        _ledger = new ScheduleLedger(machine.State);
        _scheduler = scheduler;
        _program = program is { Count: > 0 } ? JobHostProcess.Line(program) : [];
        _runner = new ScheduleRunner(machine, jobs, _ledger, parts.Conditions);
        _checkup = new ScheduleCheckup(this, scheduler, parts.Commands, new SystemJobs(parts.CronPlaces ?? [], parts.Commands));
    }

    /// <summary>What people call the scheduler; null where none is used.</summary>
    public string? SchedulerName => _scheduler?.Name;

    /// <summary>The folder of the version that schedules name, where versions of the module lie side by side; null for the highest.</summary>
    internal string? VersionFolder { get; set; }

    /// <summary>The kinds of policies whose schedules there may be.</summary>
    public static IReadOnlyList<PolicyKind> Kinds { get; } = [.. PolicyScope.All.Select(scope => scope.Kind)];

    /// <summary>What a kind of policy is called on command lines.</summary>
    public static string NameOfKind(PolicyKind kind) => PolicyScope.Of(kind).Key;

    /// <summary>The kind of a name; null where there is none.</summary>
    public static PolicyKind? FindKind(string name) => PolicyScope.All.FirstOrDefault(scope => scope.Key == name)?.Kind;

    /// <summary>What is run for the schedule of a policy: a program, and arguments. It may be run at any time, by anybody who may read this machine's state.</summary>
    public IReadOnlyList<string> CommandOf(PolicyKind kind)
    {
        List<string> command = [.. _program.Select(part => ModulePlace.InUse(part, VersionFolder)), "schedule", "run", "--policy", PolicyScope.Of(kind).Key, "--state", _machine.State.Path, "--quiet"];
        if (_machine.Limits != PolicyLimits.Open)
        {
            command.AddRange(["--profile", _machine.Limits.Name]);
        }

        if (_machine.OwnName != Platform.Machine.HostName.Current)
        {
            command.AddRange(["--machine", _machine.OwnName]);
        }

        return command;
    }

    /// <summary>
    /// Brings the scheduler in line with the policy as it is saved: its schedule is registered; or nothing is, where it is paused or not there, or this machine belongs to no vault.
    /// </summary>
    /// <exception cref="BackupException">SchedulerUnavailable, ScheduleNotRegistered: the policy stays as it is, and nothing runs it.</exception>
    public async Task<ScheduleStatus> AlignAsync(PolicyKind kind, CancellationToken cancellationToken)
    {
        if (Wanted(kind) is not { } policy)
        {
            _ledger.End(kind);
            await RemoveAsync(kind, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            _ledger.Begin(policy, _machine.Clock.GetUtcNow());
            if (_scheduler is not null)
            {
                ScheduledTask task = TaskOf(policy);
                RequireAbsolute(task);
                await _scheduler.InstallAsync(task, cancellationToken).ConfigureAwait(false);
            }
        }

        return await FindAsync(kind, cancellationToken).ConfigureAwait(false) with { Untold = await new RunTeller(_machine).TellExpectationAsync(kind).ConfigureAwait(false) };
    }

    /// <summary>Takes what is registered for a kind of policy out of the scheduler, whatever the policy says.</summary>
    /// <exception cref="BackupException">ScheduleNotRegistered.</exception>
    public Task RemoveAsync(PolicyKind kind, CancellationToken cancellationToken) =>
        _scheduler?.RemoveAsync(NameOf(kind), cancellationToken) ?? Task.CompletedTask;

    /// <summary>How the schedule of a kind of policy stands.</summary>
    /// <exception cref="BackupException">SchedulerUnavailable, ScheduleNotRegistered, StateInvalid, StateAccessDenied.</exception>
    public async Task<ScheduleStatus> FindAsync(PolicyKind kind, CancellationToken cancellationToken)
    {
        BackupPolicy? policy = Wanted(kind);
        InstalledTask? installed = await FindInstalledAsync(kind, cancellationToken).ConfigureAwait(false);
        ScheduleRegistration registration = (_scheduler, policy, installed) switch
        {
            (null, _, _) => ScheduleRegistration.NotUsed,
            (_, null, null) => ScheduleRegistration.Resting,
            (_, null, _) => ScheduleRegistration.LeftOver,
            (_, _, null) => ScheduleRegistration.Missing,
            (_, _, { IsEnabled: false }) => ScheduleRegistration.Disabled,
            (_, _, { IsCurrent: false }) => ScheduleRegistration.Changed,
            _ => ScheduleRegistration.Registered,
        };
        return new ScheduleStatus(
            kind,
            _scheduler?.Name,
            registration,
            _scheduler?.PlaceOf(NameOf(kind)),
            CommandOf(kind),
            policy?.Schedule is { } schedule ? ScheduleMoments.Next(schedule, _machine.Clock.GetUtcNow(), _machine.Clock.LocalTimeZone) : null)
        {
            Minutes = policy is null ? [0] : TaskOf(policy).Minutes,
        };
    }

    /// <summary>Runs the backup that a policy's schedule wants now, if it wants one: what the system's scheduler has run.</summary>
    /// <param name="kind">The policy's kind.</param>
    /// <param name="progress">Told how a job stands.</param>
    /// <param name="cancellationToken">Stops it. What was due is then still due.</param>
    /// <exception cref="BackupException">PolicyNotFound, StateInvalid, StateAccessDenied; whatever a job fails with, whose record says so, too.</exception>
    public Task<ScheduledRun> RunAsync(PolicyKind kind, Action<JobRecord> progress, CancellationToken cancellationToken) =>
        _runner.RunAsync(kind, progress, cancellationToken);

    /// <summary>Looks for everything that would keep the schedules of this machine from running.</summary>
    /// <exception cref="BackupException">StateInvalid, StateAccessDenied.</exception>
    public Task<IReadOnlyList<ScheduleFinding>> TestAsync(CancellationToken cancellationToken) => _checkup.RunAsync(cancellationToken);

    /// <summary>Why the scheduler would run nothing; null where it would, or none is used.</summary>
    /// <exception cref="BackupException">SchedulerUnavailable.</exception>
    internal Task<string?> FindSchedulerFaultAsync(CancellationToken cancellationToken) => _scheduler?.FindFaultAsync(cancellationToken)
        ?? Task.FromResult<string?>(null);

    /// <summary>The task as the scheduler has it; null where it has none.</summary>
    internal async Task<InstalledTask?> FindInstalledAsync(PolicyKind kind, CancellationToken cancellationToken) =>
        _scheduler is null ? null : await _scheduler.FindAsync(TaskOf(Wanted(kind) ?? new BackupPolicy { Kind = kind }), cancellationToken).ConfigureAwait(false);

    /// <summary>What the scheduler has for a kind of policy, as text; null where it has nothing.</summary>
    internal async Task<string?> ReadInstalledAsync(PolicyKind kind, CancellationToken cancellationToken) =>
        _scheduler is null ? null : await _scheduler.ReadAsync(NameOf(kind), cancellationToken).ConfigureAwait(false);

    /// <summary>Where versions of the module lie side by side and schedules name one of them: that place; null for anything else.</summary>
    internal ModulePlace? FindPlace() => _program.Select(ModulePlace.Holding).FirstOrDefault(place => place is not null);

    /// <summary>Whether schedules name a version that lies side by side with the one in a folder.</summary>
    internal bool NamesVersionBeside(string folder) => FindPlace() is { } place && place.Root == ModulePlace.Of(folder).Root;

    /// <summary>The policy whose schedule is to run; null where none is.</summary>
    internal BackupPolicy? Wanted(PolicyKind kind) =>
        _machine.Policies.Get(kind) is { IsPaused: false, Schedule: not null } policy && _machine.Account is { Registration: not null, HasPassphrase: true } ? policy : null;

    private static void RequireAbsolute(ScheduledTask task)
    {
        string program = task.Command[0];
        if (!Path.IsPathFullyQualified(program) || !File.Exists(program))
        {
            throw new BackupException(
                BackupErrorId.ScheduleNotRegistered,
                $"The schedule is not registered: the program that it would run, '{program}', is not the absolute path of a file.",
                "Start PowerShell by its full path, or use 'obengine schedule install' with an installed obengine. The policy is saved.",
                program);
        }
    }

    private ScheduledTask TaskOf(BackupPolicy policy) => new(
        NameOf(policy.Kind),
        $"MSOnlineBackup: the backup by the policy for {PolicyScope.Of(policy.Kind).Label}, if it is due",
        CommandOf(policy.Kind),
        policy.Schedule is { } schedule ? ScheduleMoments.MinutesOfHour(schedule, _machine.Clock.GetUtcNow().Date, _machine.Clock.LocalTimeZone) : [0]);

    // Another state folder is another machine to the scheduler.
    private string NameOf(PolicyKind kind)
    {
        string name = $"msonlinebackup-{PolicyScope.Of(kind).Key}";
        return _machine.State.Path == StateFolder.Usual ? name : $"{name}-{ShortDigest.Of(_machine.State.Path)}";
    }
}
