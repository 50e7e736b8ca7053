using System.Management.Automation;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.VirtualMachines;
using MSOnlineBackup.Completion;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.VirtualMachines.Addresses;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Shows virtual machines, and their disks.</summary>
[Cmdlet(VerbsCommon.Get, "OBVirtualMachine", DefaultParameterSetName = PolicySet)]
[OutputType(typeof(OBVirtualMachine))]
public sealed class GetOBVirtualMachineCommand : OBEngineCmdlet
{
    private const string PolicySet = "Policy";
    private const string QmpSet = "Qmp";
    private const string ImageSet = "Image";

    /// <summary>Only the machines of the saved policy with such a name; all of them, if it is not given. Of images, what their machine is called.</summary>
    [Parameter(Position = 0, ParameterSetName = PolicySet)]
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = ImageSet)]
    [ArgumentCompleter(typeof(VirtualMachineCompleter))]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string Name { get; set; } = "*";

    /// <summary>The socket of the monitor of a machine that runs under QEMU.</summary>
    [Parameter(Mandatory = true, ParameterSetName = QmpSet)]
    [ValidateNotNullOrEmpty]
    public string QmpSocket { get; set; } = "";

    /// <summary>The images of the disks of one machine that is off.</summary>
    [Parameter(Mandatory = true, ParameterSetName = ImageSet)]
    [ValidateNotNullOrEmpty]
    public string[] ImagePath { get; set; } = [];

    /// <inheritdoc/>
    protected override void Process()
    {
        switch (ParameterSetName)
        {
            case QmpSet:
                Show(null, MachineAddress.Parse([MachineAddress.Qmp.Scheme + FullPath(QmpSocket)]));
                break;
            case ImageSet:
                Show(Name, MachineAddress.Parse([.. ImagePath.Select(FullPath)]));
                break;
            default:
                ShowPolicy();
                break;
        }
    }

    // One that cannot be reached keeps nothing of the others from being shown.
    private void ShowPolicy()
    {
        IReadOnlyList<VirtualMachineSettings> machines = Agent.Policies.Get(PolicyKind.Files)?.VirtualMachines ?? [];
        if (!WildcardPattern.ContainsWildcardCharacters(Name) && !machines.Any(machine => machine.IsNamed(Name)))
        {
            throw new BackupException(
                BackupErrorId.VirtualMachineNotInPolicy,
                $"The policy of this machine has no virtual machine '{Name}'.",
                machines.Count == 0 ? "It has none. Name one that is in no policy by its monitor (-QmpSocket) or its images (-ImagePath)." : $"It has {string.Join(", ", machines.Select(machine => $"'{machine.Name}'"))}.",
                Name);
        }

        var pattern = new WildcardPattern(Name, WildcardOptions.IgnoreCase);
        foreach (VirtualMachineSettings machine in machines.Where(machine => pattern.IsMatch(machine.Name)))
        {
            try
            {
                Show(machine.Name, machine.Address);
            }
            catch (BackupException e)
            {
                WriteError(e);
            }
        }
    }

    private void Show(string? name, MachineAddress address) => WriteObject(Run(async (_, stop) => await VirtualMachineConversion.LookAsync(Agent, name, address, stop).ConfigureAwait(false)));
}
