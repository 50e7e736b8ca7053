using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Keys;
using MSOnlineBackup.Vaults.Layout;
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
