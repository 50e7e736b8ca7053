using System.Management.Automation;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Sees whether this machine reaches its vault and what that needs, layer by layer.</summary>
[Cmdlet(VerbsDiagnostic.Test, "OBConnectivity")]
[OutputType(typeof(OBEndpointTest))]
public sealed class TestOBConnectivityCommand : ConnectivityCmdlet
{
    /// <summary>The vault's folder or URL; without it the vault that this machine is registered with.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true)]
    [ValidateNotNullOrEmpty]
    public string? Vault { get; set; }

    /// <inheritdoc/>
    protected override void Process()
    {
        string location = Vault is null ? OwnVault() : VaultPlace(Vault);
        WriteObject(Test(location), enumerateCollection: true);
    }

    private string OwnVault() => Agent.Machine.Registration?.VaultLocation ?? throw new BackupException(
        BackupErrorId.MachineNotRegistered,
        $"The machine '{Agent.Machine.Name}' is not registered with a vault.",
        "Name a vault's folder or URL with -Vault, or register first with Start-OBRegistration.",
        Agent.Machine.Name);
}
