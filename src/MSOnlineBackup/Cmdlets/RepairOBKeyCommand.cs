using System.Management.Automation;
using System.Security;
using MSOnlineBackup.Model.Conversions;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Makes this machine's key file anew where it was lost or damaged.</summary>
[Cmdlet(VerbsDiagnostic.Repair, "OBKey", SupportsShouldProcess = true, DefaultParameterSetName = Passphrase)]
[OutputType(typeof(void))]
public sealed class RepairOBKeyCommand : OBEngineCmdlet
{
    private const string Passphrase = "Passphrase";
    private const string Secret = "KeyVaultUri";
    private const string Key = "KeyVaultKey";

    /// <summary>The machine's passphrase.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = Passphrase)]
    public SecureString EncryptionPassphrase { get; set; } = null!;

    /// <summary>The Key Vault that keeps the machine's passphrase.</summary>
    [Parameter(Mandatory = true, ParameterSetName = Secret)]
    [ValidateNotNullOrEmpty]
    public string KeyVaultUri { get; set; } = "";

    /// <summary>The key in a Key Vault that opens a key slot of the machine's data.</summary>
    [Parameter(Mandatory = true, ParameterSetName = Key)]
    [ValidateNotNullOrEmpty]
    public string KeyVaultKey { get; set; } = "";

    /// <inheritdoc/>
    protected override void Process()
    {
        if (ShouldProcess(Agent.Machine.Scratch.Path, "Re-create the key file"))
        {
            Run((_, stop) => ParameterSetName switch
            {
                Secret => Agent.Machine.Key.RepairFromSafeAsync(KeyVaultUri, stop),
                Key => Agent.Machine.Key.RepairByKeyVaultAsync(KeyVaultKey, stop),
                _ => Agent.Machine.Key.RepairAsync(EncryptionPassphrase.ToPlain(), stop),
            });
        }
    }
}
