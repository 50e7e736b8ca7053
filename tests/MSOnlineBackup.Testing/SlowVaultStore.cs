using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Testing;

/// <summary>Takes some objects so slowly that they never arrive: who creates one waits until it gives up.</summary>
public sealed class SlowVaultStore(IVaultStore inner, Func<string, bool> isSlow) : IVaultStore
{
    private readonly TaskCompletionSource _taking = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when the first of these objects is on its way.</summary>
    public Task Taking => _taking.Task;

    /// <summary>Whether somebody has given up waiting.</summary>
    public bool HasGivenUp { get; private set; }

    public string Location => inner.Location;

    public VaultStoreCapabilities Capabilities => inner.Capabilities;

    public async ValueTask<bool> TryCreateAsync(
        string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken, VaultAccessTier tier = VaultAccessTier.Hot)
    {
        if (isSlow(name))
        {
            _taking.TrySetResult();
            try
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
            }
            finally
            {
                HasGivenUp = true;
            }
        }

        return await inner.TryCreateAsync(name, content, cancellationToken, tier);
    }

    public ValueTask<int> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
        inner.ReadAsync(name, offset, destination, cancellationToken);

    public ValueTask<StoredObject?> StatAsync(string name, CancellationToken cancellationToken) => inner.StatAsync(name, cancellationToken);

    public IAsyncEnumerable<StoredObject> ListAsync(string prefix, CancellationToken cancellationToken) => inner.ListAsync(prefix, cancellationToken);

    public ValueTask DeleteAsync(string name, CancellationToken cancellationToken) => inner.DeleteAsync(name, cancellationToken);
}
