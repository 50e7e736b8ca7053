using MSOnlineBackup.Agent.Remote;
using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Host.Rendering;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Host.Commands;

/// <summary>A command that works on agents of other machines.</summary>
internal abstract class AgentHostCommand : HostCommand
{
    protected AgentHostCommand(string name, string summary, string example)
        : base(name, summary, example)
    {
    }

    public override string StopNote => "Stopping; on each machine the version that was used before is still used. Interrupt again to end at once.";

    /// <summary>The agent of this machine.</summary>
    protected AgentSelection Own { get; set; } = null!;

    /// <summary>Machines on which this one has put agents, each once; and of the others what is wrong with them.</summary>
    protected static (IReadOnlyList<RemoteMachine> Machines, IReadOnlyList<RemoteResult> Unknown) Known(RemoteAgents remotes, IEnumerable<string> hosts)
    {
        var machines = new List<RemoteMachine>();
        var unknown = new List<RemoteResult>();
        foreach (string host in hosts.Distinct(StringComparer.OrdinalIgnoreCase))
        {
            try
            {
                machines.Add(remotes.Find(host));
            }
            catch (BackupException e) when (e.Id == BackupErrorId.AgentNotInstalled)
            {
                unknown.Add(new RemoteResult(host, null, e));
            }
        }

        return (machines, unknown);
    }

    /// <summary>Tells what became of each machine.</summary>
    /// <param name="context">Where.</param>
    /// <param name="command">The command, as in "agent update".</param>
    /// <param name="results">What became of each.</param>
    protected static Outcome Tell(CommandContext context, string command, IReadOnlyList<RemoteResult> results)
    {
        foreach (RemoteResult result in results)
        {
            if (result.Failure is { } failure)
            {
                context.Renderer.Warn(failure);
            }
            else if (result.Agent is { ForeignProgram: { } foreign })
            {
                context.Renderer.Note($"On '{result.HostName}' there is no link to the agent in ~/.local/bin, since '{foreign}' is in its way.");
            }
        }

        List<AgentLine> lines = [.. results.Select(AgentLine.Of)];
        if (lines.Count > 0)
        {
            Table(context, lines);
        }

        int failed = lines.Count(line => line.Error is not null);
        int pending = lines.Count(line => line.State == RemoteAgentState.Pending);
        string text = failed > 0 ? $"{Quantity.Count(failed)} of {Quantity.Count(lines.Count, "machine")} failed."
            : pending > 0 ? $"{Quantity.Count(pending, "machine")} could not be reached. The next 'obengine agent update' or 'obengine agent list --refresh' that reaches it makes the update."
            : "";
        return new Outcome(new AgentSummary(command, lines.Count, failed, pending) { ExitCode = (int)(failed > 0 ? ExitCode.Failed : ExitCode.Success) }, text);
    }

    /// <summary>Lists agents.</summary>
    protected static void Table(CommandContext context, IReadOnlyList<AgentLine> lines) => context.Renderer.Table(
        lines,
        new TextTable<AgentLine>(
            new Column<AgentLine>("MACHINE", line => line.Host),
            new Column<AgentLine>("STATE", line => line.State?.ToString().ToUpperInvariant() ?? "NONE"),
            new Column<AgentLine>("VERSION", line => line.Version ?? "-"),
            new Column<AgentLine>("BEFORE", line => line.PreviousVersion ?? "-"),
            new Column<AgentLine>("PLATFORM", line => line.Platform ?? "-"),
            new Column<AgentLine>("LAST SEEN", line => line.LastSeen is { } seen ? context.LocalTime(seen) : "never"),
            new Column<AgentLine>("", line => line.Error ?? line.Reason ?? "")));
}
