using System.Management.Automation;
using MSOnlineBackup.Agent.Remote;
using MSOnlineBackup.Completion;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Removes the agent from other machines, and forgets them.</summary>
[Cmdlet(VerbsLifecycle.Uninstall, "OBAgent", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High)]
[OutputType(typeof(void))]
public sealed class UninstallOBAgentCommand : RemoteAgentCmdlet
{
    private readonly List<RemoteMachine> _machines = [];

    /// <summary>Machines on which this one has put agents.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(AgentCompleter))]
    public string[] HostName { get; set; } = [];

    /// <summary>Only forgets them, and the keys of their hosts: for machines that are no more.</summary>
    [Parameter]
    public SwitchParameter RecordOnly { get; set; }

    /// <inheritdoc/>
    protected override void Process() => Collect(HostName, RecordOnly ? "Forget the agent and the host's key" : "Remove the agent there", _machines);

    /// <inheritdoc/>
    protected override void Finish()
    {
        foreach (RemoteResult result in Run((_, stop) => Agent.Remotes.RemoveAsync(_machines, RecordOnly, stop)))
        {
            if (result.Failure is { } failure)
            {
                WriteError(failure);
            }
            else if (result.Agent?.ForeignProgram is { } left)
            {
                WriteWarning($"On '{result.HostName}' '{left}' holds something that was not put there with the agent. It was left as it is.");
            }
        }
    }
}
