using System.Globalization;
using System.Management.Automation;
using MSOnlineBackup.Completion;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Recovery;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.Protection;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Deletes a recovery point, which can be brought back for some time.</summary>
[Cmdlet(VerbsCommon.Remove, "OBRecoveryPoint", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High)]
[OutputType(typeof(OBDeletedRecoveryPoint))]
public sealed class RemoveOBRecoveryPointCommand : RecoveryCmdlet
{
    /// <summary>The recovery point: from Get-OBAllRecoveryPoints, or its id or time.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [ArgumentCompleter(typeof(RecoveryPointCompleter))]
    public OBRecoverableItem RecoveryPoint { get; set; } = null!;

    /// <summary>Why: Get-OBDeletedRecoveryPoint shows it.</summary>
    [Parameter]
    public string Reason { get; set; } = "";

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
        if (!RecoveryPoint.IsWholePoint)
        {
            throw new BackupException(
                BackupErrorId.ArgumentInvalid,
                $"'{RecoveryPoint.ItemNameFriendly}' is an item of a recovery point; only a whole point is deleted.",
                "Give the point, from Get-OBAllRecoveryPoints, or its id or time.",
                nameof(RecoveryPoint));
        }

        (RecoveryArchive archive, RecoveryPoint? point, DamagedPoint? damaged, TimeSpan kept) = Run((_, stop) => FindAsync(stop));
        string days = string.Create(CultureInfo.InvariantCulture, $"{kept.TotalDays:0} days");
        string name = point?.ToOutput().ToString() ?? damaged!.SessionId.ToString();
        if (ShouldProcess(
            $"Deleting the recovery point '{name}' of {archive.MachineName}; it can be brought back for {days}.",
            $"The recovery point '{name}' of {archive.MachineName} will be in no list any more. "
                + $"Restore-OBRecoveryPoint can bring it back for {days}; after that, maintenance deletes it for good. Do you want to delete it?",
            "MSOnlineBackup"))
        {
            Run(async (pump, stop) =>
            {
                var consent = new Consent(SecurityPin, Approval);
                DeletedPoint deleted = point is null
                    ? await archive.Deletions.DeleteAsync(damaged!, Reason, stop, consent).ConfigureAwait(false)
                    : await archive.Deletions.DeleteAsync(point, Reason, stop, consent).ConfigureAwait(false);
                await pump.WriteObjectAsync((deleted with { Point = point }).ToOutput(archive.MachineName)).ConfigureAwait(false);
            });
        }
    }

    private async Task<(RecoveryArchive Archive, RecoveryPoint? Point, DamagedPoint? Damaged, TimeSpan Kept)> FindAsync(CancellationToken stop)
    {
        RecoveryArchive archive = await OpenAsync(RecoveryPoint.ServerName, RecoveryPoint.Access, stop).ConfigureAwait(false);
        TimeSpan kept = await archive.Deletions.ReadUndeleteTimeAsync(stop).ConfigureAwait(false);
        RecoveryPointList points = await archive.ListAsync(stop).ConfigureAwait(false);
        DamagedPoint? damaged = points.Damaged.SingleOrDefault(point => point.SessionId.ToString() == RecoveryPoint.RecoveryPointId);
        return (archive, damaged is null ? await archive.FindAsync(RecoveryPoint.RecoveryPointId, stop).ConfigureAwait(false) : null, damaged, kept);
    }
}
