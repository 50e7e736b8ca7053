using System.Management.Automation;
using MSOnlineBackup.Completion;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Recovery;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Brings a deleted recovery point back.</summary>
[Cmdlet(VerbsData.Restore, "OBRecoveryPoint", SupportsShouldProcess = true)]
[OutputType(typeof(OBBackupInfo))]
public sealed class RestoreOBRecoveryPointCommand : RecoveryCmdlet
{
    /// <summary>The point, from Get-OBDeletedRecoveryPoint, or its id or the beginning of it.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [Alias("Id")]
    [ArgumentCompleter(typeof(DeletedPointCompleter))]
    public OBDeletedRecoveryPoint RecoveryPoint { get; set; } = null!;

    /// <inheritdoc/>
    protected override void Process()
    {
        if (!ShouldProcess($"{RecoveryPoint}", "Bring back the deleted recovery point"))
        {
            return;
        }

        Run(async (pump, stop) =>
        {
            RecoveryArchive archive = await OpenAsync(RecoveryPoint.MachineName, null, stop).ConfigureAwait(false);
            RecoveryPoint restored = await archive.Deletions.RestoreAsync(RecoveryPoint.RecoveryPointId, archive.MachineName, stop).ConfigureAwait(false);
            await pump.WriteObjectAsync(restored.ToOutput()).ConfigureAwait(false);
        });
    }
}
