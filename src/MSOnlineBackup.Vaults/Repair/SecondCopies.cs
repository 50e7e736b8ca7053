using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Vaults.Repair;

/// <summary>Restores index segments and points that are damaged, and points that are lost, from their second copies: byte for byte, under the names that they had.</summary>
/// <param name="store">The store, its index read.</param>
internal sealed class SecondCopies(ChunkStore store)
{
    /// <summary>The names of the objects that can be restored. Nothing is changed.</summary>
    /// <param name="view">What is there.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task<IReadOnlyList<string>> FindAsync(CollectionView view, CancellationToken cancellationToken)
    {
        var found = new List<string>();
        if (view.Copies.Count == 0)
        {
            return found;
        }

        // Segments were read when the store was opened.
        HashSet<string> damaged = [.. store.Damage.Select(damage => damage.Target ?? string.Empty)];
        IEnumerable<StoredObject> doubtful = view.Twins.Where(one => view.Copies.Contains(VaultLayout.CopyOf(one.Name)) && (VaultLayout.TryParsePoint(one.Name, out _, out _) || damaged.Contains(one.Name)));
        foreach (StoredObject one in doubtful)
        {
            if (await BrokenObjects.IsCorruptAsync(() => store.ReadFirstAsync(one.Name, one.Length, cancellationToken)).ConfigureAwait(false))
            {
                found.Add(one.Name);
            }
        }

        var catalog = new RecoveryPointCatalog(store);
        List<PointName> names = await catalog.ListAllAndLossesAsync(null, cancellationToken).ConfigureAwait(false);
        await foreach ((PointName name, Deletion deletion) in catalog.ReadDecisionsAsync(names.Where(name => name.Object is null), cancellationToken).ConfigureAwait(false))
        {
            string point = VaultLayout.Point(store.StoreId, name.MachineId, name.SessionId);
            if (deletion.State != DeletionState.Gone && view.Copies.Contains(VaultLayout.CopyOf(point)))
            {
                found.Add(point);
            }
        }

        return found;
    }

    /// <summary>Restores one. False where its copy does not open either, or the storage keeps what is damaged.</summary>
    public async Task<bool> TryRestoreAsync(string name, CancellationToken cancellationToken)
    {
        if (await store.TryReadCopyAsync(name, cancellationToken).ConfigureAwait(false) is not { } copy)
        {
            return false;
        }

        // The copy stays: whoever is stopped between the two leaves a point that is lost and has a copy, or a segment whose packs say themselves what they hold.
        if (!await store.Deletion.TryDeleteAsync(name, cancellationToken).ConfigureAwait(false))
        {
            return false;
        }

        await store.Objects.TryCreateAsync(name, copy.Content, cancellationToken).ConfigureAwait(false);
        return true;
    }
}
