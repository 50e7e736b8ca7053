using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Vaults.Copies;

/// <summary>Which points of a vault a copy that is at work is bringing to a twin: those that the twin lacks and would get.</summary>
internal static class PointsOnTheirWay
{
    /// <summary>Looks for a copy at work, and what it brings.</summary>
    /// <param name="from">The vault; no index is needed.</param>
    /// <param name="to">Its twin; no index is needed.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>Their ids; none where no copy is at work.</returns>
    public static async Task<IReadOnlySet<SessionId>> FindAsync(ChunkStore from, ChunkStore to, CancellationToken cancellationToken) =>
        await IsCopyAtWorkAsync(to, cancellationToken).ConfigureAwait(false)
            ? (await PointSelection.FindAsync(from, to, new VaultCopyRequest(), cancellationToken).ConfigureAwait(false)).Wanted.Select(name => name.SessionId).ToHashSet()
            : new HashSet<SessionId>();

    private static async Task<bool> IsCopyAtWorkAsync(ChunkStore twin, CancellationToken cancellationToken)
    {
        CollectionView view = await CollectionView.TakeAsync(twin, cancellationToken).ConfigureAwait(false);

        // One that was killed says nothing any more, and maintenance takes it for dead after the same time.
        DateTimeOffset silent = twin.Vault.Options.TimeProvider.GetUtcNow() - new MaintenanceRequest().ShutOutAfter;
        foreach (SessionId session in view.Open.Where(session => view.LastSignOf(session) > silent))
        {
            try
            {
                string name = VaultLayout.Session(twin.StoreId, session);
                if ((await PlainObjects.ReadSessionAsync(twin.Objects, twin.Header, name, cancellationToken).ConfigureAwait(false)).IsCopy)
                {
                    return true;
                }
            }
            catch (BackupException e) when (e.IsDamage)
            {
                // It is over meanwhile, or damaged, which verification tells.
            }
        }

        return false;
    }
}
