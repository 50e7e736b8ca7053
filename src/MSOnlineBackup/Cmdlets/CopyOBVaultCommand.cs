using System.Management.Automation;
using System.Security;
using MSOnlineBackup.Completion;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Vaults.Copies;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Copies the recovery points that a twin of a vault lacks to it.</summary>
[Cmdlet(VerbsCommon.Copy, "OBVault", SupportsShouldProcess = true)]
[OutputType(typeof(OBVaultCopyResult))]
public sealed class CopyOBVaultCommand : VaultCopyCmdlet
{
    /// <summary>The vault, or its folder or URL; that of this machine, where none is given.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true)]
    [VaultLocationTransformation]
    [ValidateNotNullOrEmpty]
    public string? Vault { get; set; }

    /// <summary>Its twin, which New-OBVault -TwinOf has made, or that one's folder or URL.</summary>
    [Parameter(Mandatory = true, Position = 1)]
    [VaultLocationTransformation]
    [ValidateNotNullOrEmpty]
    public string Destination { get; set; } = "";

    /// <summary>The passphrase that opens both; not needed for the vault of this machine and its twins.</summary>
    [Parameter]
    public SecureString? EncryptionPassphrase { get; set; }

    /// <summary>These recovery points only, whatever their age: their ids, the beginnings of them, or latest.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string[]? RecoveryPointId { get; set; }

    /// <summary>Copies points, too, that are older than the newest of their machine that the twin has: also those that have ended there.</summary>
    [Parameter]
    public SwitchParameter IncludeOlder { get; set; }

    /// <summary>The twin's own retention, which New-OBRetentionPolicy makes: what it lets go of is not copied, or deleted in the twin; what the vault lets go of stays there.</summary>
    [Parameter]
    [ValidateNotNull]
    public OBRetentionPolicy? RetentionPolicy { get; set; }

    private protected override string StopNote => "Stopping; what has arrived in the twin stays, and the next copy goes on from there.";

    /// <inheritdoc/>
    protected override void Process()
    {
        VaultAddress? from = Vault is null ? null : new VaultAddress(VaultPlace(Vault));
        VaultAddress to = VaultPlace(Destination);
        bool isAgreed = ShouldProcess(
            $"Copying recovery points of {(from is null ? "the vault of this machine" : $"the vault '{from}'")} to its twin '{to}'.",
            $"The recovery points that the twin '{to}' lacks are copied to it. Do you want to go on?",
            "MSOnlineBackup",
            out ShouldProcessReason reason);
        if (isAgreed || reason == ShouldProcessReason.WhatIf)
        {
            var request = new VaultCopyRequest { IncludesOlder = IncludeOlder, IsRehearsal = !isAgreed };
            Run((pump, stop) => CopyAsync(from, to, request, pump, stop));
        }
    }

    private async Task CopyAsync(VaultAddress? from, VaultAddress to, VaultCopyRequest request, CmdletPump pump, CancellationToken stop)
    {
        await FollowAsync(
            monitor => Agent.Copies.CopyAsync(from, to, EncryptionPassphrase?.ToPlain(), RecoveryPointId, request, monitor, stop, RetentionPolicy?.ToEngine()), to.Location,
            "copy it with -RecoveryPointId or -IncludeOlder",
            pump).ConfigureAwait(false);
    }
}
