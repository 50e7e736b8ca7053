using System.CommandLine;
using MSOnlineBackup.Agent;
using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Schedules;
using MSOnlineBackup.Host.Documents;

namespace MSOnlineBackup.Host.Commands;

/// <summary>For commands about the schedules of this machine's policies.</summary>
internal abstract class ScheduleCommand : HostCommand
{
    private readonly Option<string?> _policy;
    private readonly AgentSelection _agent;

    protected ScheduleCommand(string name, string summary, string example)
        : base(name, summary, example)
    {
        _policy = Value("--policy", "files|system-state", "Of which policy. Default: of all.");
        _agent = new AgentSelection(this);
    }

    protected BackupAgent Open(CommandContext context) => _agent.Open(context);

    /// <summary>The kinds of policies that are meant.</summary>
    protected IReadOnlyList<PolicyKind> Kinds(CommandContext context) => context.Get(_policy) is not { } name
        ? AgentSchedules.Kinds
        : AgentSchedules.FindKind(name) is { } kind
            ? [kind]
            : throw context.Invalid($"There is no kind of policy '{name}'.", "Use files or system-state.", name);

    protected static void Write(CommandContext context, ScheduleStatus status) => context.Renderer.Item(
        new ScheduleLine(AgentSchedules.NameOfKind(status.Policy), status.Scheduler, status.Registration, status.Place, status.Command, status.NextRun),
        line => $"{line.Policy,-12}  {line.Registration,-10}  {(line.NextRun is { } next ? $"next {context.LocalTime(next)}" : "-")}  {(line.Registration == ScheduleRegistration.NotUsed ? string.Join(' ', line.Command) : line.Place)}");

    protected static Outcome Count(string command, IReadOnlyCollection<ScheduleStatus> statuses)
    {
        bool runs = !statuses.Any(status => status.Registration is ScheduleRegistration.Missing or ScheduleRegistration.Disabled or ScheduleRegistration.Changed);
        return new Outcome(
            new ListSummary(command, statuses.Count) { ExitCode = (int)(runs ? ExitCode.Success : ExitCode.Failed) },
            runs ? "" : "A schedule is not registered as it should be: 'obengine schedule install' registers it.");
    }
}

/// <summary><c>schedule install</c> and <c>schedule show</c>: both say how each schedule stands, and the first puts it right before.</summary>
/// <param name="name">The command's name.</param>
/// <param name="summary">What it does.</param>
/// <param name="example">How it is used.</param>
/// <param name="find">From the schedules and a kind of policy to how that one stands.</param>
internal sealed class ScheduleStatusCommand(
    string name, string summary, string example, Func<AgentSchedules, PolicyKind, CancellationToken, Task<ScheduleStatus>> find) : ScheduleCommand(name, summary, example)
{
    public const string HelpExample = "obengine schedule install --policy files";

    public static ScheduleStatusCommand Install() => new(
        "install",
        "Register the schedules of this machine's policies with the system's scheduler; of a policy that is paused, or not there, nothing stays registered.",
        HelpExample,
        (schedules, kind, stop) => schedules.AlignAsync(kind, stop));

    public static ScheduleStatusCommand Show() => new(
        "show",
        "Show how the schedules of this machine's policies stand with the system's scheduler, and when a backup is due next.",
        "obengine schedule show --json",
        (schedules, kind, stop) => schedules.FindAsync(kind, stop));

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        BackupAgent agent = Open(context);
        var statuses = new List<ScheduleStatus>();
        foreach (PolicyKind kind in Kinds(context))
        {
            statuses.Add(await find(agent.Schedules, kind, context.Stop).ConfigureAwait(false));
            Write(context, statuses[^1]);
            if (statuses[^1].Untold is { } untold)
            {
                context.Renderer.Note($"{untold.Message} {untold.RecommendedAction}");
            }
        }

        return Count($"schedule {Name}", statuses);
    }
}

/// <summary><c>schedule remove</c>.</summary>
internal sealed class ScheduleRemoveCommand : ScheduleCommand
{
    public ScheduleRemoveCommand()
        : base("remove", "Take the schedules of this machine's policies out of the system's scheduler. The policies stay.", "obengine schedule remove --policy files")
    {
    }

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        BackupAgent agent = Open(context);
        IReadOnlyList<PolicyKind> kinds = Kinds(context);
        foreach (PolicyKind kind in kinds)
        {
            await agent.Schedules.RemoveAsync(kind, context.Stop).ConfigureAwait(false);
        }

        return new Outcome(new ListSummary("schedule remove", kinds.Count), "No schedule of this machine is registered any more.");
    }
}

/// <summary><c>schedule run</c>: what the system's scheduler runs.</summary>
internal sealed class ScheduleRunCommand : ScheduleCommand
{
    public ScheduleRunCommand()
        : base(
            "run",
            "Make the backup that a policy's schedule wants now, if it wants one. The system's scheduler runs this once an hour; it may be run at any time.",
            "obengine schedule run --policy files --quiet")
    {
    }

    public override bool IsJob => true;

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        BackupAgent agent = Open(context);
        IReadOnlyList<PolicyKind> kinds = Kinds(context);
        if (kinds is not [var kind])
        {
            throw context.Invalid("It is not said by which policy.", "Add --policy files or --policy system-state.");
        }

        try
        {
            return Describe(context, await agent.Schedules.RunAsync(kind, _ => { }, context.Stop).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (!context.Stop.IsCancellationRequested)
        {
            // Stopped by a wish of which this process's signals know nothing.
            return new Outcome(new ScheduleRunSummary(ScheduledOutcome.Ran, null, null, JobState.Aborted, null) { ExitCode = (int)ExitCode.Stopped }, "The backup was stopped.");
        }
    }

    private static Outcome Describe(CommandContext context, ScheduledRun run)
    {
        if (run.Stopped is { } stopped)
        {
            // Also where only errors are told: cron mails it.
            context.Renderer.Warn(stopped);
        }

        ExitCode code = run switch
        {
            { Stopped: not null } => ExitCode.BackupsStopped,
            { Outcome: ScheduledOutcome.Busy } => ExitCode.Busy,
            { Job: { State: JobState.CompletedWithWarnings, Error: not null } } => ExitCode.SourceLost,
            { Job.State: JobState.CompletedWithWarnings } => ExitCode.CompletedWithSkips,
            _ => ExitCode.Success,
        };
        string due = run.Due is { } moment ? $" of {context.LocalTime(moment)}" : "";
        string text = run.Outcome switch
        {
            ScheduledOutcome.NotDue => "No backup is due.",
            ScheduledOutcome.Ran => $"The backup{due}: {run.Job!.State} (job {run.Job.Id}).",
            _ when run.Stopped is not null => $"No backup{due} was made.",
            _ => $"No backup{due} was made: {run.Reason}",
        };
        return new Outcome(new ScheduleRunSummary(run.Outcome, run.Due, run.Job?.Id, run.Job?.State, run.Reason) { ExitCode = (int)code }, text);
    }
}
