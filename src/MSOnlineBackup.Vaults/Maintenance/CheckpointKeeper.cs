using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Vaults.Maintenance;

/// <summary>Keeps the checkpoints that a next run of a job may take up, and removes those that a newer point of their machine has overtaken.</summary>
/// <param name="store">The store.</param>
/// <param name="damaged">Gets those that cannot be read, or removed.</param>
internal sealed class CheckpointKeeper(ChunkStore store, Action<BackupException> damaged)
{
    /// <summary>Removed checkpoints.</summary>
    public int Removed { get; private set; }

    /// <summary>Returns the checkpoints that stay.</summary>
    /// <param name="found">The checkpoints, as they were listed.</param>
    /// <param name="newest">The newest point of each machine.</param>
    /// <param name="isRehearsal">Whether nothing is to be removed.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task<IReadOnlyCollection<RecoveryPoint>> KeepAsync(
        IEnumerable<StoredObject> found, IReadOnlyDictionary<MachineId, SessionId> newest, bool isRehearsal, CancellationToken cancellationToken)
    {
        var catalog = new RecoveryPointCatalog(store);
        var kept = new List<RecoveryPoint>();
        foreach (StoredObject stored in found)
        {
            try
            {
                RecoveryPoint checkpoint = await catalog.ReadCheckpointAsync(stored, cancellationToken).ConfigureAwait(false);
                if (!newest.TryGetValue(checkpoint.MachineId, out SessionId overtaking) || checkpoint.SessionId > overtaking)
                {
                    kept.Add(checkpoint);
                }
                else if (!isRehearsal)
                {
                    Removed += await store.Deletion.TryDeleteAsync(stored.Name, cancellationToken).ConfigureAwait(false) ? 1 : 0;
                }
            }
            catch (BackupException e) when (e.IsOfOneObject)
            {
                damaged(e);
            }
        }

        return kept;
    }
}
