using System.Collections.Concurrent;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Testing;

/// <summary>Notes which objects a vault is asked for, and refuses whoever may not add to it.</summary>
/// <param name="inner">The vault.</param>
/// <param name="isReadOnly">Whether nothing may be added or deleted.</param>
public sealed class AskedVaultStore(IVaultStore inner, bool isReadOnly = false) : IVaultStore
{
    private readonly ConcurrentQueue<string> _asked = new();

    public string Location => inner.Location;

    public VaultStoreCapabilities Capabilities => inner.Capabilities;

    /// <summary>The names of objects and the prefixes of listings that were asked for, in order.</summary>
    public IReadOnlyList<string> Asked => [.. _asked];

    public ValueTask<bool> TryCreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken, VaultAccessTier tier = VaultAccessTier.Hot) =>
        isReadOnly ? throw Refused(name) : Note(name).TryCreateAsync(name, content, cancellationToken, tier);

    public ValueTask<int> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
        Note(name).ReadAsync(name, offset, destination, cancellationToken);

    public ValueTask<StoredObject?> StatAsync(string name, CancellationToken cancellationToken) => Note(name).StatAsync(name, cancellationToken);

    public IAsyncEnumerable<StoredObject> ListAsync(string prefix, CancellationToken cancellationToken) => Note(prefix).ListAsync(prefix, cancellationToken);

    public ValueTask DeleteAsync(string name, CancellationToken cancellationToken) =>
        isReadOnly ? throw Refused(name) : Note(name).DeleteAsync(name, cancellationToken);

    private IVaultStore Note(string name)
    {
        _asked.Enqueue(name);
        return inner;
    }

    private static BackupException Refused(string name) => new(BackupErrorId.VaultAccessDenied, $"'{name}' may not be written.", "None: a test.", name);
}
