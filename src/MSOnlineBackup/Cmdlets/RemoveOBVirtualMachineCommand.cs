using System.Management.Automation;
using MSOnlineBackup.Completion;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Takes a virtual machine out of a draft.</summary>
[Cmdlet(VerbsCommon.Remove, "OBVirtualMachine", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Low)]
[OutputType(typeof(OBPolicy))]
public sealed class RemoveOBVirtualMachineCommand : OBCmdlet
{
    /// <summary>What the machine is called.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    [ArgumentCompleter(typeof(VirtualMachineCompleter))]
    [ValidateNotNullOrEmpty]
    public string Name { get; set; } = "";

    /// <summary>The draft that is changed, and returned.</summary>
    [Parameter(Mandatory = true, Position = 1, ValueFromPipeline = true)]
    public OBPolicy Policy { get; set; } = null!;

    /// <inheritdoc/>
    protected override void Process()
    {
        OBVirtualMachineSpec there = Policy.VirtualMachineSpecs.Find(machine => machine.ToEngine().IsNamed(Name)) ?? throw new BackupException(
            BackupErrorId.VirtualMachineNotInPolicy,
            $"The policy has no virtual machine '{Name}'.",
            Policy.VirtualMachineSpecs.Count == 0 ? "It has none." : $"It has {string.Join(", ", Policy.VirtualMachineSpecs.Select(machine => $"'{machine.Name}'"))}.",
            Name);
        if (ShouldProcess(Policy.ToString(), $"Remove the virtual machine '{there.Name}'"))
        {
            Policy.VirtualMachineSpecs.Remove(there);
        }

        WriteObject(Policy);
    }
}
