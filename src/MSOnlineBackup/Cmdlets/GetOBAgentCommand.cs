using System.Management.Automation;
using MSOnlineBackup.Agent.Remote;
using MSOnlineBackup.Completion;
using MSOnlineBackup.Model.Conversions;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Lists the agents that this machine has put on others.</summary>
[Cmdlet(VerbsCommon.Get, "OBAgent")]
[OutputType(typeof(OBAgent))]
public sealed class GetOBAgentCommand : RemoteAgentCmdlet
{
    /// <summary>Machines, or patterns for them.</summary>
    [Parameter(Position = 0)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(AgentCompleter))]
    [SupportsWildcards]
    public string[] HostName { get; set; } = ["*"];

    /// <summary>Asks the machines which version they use, and makes updates that are Pending.</summary>
    [Parameter]
    public SwitchParameter Refresh { get; set; }

    /// <inheritdoc/>
    protected override void Process()
    {
        IReadOnlyList<RemoteAgent> known = Agent.Remotes.List();
        WildcardPattern[] patterns = [.. HostName.Select(name => new WildcardPattern(name, WildcardOptions.IgnoreCase | WildcardOptions.CultureInvariant))];
        foreach (string missing in HostName.Where(name => !WildcardPattern.ContainsWildcardCharacters(name) && !known.Any(agent => agent.Machine.HostName.Equals(name, StringComparison.OrdinalIgnoreCase))))
        {
            WriteError(RemoteAgents.NotInstalled(missing));
        }

        RemoteAgent[] found = [.. known.Where(agent => patterns.Any(pattern => pattern.IsMatch(agent.Machine.HostName)))];
        if (Refresh)
        {
            Write(Run((_, stop) => Agent.Remotes.RefreshAsync([.. found.Select(agent => agent.Machine)], stop)));
        }
        else
        {
            WriteObject(found.Select(agent => agent.ToOutput()), enumerateCollection: true);
        }
    }
}
