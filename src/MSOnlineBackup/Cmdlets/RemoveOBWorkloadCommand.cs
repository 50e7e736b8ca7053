using System.Management.Automation;
using MSOnlineBackup.Agent.Workloads;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Takes a database server out of a draft.</summary>
[Cmdlet(VerbsCommon.Remove, "OBWorkload", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Low)]
[OutputType(typeof(OBPolicy))]
public sealed class RemoveOBWorkloadCommand : OBCmdlet
{
    /// <summary>The draft that is changed, and returned.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    public OBPolicy Policy { get; set; } = null!;

    /// <summary>What the workload is called.</summary>
    [Parameter(Mandatory = true, Position = 1)]
    [ValidateNotNullOrEmpty]
    public string Name { get; set; } = "";

    /// <inheritdoc/>
    protected override void Process()
    {
        OBWorkloadSpec there = Policy.WorkloadSpecs.Find(workload => workload.ToEngine().Key == WorkloadSettings.KeyOf(Name)) ?? throw new BackupException(
            BackupErrorId.WorkloadNotFound,
            $"The policy has no workload '{Name}'.",
            Policy.WorkloadSpecs.Count == 0 ? "It has none." : $"It has {string.Join(", ", Policy.WorkloadSpecs.Select(workload => $"'{workload.Name}'"))}.",
            Name);
        if (ShouldProcess(Policy.ToString(), $"Remove the workload '{there.Name}'"))
        {
            Policy.WorkloadSpecs.Remove(there);
        }

        WriteObject(Policy);
    }
}
