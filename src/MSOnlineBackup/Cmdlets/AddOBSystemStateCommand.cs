using System.Management.Automation;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Makes a draft one for the system state.</summary>
[Cmdlet(VerbsCommon.Add, "OBSystemState", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Low)]
[OutputType(typeof(OBPolicy))]
public sealed class AddOBSystemStateCommand : OBCmdlet
{
    /// <summary>The draft that is changed, and returned.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    public OBPolicy Policy { get; set; } = null!;

    /// <inheritdoc/>
    protected override void Process()
    {
        if (Policy.FileSpecs.Count > 0 || Policy.WorkloadSpecs.Count > 0)
        {
            throw new BackupException(
                BackupErrorId.PolicyInvalid,
                "The policy names folders and files, or workloads; the system state needs a separate policy.",
                "Make one with New-OBPolicy, and save it with Set-OBSystemStatePolicy.",
                Policy.PolicyName);
        }

        if (ShouldProcess(Policy.ToString(), "Add the system state"))
        {
            Policy.Kind = PolicyKind.SystemState;
        }

        WriteObject(Policy);
    }
}
