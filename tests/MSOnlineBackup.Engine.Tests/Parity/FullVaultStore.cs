using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Engine.Tests.Parity;

/// <summary>A vault that has no room for some objects.</summary>
internal sealed class FullVaultStore(IVaultStore inner, Predicate<string> isRefused) : IVaultStore
{
    public string Location => inner.Location;

    public VaultStoreCapabilities Capabilities => inner.Capabilities;

    public ValueTask<bool> TryCreateAsync(
        string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken, VaultAccessTier tier = VaultAccessTier.Hot) =>
        isRefused(name)
            ? throw new BackupException(BackupErrorId.VaultFull, "There is no room.", "A test.", name)
            : inner.TryCreateAsync(name, content, cancellationToken, tier);

    public ValueTask<int> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
        inner.ReadAsync(name, offset, destination, cancellationToken);

    public ValueTask<StoredObject?> StatAsync(string name, CancellationToken cancellationToken) => inner.StatAsync(name, cancellationToken);

    public IAsyncEnumerable<StoredObject> ListAsync(string prefix, CancellationToken cancellationToken) => inner.ListAsync(prefix, cancellationToken);

    public ValueTask DeleteAsync(string name, CancellationToken cancellationToken) => inner.DeleteAsync(name, cancellationToken);
}
