using System.Management.Automation;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Recovery;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Lists the recovery points of this machine, newest first.</summary>
[Cmdlet(VerbsCommon.Get, "OBAllRecoveryPoints")]
[OutputType(typeof(OBBackupInfo))]
public sealed class GetOBAllRecoveryPointsCommand : RecoveryCmdlet
{
    /// <inheritdoc/>
    protected override void Process() => Run(async (pump, stop) =>
    {
        RecoveryArchive archive = await OpenAsync("", null, stop).ConfigureAwait(false);
        foreach (RecoveryPoint point in await ListAsync(pump, archive, stop).ConfigureAwait(false))
        {
            await pump.WriteObjectAsync(point.ToOutput()).ConfigureAwait(false);
        }
    });
}
