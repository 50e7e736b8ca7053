using System.Management.Automation;
using MSOnlineBackup.Completion;
using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Engine.Snapshots;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Recovery;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Lists the recovery points of this machine, newest first.</summary>
[Cmdlet(VerbsCommon.Get, "OBAllRecoveryPoints", DefaultParameterSetName = "Default")]
[OutputType(typeof(OBBackupInfo))]
public sealed class GetOBAllRecoveryPointsCommand : RecoveryCmdlet
{
    /// <summary>Lists those that the copy of the vault in its secondary region has, which Set-OBMachineSetting -SecondaryVault names.</summary>
    [Parameter(Mandatory = true, ParameterSetName = "Copy")]
    public SwitchParameter UseSecondaryRegion { get; set; }

    /// <summary>Asks the copies of the vault as well, and says where each point is. Copies are what Set-OBMachineSetting -SecondaryVault and Set-OBPolicy -CopyTo name.</summary>
    [Parameter(ParameterSetName = "Default")]
    public SwitchParameter IncludeCopy { get; set; }

    /// <summary>Lists those of a virtual machine that the policy names.</summary>
    [Parameter(Mandatory = true, ParameterSetName = "Machine")]
    [ArgumentCompleter(typeof(VirtualMachineCompleter))]
    [ValidateNotNullOrEmpty]
    public string VirtualMachine { get; set; } = "";

    /// <inheritdoc/>
    protected override void Process() => Run(UseSecondaryRegion ? ListCopyAsync : VirtualMachine.Length > 0 ? ListMachineAsync : ListAsync);

    private async Task ListMachineAsync(CmdletPump pump, CancellationToken stop)
    {
        RecoveryArchive archive = await OpenAsync(VirtualMachine, null, stop).ConfigureAwait(false);
        foreach (RecoveryPoint point in await ListAsync(pump, archive, stop).ConfigureAwait(false))
        {
            await pump.WriteObjectAsync(point.ToOutput()).ConfigureAwait(false);
        }
    }

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

        List<(SessionId SessionId, OBBackupInfo Output)> all = IncludeCopy
            ? [.. (await ListPlacesAsync(pump, archive, stop).ConfigureAwait(false)).Select(placed => (placed.Point.SessionId, placed.Point.ToOutput(LocalOf(placed.Point), placed)))]
            : [.. (await ListAsync(pump, archive, stop).ConfigureAwait(false)).Select(point => (point.SessionId, point.ToOutput(LocalOf(point))))];
        HashSet<SessionId> known = [.. all.Select(each => each.SessionId)];
        all.AddRange(local.Where(each => !known.Contains(each.Id)).Select(each => (each.Id, each.ToOutput(isVaultKnown: true))));
        foreach ((_, OBBackupInfo output) in all.OrderByDescending(each => each.SessionId))
        {
            await pump.WriteObjectAsync(output).ConfigureAwait(false);
        }

        LocalPoint? LocalOf(RecoveryPoint point) => local.FirstOrDefault(each => each.Id == point.SessionId);
    }

    private async Task<IReadOnlyList<PlacedPoint>> ListPlacesAsync(CmdletPump pump, RecoveryArchive archive, CancellationToken stop)
    {
        PointPlaces places = await archive.FindPlacesAsync(Agent, stop).ConfigureAwait(false);
        Warn(pump, places.Damaged);
        foreach ((string location, BackupException failure) in places.Failures)
        {
            pump.WriteWarning($"What the copy '{location}' has is not known: {failure.Message} ({failure.Id}) {failure.RecommendedAction}");
        }

        return places.Points;
    }

    // The state may hold points of another name, or of a vault that this machine has left.
    private bool IsOurs(LocalPoint point) => Agent.Machine.Registration is { } own && own.IsNamed(point.MachineName) && (point.VaultId == own.VaultId || point.Vault == own.VaultLocation);
}
