using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Keys;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Stores;


namespace MSOnlineBackup.Testing;

/// <summary>A vault seen from inside: what tests ask beyond what the engine answers.</summary>
public sealed class OpenedVault
{
    private readonly ChunkStore _store;

    private OpenedVault(ChunkStore store) => _store = store;

    /// <summary>Opens the chunk store that a passphrase unlocks, with everything that its packs hold.</summary>
    public static async Task<OpenedVault> OpenAsync(IVaultStore objects, string passphrase, CancellationToken cancellationToken)
    {
        VaultHeader header = await VaultHeader.ReadAsync(objects, cancellationToken);
        UnlockedKey unlocked = await new KeyRing(TestVault.Of(objects, header)).UnlockAsync(passphrase, cancellationToken);
        ChunkStore store = await TestVault.OpenStoreAsync(objects, header, unlocked.StoreId, unlocked.MasterKey, cancellationToken);
        await store.SurveyPacksAsync(cancellationToken);
        return new OpenedVault(store);
    }

    /// <summary>One whose store is open already, its packs surveyed or not.</summary>
    internal static OpenedVault Of(ChunkStore store) => new(store);

    /// <summary>Lets go of a point for good, as maintenance does when its time is over. The next run of maintenance clears it away.</summary>
    public async Task EndAsync(RecoveryPoint point, CancellationToken cancellationToken)
    {
        var log = new DeletionLog(_store);
        foreach (DeletionState state in (DeletionState[])[DeletionState.Deleted, DeletionState.Gone])
        {
            await log.DecideAsync(new DeletionSeries(point.MachineId, point.SessionId, []), _ => new DeletionRecord(state, "a test", "0"), cancellationToken);
        }
    }

    /// <summary>
    /// What is there that nobody needs: no pack, segment, checkpoint or session should be but those of points, and of the last maintenance itself.
    /// </summary>
    public async Task<IReadOnlyList<string>> FindUntidyAsync(CancellationToken cancellationToken)
    {
        await _store.SurveyPacksAsync(cancellationToken);
        var marks = new ChunkMarks(_store.Index.Consolidate());
        var marker = new Marker(marks, 2);
        var catalog = new RecoveryPointCatalog(_store);
        await marker.MarkAsync(
            _store, catalog.ReadAsync(await catalog.ListNamesAsync(null, cancellationToken, includeDeleted: true), cancellationToken), cancellationToken);
        CollectionView view = await CollectionView.TakeAsync(_store, cancellationToken);
        HashSet<string> named = [.. _store.SegmentPacks.Values.SelectMany(packs => packs).Select(_store.NameOf)];
        List<string> names =
            await _store.Objects.ListAsync($"stores/{_store.StoreId}/", cancellationToken).Select(found => found.Name).ToListAsync(cancellationToken);
        HashSet<string> packs = [.. names.Where(name => VaultLayout.KindOf(name, out _) == StoredKind.Pack)];
        string[] collections =
        [
            .. names.Where(name => VaultLayout.KindOf(name, out _) == StoredKind.Collection && !name.EndsWith(".reserve", StringComparison.Ordinal))
                .Select(name => name[..(name.LastIndexOf('/') + 9)]).Distinct(),
        ];
        return
        [
            .. marker.Damage.Concat(_store.Damage).Select(damage => damage.Message),
            .. PackUse.Measure(_store.Index, marks, _ => true).Where(use => use.Needed == 0).Select(use => $"Nothing needs {_store.NameOf(use.Pack)}."),
            .. packs.Except(named).Select(name => $"No segment names {name}."),
            .. named.Except(packs).Select(name => $"A segment names {name}, which is not there."),
            .. names.Where(name => VaultLayout.KindOf(name, out _) == StoredKind.Checkpoint).Select(name => $"There is {name}."),
            .. view.Open.Select(session => $"Session {session} is not over."),
            .. collections.Length > 1 ? collections : [],
        ];
    }

    /// <summary>How many times a chunk of content is stored once more than needed.</summary>
    public int CountRepeatedContents() =>
        _store.Index.All()
            .Where(location => location.Chunk.Kind == ChunkKind.Content && location.Pack.IsAvailable)
            .DistinctBy(location => (location.Chunk.Id, location.Pack.Session, location.Pack.Number))
            .GroupBy(location => location.Chunk.Id)
            .Sum(copies => copies.Count() - 1);

    /// <summary>What a point says of its first source, every byte of it read.</summary>
    public Task<SortedDictionary<string, string>> ReadFirstSourceAsync(RecoveryPoint point, CancellationToken cancellationToken) =>
        TreeState.ReadAsync(_store, point.Sources[0].Manifest, cancellationToken);
}
