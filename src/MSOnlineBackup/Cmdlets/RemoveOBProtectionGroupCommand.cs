using System.Management.Automation;
using MSOnlineBackup.Completion;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Removes a protection group; its recovery points stay.</summary>
[Cmdlet(VerbsCommon.Remove, "OBProtectionGroup", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High)]
[OutputType(typeof(void))]
public sealed class RemoveOBProtectionGroupCommand : GroupCmdlet
{
    /// <summary>The group.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(GroupCompleter))]
    public string Name { get; set; } = "";

    /// <inheritdoc/>
    protected override void Process()
    {
        _ = Run((_, stop) => Agent.Groups.GetAsync(Name, stop));
        if (ShouldProcess(Name, "Remove the protection group; its recovery points and the agents on its machines stay"))
        {
            WriteProblems(Run((_, stop) => Agent.Groups.RemoveAsync(Name, stop)));
        }
    }
}
