using System.Collections.Concurrent;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Vaults.Verification;

/// <summary>Verifies the checkpoints of a chunk store, and tells which of them no job goes on from any more.</summary>
/// <param name="store">The store.</param>
/// <param name="inventory">Judges what is damaged.</param>
internal sealed class CheckpointVerifier(ChunkStore store, Inventory inventory)
{
    private readonly ConcurrentBag<(RecoveryPoint Checkpoint, long Length)> _read = [];

    /// <summary>Verifies checkpoints.</summary>
    public Task RunAsync(IEnumerable<StoredObject> checkpoints, CancellationToken cancellationToken)
    {
        var catalog = new RecoveryPointCatalog(store);
        var options = new ParallelOptions { CancellationToken = cancellationToken, MaxDegreeOfParallelism = store.Objects.Capabilities.MaxConcurrency };
        return Parallel.ForEachAsync(checkpoints, options, async (found, token) =>
        {
            try
            {
                _read.Add((await catalog.ReadCheckpointAsync(found, token).ConfigureAwait(false), found.Length));
            }
            catch (BackupException e) when (e.IsOfOneObject)
            {
                inventory.Judge(found.Name, e, isNeeded: false);
            }
        });
    }

    /// <summary>Bytes of the checkpoints whose machine has a newer point, or one of the same session.</summary>
    public long MeasureStale(NewestPoints newest) =>
        _read.Where(found => found.Checkpoint.SessionId <= newest.Of(found.Checkpoint.MachineId)).Sum(found => found.Length);
}
