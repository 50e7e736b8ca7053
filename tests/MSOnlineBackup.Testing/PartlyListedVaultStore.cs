using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Testing;

/// <summary>A vault whose listings leave out objects that are there: under their names they are to be had.</summary>
public sealed class PartlyListedVaultStore(IVaultStore inner, Func<string, bool> isUnlisted) : IVaultStore
{
    public string Location => inner.Location;

    public VaultStoreCapabilities Capabilities => inner.Capabilities;

    public ValueTask<bool> TryCreateAsync(
        string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken, VaultAccessTier tier = VaultAccessTier.Hot) =>
        inner.TryCreateAsync(name, content, cancellationToken, tier);

    public ValueTask<int> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
        inner.ReadAsync(name, offset, destination, cancellationToken);

    public ValueTask<StoredObject?> StatAsync(string name, CancellationToken cancellationToken) => inner.StatAsync(name, cancellationToken);

    public IAsyncEnumerable<StoredObject> ListAsync(string prefix, CancellationToken cancellationToken) =>
        inner.ListAsync(prefix, cancellationToken).Where(found => !isUnlisted(found.Name));

    public ValueTask DeleteAsync(string name, CancellationToken cancellationToken) => inner.DeleteAsync(name, cancellationToken);
}
