using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Engine.Tests.Repair;

/// <summary>A vault as somebody sees it who may add to it, and not delete from it.</summary>
internal sealed class AddOnlyStore(IVaultStore inner) : IVaultStore
{
    public string Location => inner.Location;

    public VaultStoreCapabilities Capabilities => inner.Capabilities;

    public ValueTask<bool> TryCreateAsync(
        string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken, VaultAccessTier tier = VaultAccessTier.Hot) =>
        inner.TryCreateAsync(name, content, cancellationToken, tier);

    public ValueTask<int> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
        inner.ReadAsync(name, offset, destination, cancellationToken);

    public ValueTask<StoredObject?> StatAsync(string name, CancellationToken cancellationToken) => inner.StatAsync(name, cancellationToken);

    public IAsyncEnumerable<StoredObject> ListAsync(string prefix, CancellationToken cancellationToken) => inner.ListAsync(prefix, cancellationToken);

    public ValueTask DeleteAsync(string name, CancellationToken cancellationToken) =>
        throw new BackupException(BackupErrorId.VaultAccessDenied, $"'{name}' may not be deleted.", "A test.", name);
}
