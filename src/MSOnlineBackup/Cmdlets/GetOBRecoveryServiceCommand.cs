using System.Management.Automation;
using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Lists the vaults that the machine's configuration gives to the holder of a certificate.</summary>
[Cmdlet(VerbsCommon.Get, "OBRecoveryService")]
[OutputType(typeof(OBServiceResource))]
public sealed class GetOBRecoveryServiceCommand : OBEngineCmdlet
{
    /// <summary>The certificate, from Get-OBCertificateListFromLocalStore.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    public OBCertificate Certificate { get; set; } = null!;

    /// <inheritdoc/>
    protected override void Process() => Run(async (pump, stop) =>
    {
        foreach (RecoveryService service in Agent.Machine.ListServices().Where(service => service.IsFor(Certificate.Thumbprint)))
        {
            try
            {
                VaultCredentialInfo credential = await Agent.Machine.InspectCredentialAsync(service.VaultCredentials, stop).ConfigureAwait(false);
                await pump.WriteObjectAsync(new OBServiceResource
                {
                    ServiceResourceName = credential.VaultName,
                    Location = credential.Vault.Location,
                    CredentialFile = service.VaultCredentials,
                    CertThumbprint = Certificate.Thumbprint,
                }).ConfigureAwait(false);
            }
            catch (BackupException fault)
            {
                // One vault that cannot be had does not hide the others.
                pump.WriteError(fault);
            }
        }
    });
}
