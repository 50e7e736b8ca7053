using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Testing;

/// <summary>Lets a test do something before an object is created or deleted, while who does so waits.</summary>
public sealed class WatchedVaultStore(IVaultStore inner, Action<string> beforeCreate, Func<string, Task>? beforeDelete = null) : IVaultStore
{
    public string Location => inner.Location;

    public VaultStoreCapabilities Capabilities => inner.Capabilities;

    public async ValueTask<bool> TryCreateAsync(
        string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken, VaultAccessTier tier = VaultAccessTier.Hot)
    {
        beforeCreate(name);
        return await inner.TryCreateAsync(name, content, cancellationToken, tier);
    }

    public ValueTask<int> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
        inner.ReadAsync(name, offset, destination, cancellationToken);

    public ValueTask<StoredObject?> StatAsync(string name, CancellationToken cancellationToken) => inner.StatAsync(name, cancellationToken);

    public IAsyncEnumerable<StoredObject> ListAsync(string prefix, CancellationToken cancellationToken) => inner.ListAsync(prefix, cancellationToken);

    public async ValueTask DeleteAsync(string name, CancellationToken cancellationToken)
    {
        await (beforeDelete?.Invoke(name) ?? Task.CompletedTask);
        await inner.DeleteAsync(name, cancellationToken);
    }
}
