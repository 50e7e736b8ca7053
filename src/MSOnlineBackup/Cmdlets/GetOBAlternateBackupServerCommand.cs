using System.Management.Automation;
using System.Security;
using MSOnlineBackup.Recovery;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Lists the machines that back up, or did so, to the vault of a credential file.</summary>
[Cmdlet(VerbsCommon.Get, "OBAlternateBackupServer")]
[OutputType(typeof(OBBackupServer))]
public sealed class GetOBAlternateBackupServerCommand : OBEngineCmdlet
{
    /// <summary>The credential file of the vault; its path may be relative.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [ValidateNotNullOrEmpty]
    public string VaultCredentials { get; set; } = "";

    /// <summary>The passphrase of the machine whose data are wanted: names are encrypted too. It is kept in the objects returned, in memory only.</summary>
    [Parameter(Position = 1)]
    public SecureString? EncryptionPassphrase { get; set; }

    /// <inheritdoc/>
    protected override void Process()
    {
        string file = FullPath(VaultCredentials);
        Run(async (pump, stop) =>
        {
            VaultAddress vault = (await Agent.Machine.InspectCredentialAsync(file, stop).ConfigureAwait(false)).Vault;
            var access = new VaultAccess(vault, EncryptionPassphrase?.Copy());
            if (access.Passphrase is string passphrase)
            {
                // A wrong one is told here, where it was typed.
                using UnlockedVault opened = await Agent.OpenEngineAsync(vault, passphrase, stop).ConfigureAwait(false);
            }

            foreach (VaultMachine machine in await Agent.Vaults.ListMachinesAsync(vault, stop).ConfigureAwait(false))
            {
                await pump.WriteObjectAsync(new OBBackupServer { ServerName = machine.Name, Access = access }).ConfigureAwait(false);
            }
        });
    }
}
