using System.Management.Automation;
using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Engine.Snapshots;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Recovery;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Lists the recovery points of this machine, newest first.</summary>
[Cmdlet(VerbsCommon.Get, "OBAllRecoveryPoints")]
[OutputType(typeof(OBBackupInfo))]
public sealed class GetOBAllRecoveryPointsCommand : RecoveryCmdlet
{
    /// <summary>Lists those that the copy of the vault in its secondary region has, which Set-OBMachineSetting -SecondaryVault names.</summary>
    [Parameter]
    public SwitchParameter UseSecondaryRegion { get; set; }

    /// <inheritdoc/>
    protected override void Process() => Run(UseSecondaryRegion ? ListCopyAsync : ListAsync);

    private async Task ListCopyAsync(CmdletPump pump, CancellationToken stop)
    {
        RecoveryArchive copy = await OpenAsync("", VaultAccess.ToCopy(Agent, null), stop).ConfigureAwait(false);
        foreach (RecoveryPoint point in await ListAsync(pump, copy, stop).ConfigureAwait(false))
        {
            await pump.WriteObjectAsync(point.ToOutput()).ConfigureAwait(false);
        }
    }

    private async Task ListAsync(CmdletPump pump, CancellationToken stop)
    {
        IReadOnlyList<LocalPoint> local = [.. (await Agent.ListLocalPointsAsync(stop).ConfigureAwait(false)).Where(IsOurs)];
        RecoveryArchive archive;
        try
        {
            archive = await OpenAsync("", null, stop).ConfigureAwait(false);
        }
        catch (BackupException e) when (local.Count > 0 && LocalRestore.StandsIn(e))
        {
            pump.WriteWarning($"Only points with local snapshots are listed: {e.Message} ({e.Id}) {e.RecommendedAction}");
            foreach (LocalPoint point in local)
            {
                await pump.WriteObjectAsync(point.ToOutput(isVaultKnown: false)).ConfigureAwait(false);
            }

            return;
        }

        RecoveryPointList points = await ListAsync(pump, archive, stop).ConfigureAwait(false);
        var all = points.Select(point => (point.SessionId, Output: point.ToOutput(local.FirstOrDefault(each => each.Id == point.SessionId)))).ToList();
        all.AddRange(local.Where(each => points.All(point => point.SessionId != each.Id)).Select(each => (each.Id, each.ToOutput(isVaultKnown: true))));
        foreach ((_, OBBackupInfo output) in all.OrderByDescending(each => each.SessionId))
        {
            await pump.WriteObjectAsync(output).ConfigureAwait(false);
        }
    }

    // The state may hold points of another name, or of a vault that this machine has left.
    private bool IsOurs(LocalPoint point) => Agent.Machine.Registration is { } own && own.IsNamed(point.MachineName) && (point.VaultId == own.VaultId || point.Vault == own.VaultLocation);
}
