using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Vaults.Verification;

/// <summary>Verifies what was decided on the deletion of points, and knows what holds of each.</summary>
/// <param name="store">The store.</param>
/// <param name="inventory">Judges what is damaged.</param>
internal sealed class DeletionVerifier(ChunkStore store, Inventory inventory)
{
    private readonly HashSet<(MachineId MachineId, SessionId SessionId)> _hidden = [];

    /// <summary>Points that are deleted, whether they can be brought back or not.</summary>
    public IReadOnlySet<(MachineId MachineId, SessionId SessionId)> Hidden => _hidden;

    /// <summary>Reads all records.</summary>
    public async Task RunAsync(IEnumerable<StoredObject> records, CancellationToken cancellationToken)
    {
        var log = new DeletionLog(store);
        await foreach ((DeletionSeries series, Deletion deletion, IReadOnlyList<BackupException> replaced) in ReadAhead.SelectAsync(
            DeletionLog.Sort(records).Values,
            store.Objects.Capabilities.MaxConcurrency,
            async (series, token) => (series, await log.ReadAsync(series, token).ConfigureAwait(false), await ReadReplacedAsync(log, series, token).ConfigureAwait(false)),
            cancellationToken).ConfigureAwait(false))
        {
            if (deletion.IsHidden)
            {
                _hidden.Add((series.MachineId, series.SessionId));
            }

            foreach (BackupException damage in deletion.Damage is { } newest ? replaced.Prepend(newest) : replaced)
            {
                inventory.Judge(damage.Target!, damage, isNeeded: false);
            }
        }
    }

    private static async Task<IReadOnlyList<BackupException>> ReadReplacedAsync(DeletionLog log, DeletionSeries series, CancellationToken cancellationToken)
    {
        var damage = new List<BackupException>();
        foreach ((_, StoredObject found) in series.Records.Skip(1))
        {
            try
            {
                await log.ReadRecordAsync(found, cancellationToken).ConfigureAwait(false);
            }
            catch (BackupException e) when (e.IsOfOneObject)
            {
                damage.Add(e);
            }
        }

        return damage;
    }
}
