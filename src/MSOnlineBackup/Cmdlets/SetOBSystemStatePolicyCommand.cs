using System.Management.Automation;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Completion;

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

    /// <summary>Twins of the vault that its backups go to as well, or their folders or URLs; none where it is empty. If it is not given, as the draft says.</summary>
    [Parameter]
    [VaultLocationTransformation]
    [AllowEmptyCollection]
    public string[]? CopyTo { get; set; }

    /// <inheritdoc/>
    protected override void Process()
    {
        if (CopyTo is not null)
        {
            Policy.CopyTo = [.. CopyTo.Select(place => VaultPlace(place))];
        }

        Save(Policy);
    }
}
