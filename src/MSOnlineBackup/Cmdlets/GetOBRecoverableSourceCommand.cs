using System.Management.Automation;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Recovery;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Lists the sources that have recovery points: of this machine, or of another that Get-OBAlternateBackupServer returned.</summary>
[Cmdlet(VerbsCommon.Get, "OBRecoverableSource")]
[OutputType(typeof(OBRecoverableSource))]
public sealed class GetOBRecoverableSourceCommand : RecoveryCmdlet
{
    /// <summary>The machine; this one, if it is not given.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true)]
    [ValidateNotNull]
    public OBBackupServer? Server { get; set; }

    /// <summary>Reads the copy of the vault in its secondary region, which Set-OBMachineSetting -SecondaryVault names. What is found is recovered from there, too.</summary>
    [Parameter]
    public SwitchParameter UseSecondaryRegion { get; set; }

    /// <inheritdoc/>
    protected override void Process()
    {
        VaultAccess? access = UseSecondaryRegion ? VaultAccess.ToCopy(Agent, Server?.Access) : Server?.Access;
        Run(async (pump, stop) =>
        {
            RecoveryArchive archive = await OpenAsync(Server?.ServerName ?? "", access, stop).ConfigureAwait(false);
            RecoveryPointList points = await ListAsync(pump, archive, stop).ConfigureAwait(false);
            if (Server is not null && points.Count == 0)
            {
                throw new BackupException(
                    BackupErrorId.RecoveryPointNotFound,
                    $"The vault has no recovery point of '{archive.MachineName}' that this passphrase opens.",
                    "Give the passphrase of that machine to Get-OBAlternateBackupServer, or wait until its first backup has completed.",
                    archive.MachineName);
            }

            foreach (string name in points.SelectMany(point => point.SourceNames()).Distinct().Order(StringComparer.Ordinal))
            {
                await pump.WriteObjectAsync(new OBRecoverableSource
                {
                    FriendlyName = name,
                    RecoverySourceName = name,
                    ServerName = archive.MachineName,
                    Access = archive.Access,
                }).ConfigureAwait(false);
            }
        });
    }
}
