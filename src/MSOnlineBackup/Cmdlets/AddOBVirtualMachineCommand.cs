using System.Management.Automation;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Completion;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Adds a virtual machine to a draft.</summary>
[Cmdlet(VerbsCommon.Add, "OBVirtualMachine", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Low)]
[OutputType(typeof(OBPolicy))]
public sealed class AddOBVirtualMachineCommand : OBCmdlet
{
    private readonly List<OBPolicy> _changed = [];

    /// <summary>What it is called in the policy and in the vault, where it is a machine of its own.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(VirtualMachineCompleter))]
    [ValidateNotNullOrEmpty]
    public string Name { get; set; } = "";

    /// <summary>The draft that is changed, and returned.</summary>
    [Parameter(Mandatory = true, Position = 1, ValueFromPipeline = true)]
    public OBPolicy Policy { get; set; } = null!;

    /// <summary>The socket of the machine's monitor, where it runs under QEMU.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    public string QmpSocket { get; set; } = "";

    /// <summary>The images of the machine's disks, where it is off.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateNotNull]
    public string[] ImagePath { get; set; } = [];

    /// <summary>The socket of the guest agent, which holds the guest's file systems still.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? AgentSocket { get; set; }

    /// <summary>The guest agent runs scripts that bring the guest's programs into order.</summary>
    [Parameter]
    public SwitchParameter Hooks { get; set; }

    /// <summary>No recovery point is made where the guest cannot be held still.</summary>
    [Parameter]
    public SwitchParameter RequireFreeze { get; set; }

    /// <summary>The disks that are taken; all, if it is not given.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string[] Disk { get; set; } = [];

    /// <summary>Disks that are left out.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string[] ExcludeDisk { get; set; } = [];

    /// <summary>A folder with room for what the guest overwrites while its disks are read.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? WorkFolder { get; set; }

    /// <summary>What the machines are called that are held still together.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? ConsistencyGroup { get; set; }

    /// <inheritdoc/>
    protected override void Process()
    {
        if (!PolicyScope.Of(Policy.Kind).NamesFiles)
        {
            throw new BackupException(
                BackupErrorId.PolicyInvalid, "The policy protects the system state; virtual machines need a separate policy.", "Make one with New-OBPolicy, and save it with Set-OBPolicy.", Name);
        }

        if (QmpSocket.Length > 0 == ImagePath.Length > 0)
        {
            throw new BackupException(
                BackupErrorId.ArgumentInvalid,
                QmpSocket.Length > 0 ? $"The virtual machine '{Name}' was given both a monitor and images." : $"It was not said how the virtual machine '{Name}' is reached.",
                "Name the socket of its monitor with -QmpSocket, or the images of one that is off with -ImagePath.",
                Name);
        }

        var machine = new OBVirtualMachineSpec
        {
            Name = Name,
            QmpSocket = QmpSocket.Length > 0 ? FullPath(QmpSocket) : "",
            ImagePath = [.. ImagePath.Select(FullPath)],
            AgentSocket = AgentSocket is null ? "" : FullPath(AgentSocket),
            Hooks = Hooks,
            RequireFreeze = RequireFreeze,
            Disk = Disk,
            ExcludeDisk = ExcludeDisk,
            WorkFolder = WorkFolder is null ? "" : FullPath(WorkFolder),
            ConsistencyGroup = ConsistencyGroup ?? "",
        };
        machine.ToEngine().Check();
        if (ShouldProcess(Policy.ToString(), $"Add the virtual machine '{Name}'"))
        {
            // What is added again replaces what was.
            Policy.VirtualMachineSpecs.RemoveAll(there => there.ToEngine().IsNamed(Name));
            Policy.VirtualMachineSpecs.Add(machine);
        }

        if (!_changed.Contains(Policy))
        {
            _changed.Add(Policy);
        }
    }

    /// <summary>Several machines may go into one draft, which is returned once.</summary>
    protected override void Finish()
    {
        foreach (OBPolicy policy in _changed)
        {
            WriteObject(policy);
        }
    }
}
