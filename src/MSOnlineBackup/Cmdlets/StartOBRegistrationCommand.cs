using System.Management.Automation;
using MSOnlineBackup.Engine.Machine;
using MSOnlineBackup.Model.Conversions;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Registers this machine with a vault.</summary>
[Cmdlet(VerbsLifecycle.Start, "OBRegistration", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High, DefaultParameterSetName = ByCredentials)]
[OutputType(typeof(OBRegistrationResult))]
public sealed class StartOBRegistrationCommand : OBEngineCmdlet
{
    private const string ByService = "RecoveryService";
    private const string ByCredentials = "VaultCredentials";

    /// <summary>A vault that Get-OBRecoveryService found.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = ByService)]
    public OBServiceResource RecoveryService { get; set; } = null!;

    /// <summary>The credential file of the vault; its path may be relative.</summary>
    [Parameter(Mandatory = true, ParameterSetName = ByCredentials)]
    [ValidateNotNullOrEmpty]
    public string VaultCredentials { get; set; } = "";

    /// <inheritdoc/>
    protected override void Process()
    {
        bool byService = ParameterSetName == ByService;
        string file = byService ? RecoveryService.CredentialFile : FullPath(VaultCredentials);
        VaultCredentialInfo vault = Run((_, stop) => Agent.Machine.InspectCredentialAsync(file, stop));
        if (!ShouldProcess(
            $"Registering '{Agent.Machine.Name}' with the vault '{vault.VaultName}' in '{vault.Vault}'.",
            $"This machine, '{Agent.Machine.Name}', will back up to the vault '{vault.VaultName}' in '{vault.Vault}'. Do you want to register it?",
            "MSOnlineBackup"))
        {
            return;
        }

        MachineRegistration registration = Run((_, stop) => Agent.Machine.RegisterAsync(file, stop));
        WriteObject(registration.ToOutput(byService ? RecoveryService.CertThumbprint : ""));
        WriteInformation(new HostInformationMessage { Message = "Machine registration succeeded." }, ["PSHOST"]);
        if (!Agent.Machine.HasPassphrase)
        {
            WriteVerbose("Next: Set-OBMachineSetting -EncryptionPassphrase. Until then the registration is incomplete.");
        }
    }
}
