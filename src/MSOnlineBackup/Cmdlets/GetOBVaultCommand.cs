using System.Management.Automation;
using MSOnlineBackup.Engine.Errors;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Shows a vault as it can be known without a passphrase: this machine's, or any.</summary>
[Cmdlet(VerbsCommon.Get, "OBVault")]
[OutputType(typeof(OBVault))]
public sealed class GetOBVaultCommand : OBEngineCmdlet
{
    /// <summary>The vault's folder or URL; without it the vault that this machine is registered with.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true)]
    [Alias("Url")]
    [ValidateNotNullOrEmpty]
    public string? Path { get; set; }

    /// <inheritdoc/>
    protected override void Process()
    {
        string location = Path is null ? OwnVault() : VaultPlace(Path);
        WriteVault(Run((_, stop) => Agent.InspectVaultAsync(location, stop)));
    }

    private string OwnVault() => Agent.Machine.Registration?.VaultLocation ?? throw new BackupException(
        BackupErrorId.MachineNotRegistered,
        $"The machine '{Agent.Machine.Name}' is not registered with a vault.",
        "Name a vault's folder or URL with -Path, or register first with Start-OBRegistration.",
        Agent.Machine.Name);
}
