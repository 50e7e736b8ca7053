using System.Management.Automation;
using System.Security;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Would mount a recovery point as a volume; not in this version, which says what to use instead.</summary>
[Cmdlet(VerbsLifecycle.Start, "OBRecoveryMount")]
[OutputType(typeof(OBJob))]
public sealed class StartOBRecoveryMountCommand : OBCmdlet
{
    /// <summary>The recovery point of a source.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    public OBRecoverableItem RecoverableItem { get; set; } = null!;

    /// <summary>Where it would be mounted.</summary>
    [Parameter]
    public OBRecoveryOption? RecoveryOption { get; set; }

    /// <summary>The passphrase of the machine that it is of.</summary>
    [Parameter]
    public SecureString? EncryptionPassphrase { get; set; }

    /// <summary>Would return at once.</summary>
    [Parameter]
    public SwitchParameter Async { get; set; }

    /// <inheritdoc/>
    protected override void Process() => throw new BackupException(
        BackupErrorId.NotAvailable,
        "This version cannot mount recovery points.",
        "Browse the point with Get-OBRecoverableItem, and recover single files or folders with Start-OBRecovery, which fetches only what they need.",
        RecoverableItem.ToString());
}
