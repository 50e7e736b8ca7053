using System.Management.Automation;
using MSOnlineBackup.Agent.Policies;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Removes the policy for the system state.</summary>
[Cmdlet(VerbsCommon.Remove, "OBSystemStatePolicy", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High)]
[OutputType(typeof(OBPolicy))]
public sealed class RemoveOBSystemStatePolicyCommand : SavedPolicyCmdlet
{
    /// <summary>Creates the cmdlet.</summary>
    public RemoveOBSystemStatePolicyCommand()
        : base(PolicyKind.SystemState)
    {
    }

    /// <summary>The saved policy, from Get-OBSystemStatePolicy.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    public OBPolicy Policy { get; set; } = null!;

    /// <summary>Deletes its recovery points.</summary>
    [Parameter]
    public SwitchParameter DeleteBackup { get; set; }

    /// <inheritdoc/>
    protected override void Process() => Remove(Policy, DeleteBackup);
}
