using System.Management.Automation;
using MSOnlineBackup.Agent.Access;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Schedules;
using MSOnlineBackup.Completion;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Takes a machine off a vault's list; without a name, lets this machine leave its vault. Recovery points stay.</summary>
[Cmdlet(VerbsLifecycle.Unregister, "OBMachine", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High, DefaultParameterSetName = ThisMachineSet)]
[OutputType(typeof(void))]
public sealed class UnregisterOBMachineCommand : OwnerCmdlet
{
    private const string ThisMachineSet = "ThisMachine";
    private const string ByOwner = "Vault";

    /// <summary>The vault, or its folder or URL.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = ByOwner)]
    [VaultLocationTransformation]
    public string Vault { get; set; } = "";

    /// <summary>The machine, in upper or lower case.</summary>
    [Parameter(Mandatory = true, Position = 1, ParameterSetName = ByOwner)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(MachineNameCompleter))]
    public string Name { get; set; } = "";

    /// <summary>This machine, which leaves its vault; what is meant, too, where nothing is given.</summary>
    [Parameter(ParameterSetName = ThisMachineSet)]
    public SwitchParameter ThisMachine { get; set; }

    /// <inheritdoc/>
    protected override void Process()
    {
        if (ParameterSetName == ThisMachineSet)
        {
            Leave();
            return;
        }

        string location = VaultPlace(Vault);
        if (ShouldProcess(location, $"Unregister the machine '{Name}'; its recovery points stay"))
        {
            OwnerAccess? owner = Owner;
            Run((_, stop) => Agent.Ownership.UnregisterMachineAsync(location, Name, owner, stop));
        }
    }

    private void Leave()
    {
        if (Agent.Machine.Registration is not { } registration)
        {
            throw new BackupException(
                BackupErrorId.MachineNotRegistered,
                $"The machine '{Agent.Machine.Name}' is not registered with a vault, so there is none to leave.",
                "To remove another machine from a vault's list, name the vault and the machine.",
                Agent.Machine.Name);
        }

        if (ShouldProcess(
            $"Unregistering the machine '{registration.MachineName}' from the vault '{registration.VaultName}' in '{registration.VaultLocation}', and ending its schedules.",
            $"This machine, '{registration.MachineName}', will forget the vault '{registration.VaultName}' in '{registration.VaultLocation}' and its encryption key, and its schedules end. Its backups stay in the vault, and recovering them needs the passphrase. Do you want to leave the vault?",
            "MSOnlineBackup"))
        {
            Run((_, stop) => Agent.LeaveVaultAsync(stop));
            foreach (PolicyKind kind in AgentSchedules.Kinds)
            {
                AlignSchedule(kind);
            }

            Run((_, stop) => Agent.RemoveLocalPointsAsync(policy: null, Note, stop));

            WriteVerbose($"The vault still counts the machine until its owner removes it from the list: Unregister-OBMachine -Vault '{registration.VaultLocation}' -Name '{registration.MachineName}'.");
        }
    }
}
