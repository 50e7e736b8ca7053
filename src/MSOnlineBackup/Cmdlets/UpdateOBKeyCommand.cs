using System.Management.Automation;
using System.Security;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Protection;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Rotates the master key of this machine's data: what is written from now on cannot be read with the key before.</summary>
[Cmdlet(VerbsData.Update, "OBKey", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High)]
[OutputType(typeof(void))]
public sealed class UpdateOBKeyCommand : OBEngineCmdlet
{
    /// <summary>The passphrase that opens the data from now on: a new one, or the one that the machine has.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    public SecureString EncryptionPassphrase { get; set; } = null!;

    /// <summary>A security PIN of the vault's owner, where the vault asks for one.</summary>
    [Parameter]
    [AllowEmptyString]
    [AllowNull]
    public string? SecurityPin { get; set; }

    /// <summary>The code of an approver, where the vault has approvers.</summary>
    [Parameter]
    public string? Approval { get; set; }

    /// <inheritdoc/>
    protected override void Process()
    {
        if (!ShouldProcess(
            "Rotating the master key of this machine's data.",
            "What this machine backs up from now on is sealed by a new master key, "
                + "which the passphrase opens. Other machines of this passphrase need 'Repair-OBKey' once, "
                + "and other passphrases and Key Vault keys have to be added again. Do you want to rotate the key?",
            "MSOnlineBackup"))
        {
            return;
        }

        string passphrase = EncryptionPassphrase.ToPlain()!;
        foreach (KeySlotInfo outdated in Run((_, stop) => Agent.RotateKeyAsync(passphrase, stop, new Consent(SecurityPin, Approval))))
        {
            WriteWarning(
                $"The key slot {outdated.KeyId}{(outdated.Label is { } label ? $" ({label})" : "")} opens only what was written before. "
                    + "Add its passphrase or Key Vault key again ('obengine key add'), and remove it ('obengine key remove').");
        }
    }
}
