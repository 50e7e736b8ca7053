using System.Management.Automation;
using System.Security;
using MSOnlineBackup.Completion;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Brings first backups, which were made to a seed on a disk with Start-OBBackup -SeedPath, into their vault.</summary>
[Cmdlet(VerbsData.Import, "OBSeed", SupportsShouldProcess = true)]
[OutputType(typeof(OBVaultCopyResult))]
public sealed class ImportOBSeedCommand : VaultCopyCmdlet
{
    /// <summary>The folder of the seed.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    [ValidateNotNullOrEmpty]
    public string Path { get; set; } = "";

    /// <summary>The vault, or its folder or URL; that of this machine, where none is given.</summary>
    [Parameter(Position = 1)]
    [VaultLocationTransformation]
    [ValidateNotNullOrEmpty]
    public string? Vault { get; set; }

    /// <summary>The passphrase that opens both; not needed on a machine of the vault that has the same.</summary>
    [Parameter]
    public SecureString? EncryptionPassphrase { get; set; }

    private protected override string StopNote => "Stopping; what has arrived in the vault stays, and the next import goes on from there.";

    /// <inheritdoc/>
    protected override void Process()
    {
        string seed = FullPath(Path);
        VaultAddress? vault = Vault is null ? null : new VaultAddress(VaultPlace(Vault));
        string place = vault?.Location ?? Agent.Machine.Registration?.VaultLocation ?? "";
        bool isAgreed = ShouldProcess(
            $"Bringing recovery points of the seed '{seed}' into {(vault is null ? "the vault of this machine" : $"the vault '{vault}'")}.",
            $"The recovery points of the seed '{seed}' that the vault lacks are brought into it. Do you want to go on?",
            "MSOnlineBackup",
            out ShouldProcessReason reason);
        if (isAgreed || reason == ShouldProcessReason.WhatIf)
        {
            Run((pump, stop) => FollowAsync(
                monitor => Agent.Copies.ImportSeedAsync(seed, vault, EncryptionPassphrase?.ToPlain(), !isAgreed, monitor, stop),
                place,
                "import the seed again",
                pump));
        }
    }
}
