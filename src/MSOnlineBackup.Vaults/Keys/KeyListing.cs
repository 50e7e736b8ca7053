using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Vaults.Keys;

/// <summary>A key slot, by its name.</summary>
/// <param name="StoreId">The chunk store that it opens.</param>
/// <param name="KeyId">32 hexadecimal digits.</param>
/// <param name="NewestEpoch">The highest epoch of the store's master key that the listing shows.</param>
internal readonly record struct KeyName(StoreId StoreId, string KeyId, byte NewestEpoch);

/// <summary>What a listing shows of the keys of a vault.</summary>
/// <param name="Slots">The key slots, also those of which only a copy is left.</param>
/// <param name="Order">The numbers of the order of passphrases, see <see cref="KeyOrder"/>: the lowest first.</param>
internal sealed record KeyListing(IReadOnlyList<KeyName> Slots, IReadOnlyList<uint> Order)
{
    /// <summary>Lists them, for which neither header nor passphrase is needed.</summary>
    /// <param name="objects">The vault.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="storeId">Of one store only, and without the order; null for all.</param>
    public static async Task<KeyListing> ReadAsync(IVaultStore objects, CancellationToken cancellationToken, StoreId? storeId = null)
    {
        var names = new List<KeyName>();
        var copies = new HashSet<KeyName>();
        var removed = new HashSet<KeyName>();
        var order = new SortedSet<uint>();
        var newest = new Dictionary<StoreId, byte>();
        string folder = storeId is { } store ? VaultLayout.Keys(store) : VaultLayout.AllKeys;
        await foreach (StoredObject found in objects.ListAsync(folder, cancellationToken).ConfigureAwait(false))
        {
            switch (VaultLayout.KindOf(found.Name, out StoreId? of))
            {
                case StoredKind.KeySlot:
                    names.Add(NameOf(of!.Value, found.Name));
                    break;
                case StoredKind.KeySlotCopy:
                    copies.Add(NameOf(of!.Value, found.Name));
                    break;
                case StoredKind.KeySlotRemoval:
                    removed.Add(NameOf(of!.Value, found.Name));
                    break;
                case StoredKind.KeyEpoch when VaultLayout.TryParseKeyEpoch(found.Name, out byte epoch):
                    newest[of!.Value] = Math.Max(epoch, newest.GetValueOrDefault(of.Value));
                    break;
                case StoredKind.KeyOrder when VaultLayout.TryParseKeyOrder(found.Name, out uint number):
                    order.Add(number);
                    break;
            }
        }

        // A copy that is alone is what is left of a slot that was lost, unless it was removed.
        copies.ExceptWith(removed);
        copies.ExceptWith(names);
        names.AddRange(copies);
        return new KeyListing(newest.Count == 0 ? names : names.ConvertAll(name => name with { NewestEpoch = newest.GetValueOrDefault(name.StoreId) }), [.. order]);
    }

    private static KeyName NameOf(StoreId storeId, string name) => new(storeId, name.Substring(name.LastIndexOf('/') + 1, IdDigits.Count), 0);

    /// <summary>Whether another listing shows the same.</summary>
    public bool IsAs(KeyListing other) => Slots.ToHashSet().SetEquals(other.Slots) && Order.SequenceEqual(other.Order);
}
