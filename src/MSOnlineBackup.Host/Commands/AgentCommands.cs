using System.CommandLine;
using MSOnlineBackup.Agent.Remote;
using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Host.Rendering;

namespace MSOnlineBackup.Host.Commands;

/// <summary><c>agent list</c>.</summary>
internal sealed class AgentListCommand : AgentHostCommand
{
    private readonly Argument<string[]> _hosts;
    private readonly Option<bool> _refresh;

    public AgentListCommand()
        : base("list", "List the agents that this machine has put on others.", "obengine agent list --refresh")
    {
        _hosts = Many("HOST", "Machines. Default: all.", ArgumentArity.ZeroOrMore);
        _refresh = Flag("--refresh", "Ask the machines which version they use, and make updates that are pending.");
        Own = new AgentSelection(this);
    }

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        RemoteAgents remotes = Own.Open(context).Remotes;
        IReadOnlyList<string> hosts = context.Get(_hosts);
        (IReadOnlyList<RemoteMachine> machines, IReadOnlyList<RemoteResult> unknown) = hosts.Count == 0 ? ([.. remotes.List().Select(agent => agent.Machine)], []) : Known(remotes, hosts);
        IReadOnlyList<RemoteResult> results = context.Has(_refresh)
            ? await remotes.RefreshAsync(machines, context.Stop).ConfigureAwait(false)
            : [.. remotes.List().Where(agent => machines.Any(machine => machine.Alias == agent.Machine.Alias)).Select(agent => new RemoteResult(agent.Machine.HostName, agent, null))];
        Outcome outcome = Tell(context, "agent list", [.. unknown, .. results]);
        return results.Count + unknown.Count == 0 ? outcome with { Text = "This machine has put no agents on others." } : outcome;
    }
}

/// <summary><c>agent update</c>.</summary>
internal sealed class AgentUpdateCommand : AgentHostCommand
{
    private readonly Argument<string[]> _hosts;
    private readonly Option<bool> _all;
    private readonly Option<string?> _package;
    private readonly Option<bool> _allowDowngrade;

    public AgentUpdateCommand()
        : base("update", "Bring agents on other machines to the version of this obengine. The version before is kept there.", "obengine agent update --all")
    {
        _hosts = Many("HOST", "The machines.", ArgumentArity.ZeroOrMore);
        _all = Flag("--all", "All on which this machine has put agents.");
        _package = Value("--package", "DIR", "The folder that 'dotnet publish' has made for the machines' platform. Default: this installation.");
        _allowDowngrade = Flag("--allow-downgrade", "Put a version there that is older than what is there, too.");
        Own = new AgentSelection(this);
    }

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        RemoteAgents remotes = Own.Open(context).Remotes;
        IReadOnlyList<string> hosts = context.Get(_hosts);
        if (context.Has(_all) == hosts.Count > 0)
        {
            throw context.Invalid("An update takes either machines or --all.", "Name machines, or use --all alone.");
        }

        (IReadOnlyList<RemoteMachine> machines, IReadOnlyList<RemoteResult> unknown) = context.Has(_all) ? ([.. remotes.List().Select(agent => agent.Machine)], []) : Known(remotes, hosts);
        var options = new RemoteInstallOptions { PackagePath = context.Get(_package) is { } package ? Path.GetFullPath(package) : null, AllowDowngrade = context.Has(_allowDowngrade) };
        return Tell(context, "agent update", [.. unknown, .. await remotes.InstallAsync(machines, options, context.Stop).ConfigureAwait(false)]);
    }
}

/// <summary><c>agent rollback</c>.</summary>
internal sealed class AgentRollbackCommand : AgentHostCommand
{
    private readonly Argument<string[]> _hosts;

    public AgentRollbackCommand()
        : base("rollback", "Have agents on other machines go back to the version before. Once more returns to the newer one.", "obengine agent rollback web1")
    {
        _hosts = Many("HOST", "The machines.", ArgumentArity.OneOrMore);
        Own = new AgentSelection(this);
    }

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        RemoteAgents remotes = Own.Open(context).Remotes;
        (IReadOnlyList<RemoteMachine> machines, IReadOnlyList<RemoteResult> unknown) = Known(remotes, context.Get(_hosts));
        return Tell(context, "agent rollback", [.. unknown, .. await remotes.RollBackAsync(machines, context.Stop).ConfigureAwait(false)]);
    }
}

/// <summary><c>agent remove</c>.</summary>
internal sealed class AgentRemoveCommand : AgentHostCommand
{
    private readonly Argument<string[]> _hosts;
    private readonly Option<bool> _recordOnly;

    public AgentRemoveCommand()
        : base("remove", "Remove agents from other machines, and forget them and the keys of their hosts. What they have backed up, and their settings, stay.", "obengine agent remove web1")
    {
        _hosts = Many("HOST", "The machines.", ArgumentArity.OneOrMore);
        _recordOnly = Flag("--record-only", "Ask nothing of the machines, and only forget them: for those that are no more.");
        Own = new AgentSelection(this);
    }

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        RemoteAgents remotes = Own.Open(context).Remotes;
        (IReadOnlyList<RemoteMachine> machines, IReadOnlyList<RemoteResult> unknown) = Known(remotes, context.Get(_hosts));
        RemoteResult[] results = [.. unknown, .. await remotes.RemoveAsync(machines, context.Has(_recordOnly), context.Stop).ConfigureAwait(false)];
        foreach (RemoteResult result in results)
        {
            if (result.Failure is { } failure)
            {
                context.Renderer.Warn(failure);
            }
            else if (result.Agent?.ForeignProgram is { } left)
            {
                context.Renderer.Note($"On '{result.HostName}' '{left}' holds something that was not put there with the agent. It was left as it is.");
            }
        }

        int failed = results.Count(result => result.Failure is not null);
        int removed = results.Length - failed;
        return new Outcome(
            new AgentSummary("agent remove", results.Length, failed, 0) { ExitCode = (int)(failed > 0 ? ExitCode.Failed : ExitCode.Success) },
            $"{Quantity.Count(removed, "agent")} {(removed == 1 ? "was" : "were")} {(context.Has(_recordOnly) ? "forgotten" : "removed")}.");
    }
}
