using System.Management.Automation;
using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Gives this machine another name in its vault; its recovery points stay its own.</summary>
[Cmdlet(VerbsCommon.Rename, "OBMachine", SupportsShouldProcess = true)]
[OutputType(typeof(OBRegistrationResult))]
public sealed class RenameOBMachineCommand : OBEngineCmdlet
{
    /// <summary>What the vault is to call this machine; the name that the system has for it where nothing is given.</summary>
    [Parameter(Position = 0)]
    [ValidateNotNullOrEmpty]
    public string? NewName { get; set; }

    /// <inheritdoc/>
    protected override void Process()
    {
        MachineRegistration registration = Agent.Machine.Registration ?? throw new BackupException(
            BackupErrorId.MachineNotRegistered,
            $"The machine '{Agent.Machine.Name}' is not registered with a vault, so no vault has a name for it.",
            "Register it with 'Start-OBRegistration' and a vault credential file.",
            Agent.Machine.Name);
        string name = NewName ?? Agent.Machine.Name;
        if (ShouldProcess(registration.MachineName, $"Rename this machine to '{name}' in the vault '{registration.VaultName}'"))
        {
            WriteObject(Run((_, stop) => Agent.RenameMachineAsync(name, stop)).ToOutput(""));
        }
    }
}
