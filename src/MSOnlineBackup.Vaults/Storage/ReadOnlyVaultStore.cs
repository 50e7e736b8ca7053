using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Vaults.Storage;

/// <summary>A store of which nothing can be changed: what would be written or deleted is refused with VaultAccessDenied, as by a store whose owner allows only reading.</summary>
/// <param name="inner">The store. It need not be decorated further: whatever counts and retries lies in it.</param>
public sealed class ReadOnlyVaultStore(IVaultStore inner) : IVaultStore
{
    /// <inheritdoc/>
    public string Location => inner.Location;

    /// <inheritdoc/>
    public VaultStoreCapabilities Capabilities => inner.Capabilities;

    /// <inheritdoc/>
    public VaultTraffic? Traffic => inner.Traffic;

    /// <inheritdoc/>
    public VaultWait? Wait => inner.Wait;

    /// <inheritdoc/>
    public ValueTask<bool> TryCreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken, VaultAccessTier tier = VaultAccessTier.Hot) =>
        throw Refused(name);

    /// <inheritdoc/>
    public ValueTask<int> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
        inner.ReadAsync(name, offset, destination, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<StoredObject?> StatAsync(string name, CancellationToken cancellationToken) => inner.StatAsync(name, cancellationToken);

    /// <inheritdoc/>
    public IAsyncEnumerable<StoredObject> ListAsync(string prefix, CancellationToken cancellationToken) => inner.ListAsync(prefix, cancellationToken);

    /// <inheritdoc/>
    public ValueTask DeleteAsync(string name, CancellationToken cancellationToken) => throw Refused(name);

    /// <inheritdoc/>
    public ValueTask<UnfinishedWrites> MeasureUnfinishedAsync(CancellationToken cancellationToken) => inner.MeasureUnfinishedAsync(cancellationToken);

    private BackupException Refused(string name) => new(
        BackupErrorId.VaultAccessDenied,
        $"The vault in '{Location}' is only read here, as the copy of another: '{name}' is not changed.",
        "Name the vault itself, and not its secondary region, for whatever changes something.",
        Location);
}
