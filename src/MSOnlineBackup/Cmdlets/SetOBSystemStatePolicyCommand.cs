using System.Management.Automation;
using MSOnlineBackup.Agent.Policies;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Saves the policy for the system state.</summary>
[Cmdlet(VerbsCommon.Set, "OBSystemStatePolicy", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High)]
[OutputType(typeof(OBPolicy))]
public sealed class SetOBSystemStatePolicyCommand : SavedPolicyCmdlet
{
    /// <summary>Creates the cmdlet.</summary>
    public SetOBSystemStatePolicyCommand()
        : base(PolicyKind.SystemState)
    {
    }

    /// <summary>The draft, which is a saved policy from then on, and returned.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    public OBPolicy Policy { get; set; } = null!;

    /// <inheritdoc/>
    protected override void Process() => Save(Policy);
}
