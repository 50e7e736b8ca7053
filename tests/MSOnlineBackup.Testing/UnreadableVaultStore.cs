using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Testing;

/// <summary>A vault that answers, on a medium some of whose sectors have failed: the objects chosen cannot be read, whoever asks.</summary>
public sealed class UnreadableVaultStore(IVaultStore inner, Func<string, bool> isUnreadable) : IVaultStore
{
    public string Location => inner.Location;

    public VaultStoreCapabilities Capabilities => inner.Capabilities;

    public ValueTask<bool> TryCreateAsync(
        string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken, VaultAccessTier tier = VaultAccessTier.Hot) =>
        inner.TryCreateAsync(name, content, cancellationToken, tier);

    public ValueTask<int> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken) => isUnreadable(name)
        ? throw new BackupException(BackupErrorId.VaultDataUnreadable, $"Object '{name}' cannot be read: Input/output error.", "None: a test.", name)
        : inner.ReadAsync(name, offset, destination, cancellationToken);

    public ValueTask<StoredObject?> StatAsync(string name, CancellationToken cancellationToken) => inner.StatAsync(name, cancellationToken);

    public IAsyncEnumerable<StoredObject> ListAsync(string prefix, CancellationToken cancellationToken) => inner.ListAsync(prefix, cancellationToken);

    public ValueTask DeleteAsync(string name, CancellationToken cancellationToken) => inner.DeleteAsync(name, cancellationToken);
}
