using System.CommandLine;
using MSOnlineBackup.Agent.Sinks;
using MSOnlineBackup.Agent.Watching;
using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Host.Rendering;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Host.Commands;

/// <summary><c>alarm set</c>.</summary>
internal sealed class AlarmSetCommand : HostCommand
{
    public const string HelpExample = "obengine alarm set alarms.json";

    private readonly Argument<string> _file;
    private readonly AgentSelection _agent;

    public AlarmSetCommand()
        : base("set", "Say where alarms go: mail, web addresses, checks, programs. The file is kept sealed in this machine's state, and may then be deleted.", HelpExample)
    {
        _file = Required("FILE", "JSON, as docs/operations.md describes it.");
        _agent = new AgentSelection(this);
    }

    public override Task<Outcome> RunAsync(CommandContext context)
    {
        string file = Path.GetFullPath(context.Get(_file));
        var settings = AlarmSettings.ReadFile(file);
        _agent.Open(context).Alarms.Set(settings);
        return Task.FromResult(new Outcome(
            new ListSummary("alarm set", settings.Sinks.Count), $"Alarms go to {Quantity.Count(settings.Sinks.Count, "place")}: 'obengine alarm test' tries them. '{file}' is not needed any more."));
    }
}

/// <summary><c>alarm show</c>.</summary>
internal sealed class AlarmShowCommand : HostCommand
{
    private readonly AgentSelection _agent;

    public AlarmShowCommand()
        : base("show", "List where alarms go, without passwords and addresses.", "obengine alarm show --json") => _agent = new AgentSelection(this);

    public override Task<Outcome> RunAsync(CommandContext context)
    {
        IReadOnlyList<SinkSettings> sinks = _agent.Open(context).Alarms.Settings?.Sinks ?? [];
        context.Renderer.Table(
            sinks.Select(sink => new SinkLine(sink.Name, sink.Kind, sink.Describe(), sink.Runs, sink.Successes)).ToList(),
            new TextTable<SinkLine>(
                new Column<SinkLine>("NAME", line => line.Name),
                new Column<SinkLine>("KIND", line => line.Kind.ToString().ToLowerInvariant()),
                new Column<SinkLine>("WHERE", line => line.Where),
                new Column<SinkLine>("STANDS FOR", line => line.Runs ? "this machine's backups" : "the watch")));
        return Task.FromResult(new Outcome(new ListSummary("alarm show", sinks.Count), sinks.Count == 0 ? "Nobody has said where alarms go." : ""));
    }
}

/// <summary><c>alarm test</c>.</summary>
internal sealed class AlarmTestCommand : HostCommand
{
    private readonly AgentSelection _agent;

    public AlarmTestCommand()
        : base("test", "Send a message to each place where alarms go.", "obengine alarm test --state /var/lib/watch") => _agent = new AgentSelection(this);

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        IReadOnlyList<SinkTrial> trials = await _agent.Open(context).Alarms.TryAsync(name: null, context.Stop).ConfigureAwait(false);
        List<BackupException> failures = [.. trials.Select(trial => trial.Failure).OfType<BackupException>()];
        foreach (BackupException failure in failures)
        {
            context.Renderer.Warn(failure);
        }

        return new Outcome(
            new ListSummary("alarm test", failures.Count) { ExitCode = (int)(failures.Count > 0 ? ExitCode.Failed : ExitCode.Success) },
            failures.Count == 0 ? "All places have taken the message. Look whether it arrived." : "");
    }
}

/// <summary><c>alarm remove</c>.</summary>
internal sealed class AlarmRemoveCommand : HostCommand
{
    private readonly AgentSelection _agent;

    public AlarmRemoveCommand()
        : base("remove", "Forget where alarms go.", "obengine alarm remove --state /var/lib/watch") => _agent = new AgentSelection(this);

    public override Task<Outcome> RunAsync(CommandContext context)
    {
        _agent.Open(context).Alarms.Set(null);
        return Task.FromResult(new Outcome(new ListSummary("alarm remove", 0), "Alarms go nowhere any more."));
    }
}
