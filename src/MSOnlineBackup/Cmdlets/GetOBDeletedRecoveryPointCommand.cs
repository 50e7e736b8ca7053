using System.Management.Automation;
using MSOnlineBackup.Completion;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Recovery;
using MSOnlineBackup.Vaults.Maintenance;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Lists the recovery points that are deleted and can be brought back, newest first.</summary>
[Cmdlet(VerbsCommon.Get, "OBDeletedRecoveryPoint")]
[OutputType(typeof(OBDeletedRecoveryPoint))]
public sealed class GetOBDeletedRecoveryPointCommand : RecoveryCmdlet
{
    /// <summary>The machine whose points are wanted; this one unless given.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(MachineNameCompleter))]
    public string? Machine { get; set; }

    /// <inheritdoc/>
    protected override void Process() => Run(async (pump, stop) =>
    {
        RecoveryArchive archive = await OpenAsync(Machine ?? "", null, stop).ConfigureAwait(false);
        foreach (DeletedPoint point in await archive.Deletions.ListAsync(archive.MachineName, stop).ConfigureAwait(false))
        {
            await pump.WriteObjectAsync(point.ToOutput(archive.MachineName)).ConfigureAwait(false);
        }
    });
}
