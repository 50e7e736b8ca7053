using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Vaults.Repair;

/// <summary>
/// Damaged objects that nothing needs once the packs that are there are named: index segments, checkpoints, and records of sessions that have made their point. What cannot be
/// read for another reason, or is a newer version's, is none.
/// </summary>
/// <param name="store">The store, its index read.</param>
internal sealed class BrokenObjects(ChunkStore store)
{
    /// <summary>Finds them. Each is read again.</summary>
    /// <param name="view">What is there, listed after all packs were named.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task<IReadOnlyList<string>> FindAsync(CollectionView view, CancellationToken cancellationToken)
    {
        var broken = new List<string>();
        foreach (string segment in store.Damage.Select(damage => damage.Target ?? string.Empty).Where(name => VaultLayout.KindOf(name, out _) == StoredKind.Segment).Distinct())
        {
            if (await store.Objects.StatAsync(segment, cancellationToken).ConfigureAwait(false) is { } found
                && await IsCorruptAsync(async () => await store.ReadFirstAsync(found.Name, found.Length, cancellationToken).ConfigureAwait(false)).ConfigureAwait(false))
            {
                broken.Add(segment);
            }
        }

        var catalog = new RecoveryPointCatalog(store);
        var writers = new HashSet<SessionId>();
        foreach (StoredObject found in view.Checkpoints)
        {
            if (await IsCorruptAsync(() => catalog.ReadCheckpointAsync(found, cancellationToken)).ConfigureAwait(false))
            {
                broken.Add(found.Name);
            }
            else if (VaultLayout.TryParseNumbered(found.Name, out SessionId session, out _))
            {
                writers.Add(session);
            }
        }

        // Of a session that has its point the record says nothing any more, unless something is left that only it explains.
        HashSet<(SessionId Session, uint Number)> named = [.. store.SegmentPacks.Values.SelectMany(packs => packs).Select(pack => (pack.Session, pack.Number))];
        writers.UnionWith(view.Packs.Where(pack => !named.Contains(pack)).Select(pack => pack.Session));
        foreach (SessionId session in view.Recorded.Where(session => view.HasPoint(session) && !writers.Contains(session)))
        {
            string name = VaultLayout.Session(store.StoreId, session);
            if (await IsCorruptAsync(() => PlainObjects.ReadSessionAsync(store.Objects, store.Header, name, cancellationToken)).ConfigureAwait(false))
            {
                broken.Add(name);
            }
        }

        return broken;
    }

    /// <summary>Whether reading something shows that it is damaged for good.</summary>
    internal static async Task<bool> IsCorruptAsync(Func<Task> read)
    {
        try
        {
            await read().ConfigureAwait(false);
            return false;
        }
        catch (BackupException e) when (e.IsOfOneObject)
        {
            return e.Id == BackupErrorId.VaultDataCorrupt;
        }
    }
}
