using MSOnlineBackup.Agent.Remote;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Cmdlets;

/// <summary>For cmdlets that work on agents of other machines: what became of each is written, and a machine that fails stops no other.</summary>
public abstract class RemoteAgentCmdlet : OBEngineCmdlet
{
    /// <summary>Adds machines on which this one has put agents, each once. One that is not on record is an error, and stops no other.</summary>
    private protected void Collect(IEnumerable<string> hosts, string action, List<RemoteMachine> machines)
    {
        foreach (string host in hosts)
        {
            RemoteMachine machine;
            try
            {
                machine = Agent.Remotes.Find(host);
            }
            catch (BackupException e)
            {
                WriteError(e);
                continue;
            }

            if (machines.All(other => other.Alias != machine.Alias) && ShouldProcess(host, action))
            {
                machines.Add(machine);
            }
        }
    }

    /// <summary>Writes what became of each machine.</summary>
    private protected void Write(IEnumerable<RemoteResult> results)
    {
        foreach (RemoteResult result in results)
        {
            if (result.Failure is { } failure)
            {
                WriteError(failure);
            }

            if (result.Agent is not { } agent)
            {
                continue;
            }

            if (agent is { State: RemoteAgentState.Pending, Reason: { } reason })
            {
                WriteWarning($"{reason} The update is made by the next Update-OBAgent or Get-OBAgent -Refresh that reaches '{agent.Machine.HostName}'.");
            }

            if (agent.ForeignProgram is { } foreign)
            {
                WriteWarning($"On '{agent.Machine.HostName}' there is no link to the agent in ~/.local/bin, since '{foreign}' is in its way. The program is '{agent.Program}'.");
            }

            WriteObject(agent.ToOutput());
        }
    }
}
