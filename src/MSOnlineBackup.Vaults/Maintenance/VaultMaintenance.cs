using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Vaults.Maintenance;

/// <summary>A run of maintenance: collection, with what room there is, then verification of a share and what goes on record.</summary>
/// <param name="open">Gives the store anew: nothing of it read.</param>
/// <param name="options">Clock and workers.</param>
/// <param name="request">What it may do.</param>
/// <param name="monitor">Is told how far it is.</param>
/// <param name="allow">Refuses what the vault's records allow newer versions only.</param>
internal sealed class VaultMaintenance(
    Func<ChunkStore> open, VaultOptions options, MaintenanceRequest request, JobMonitor monitor, Action<VaultUse> allow)
{
    /// <summary>Runs.</summary>
    public async Task<MaintenanceReport> RunAsync(CancellationToken cancellationToken)
    {
        if (request.IsRehearsal)
        {
            return await CollectAsync(request, cancellationToken).ConfigureAwait(false);
        }

        long began = options.TimeProvider.GetTimestamp();
        MaintenanceReport done;
        try
        {
            done = await CollectAsync(request, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e) when (e.Id == BackupErrorId.VaultFull)
        {
            done = await CollectFullAsync(e, cancellationToken).ConfigureAwait(false);
        }

        TimeSpan? left = request.MaxDuration - options.TimeProvider.GetElapsedTime(began);
        return await new MaintenanceProofs(open(), monitor, options.TimeProvider).FollowAsync(done, request, left, cancellationToken).ConfigureAwait(false);
    }

    private async Task<MaintenanceReport> CollectAsync(MaintenanceRequest what, CancellationToken cancellationToken)
    {
        ChunkStore store = open();
        MaintenanceReport done = await new Collector(store, options, what, monitor, allow).RunAsync(cancellationToken).ConfigureAwait(false);
        store.ReleaseMemory();
        return done;
    }

    // First what nothing needs, in the room that was held for this; then, with what that has freed, everything.
    private async Task<MaintenanceReport> CollectFullAsync(BackupException full, CancellationToken cancellationToken)
    {
        MaintenanceReport first;
        try
        {
            MaintenanceRequest thrifty = request with { MaxRepackBytes = 0, MostDead = ReservedRoom.MostPacks };
            first = await CollectAsync(thrifty, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e) when (e.Id == BackupErrorId.VaultFull)
        {
            throw new BackupException(
                e.Id,
                $"There is no room left to maintain the vault: it needs about half a megabyte, and none was held for it. {full.Message}",
                "Free a little room beside the vault, or raise the quota, and run maintenance again. From then on it holds room for itself.",
                e.Target,
                innerException: e);
        }

        try
        {
            return first.Packs.BytesFreed == 0 ? first : first.Then(await CollectAsync(request, cancellationToken).ConfigureAwait(false));
        }
        catch (BackupException e) when (e.Id == BackupErrorId.VaultFull)
        {
            // There was not enough for packs that are written anew: the next run goes on.
            return first;
        }
    }
}
