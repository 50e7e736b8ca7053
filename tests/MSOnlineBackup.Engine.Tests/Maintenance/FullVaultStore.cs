using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Engine.Tests.Maintenance;

/// <summary>
/// A vault on a disk that has so much room left, and no more: what is created takes of it, in blocks of 4 KiB, and what is deleted gives it back.
/// </summary>
internal sealed class FullVaultStore(IVaultStore inner, long room) : IVaultStore
{
    private const int Block = 4096;
    private readonly Lock _gate = new();
    private long _room = room;

    /// <summary>How many creations found no room.</summary>
    public int Refused { get; private set; }

    /// <summary>Bytes of all that was created.</summary>
    public long Written { get; private set; }

    public string Location => inner.Location;

    public VaultStoreCapabilities Capabilities => inner.Capabilities;

    public async ValueTask<bool> TryCreateAsync(
        string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken, VaultAccessTier tier = VaultAccessTier.Hot)
    {
        long size = SizeOf(content.Length);
        lock (_gate)
        {
            if (size > _room)
            {
                Refused++;
                throw new BackupException(BackupErrorId.VaultFull, "There is no room left.", "Free some.", name);
            }

            _room -= size;
            Written += size;
        }

        return await inner.TryCreateAsync(name, content, cancellationToken, tier);
    }

    public ValueTask<int> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
        inner.ReadAsync(name, offset, destination, cancellationToken);

    public ValueTask<StoredObject?> StatAsync(string name, CancellationToken cancellationToken) => inner.StatAsync(name, cancellationToken);

    public IAsyncEnumerable<StoredObject> ListAsync(string prefix, CancellationToken cancellationToken) => inner.ListAsync(prefix, cancellationToken);

    public async ValueTask DeleteAsync(string name, CancellationToken cancellationToken)
    {
        StoredObject? found = await inner.StatAsync(name, cancellationToken);
        await inner.DeleteAsync(name, cancellationToken);
        lock (_gate)
        {
            _room += found is { } there ? SizeOf(there.Length) : 0;
        }
    }

    private static long SizeOf(long length) => (length + Block - 1) / Block * Block;
}
