using System.Runtime.CompilerServices;
using MSOnlineBackup.Vaults.Telemetry;

namespace MSOnlineBackup.Vaults.Storage;

/// <summary>
/// Counts what a store is asked, in the classes that clouds charge by. It stands beneath the retries, for every attempt is charged,
/// also one that failed. Free of locks: a reading while calls are under way may be of slightly different moments.
/// </summary>
public sealed class MeteredVaultStore(IVaultStore inner) : IVaultStore
{
    /// <summary>How many objects a page of a listing holds.</summary>
    public const int PageLength = 5000;

    private long _writes;
    private long _lists;
    private long _reads;
    private long _others;
    private long _sentBytes;
    private long _fetchedBytes;

    /// <inheritdoc/>
    public string Location => inner.Location;

    /// <inheritdoc/>
    public VaultStoreCapabilities Capabilities => inner.Capabilities;

    /// <inheritdoc/>
    public IVaultAccount? Account => inner.Account;

    /// <inheritdoc/>
    public IVaultAttack? Attack => inner.Attack;

    /// <inheritdoc/>
    public IObjectLocks? Locks => inner.Locks is { } locks ? new MeteredLocks(this, locks) : null;

    /// <inheritdoc/>
    public VaultTraffic? Traffic => new VaultTraffic(
        Interlocked.Read(ref _writes),
        Interlocked.Read(ref _lists),
        Interlocked.Read(ref _reads),
        Interlocked.Read(ref _others),
        Interlocked.Read(ref _sentBytes),
        Interlocked.Read(ref _fetchedBytes));

    /// <inheritdoc/>
    public ValueTask<bool> TryCreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken, VaultAccessTier tier = VaultAccessTier.Hot)
    {
        Interlocked.Increment(ref _writes);
        Interlocked.Add(ref _sentBytes, content.Length);
        return EngineTelemetry.WatchesRequests
            ? TracedCreateAsync(name, content, tier, cancellationToken)
            : inner.TryCreateAsync(name, content, cancellationToken, tier);
    }

    /// <inheritdoc/>
    public async ValueTask<int> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _reads);
        int read = EngineTelemetry.WatchesRequests
            ? await TracedReadAsync(name, offset, destination, cancellationToken).ConfigureAwait(false)
            : await inner.ReadAsync(name, offset, destination, cancellationToken).ConfigureAwait(false);
        Interlocked.Add(ref _fetchedBytes, read);
        return read;
    }

    /// <inheritdoc/>
    public ValueTask<StoredObject?> StatAsync(string name, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _others);
        return EngineTelemetry.WatchesRequests ? TracedStatAsync(name, cancellationToken) : inner.StatAsync(name, cancellationToken);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<StoredObject> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _lists);
        int onPage = 0;
        await foreach (StoredObject found in inner.ListAsync(prefix, cancellationToken).ConfigureAwait(false))
        {
            if (onPage == PageLength)
            {
                Interlocked.Increment(ref _lists);
                onPage = 0;
            }

            onPage++;
            yield return found;
        }
    }

    /// <inheritdoc/>
    public ValueTask DeleteAsync(string name, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _others);
        return inner.DeleteAsync(name, cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<UnfinishedWrites> MeasureUnfinishedAsync(CancellationToken cancellationToken) => inner.MeasureUnfinishedAsync(cancellationToken);

    // Methods of their own: what they capture is made only where somebody listens.
    private ValueTask<bool> TracedCreateAsync(string name, ReadOnlyMemory<byte> content, VaultAccessTier tier, CancellationToken cancellationToken) =>
        TracedOperation.RequestAsync("write", () => inner.TryCreateAsync(name, content, cancellationToken, tier));

    private ValueTask<int> TracedReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
        TracedOperation.RequestAsync("read", () => inner.ReadAsync(name, offset, destination, cancellationToken));

    private ValueTask<StoredObject?> TracedStatAsync(string name, CancellationToken cancellationToken) =>
        TracedOperation.RequestAsync("stat", () => inner.StatAsync(name, cancellationToken));

    // Setting a policy, or taking it off, is charged as other operations are.
    private sealed class MeteredLocks(MeteredVaultStore store, IObjectLocks inner) : IObjectLocks
    {
        public bool Expire => inner.Expire;

        private IObjectLocks Counted
        {
            get
            {
                Interlocked.Increment(ref store._others);
                return inner;
            }
        }

        public ValueTask<string?> FindObstacleAsync(CancellationToken cancellationToken) => Counted.FindObstacleAsync(cancellationToken);

        public async IAsyncEnumerable<LockedObject> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            int found = 0;
            await foreach (LockedObject item in inner.ListAsync(prefix, cancellationToken).ConfigureAwait(false))
            {
                if (found++ % PageLength == 0)
                {
                    Interlocked.Increment(ref store._lists);
                }

                yield return item;
            }
        }

        public ValueTask<ObjectLock?> ReadAsync(string name, CancellationToken cancellationToken) => Counted.ReadAsync(name, cancellationToken);

        public ValueTask LockAsync(string name, DateTimeOffset until, bool isFirm, CancellationToken cancellationToken) =>
            Counted.LockAsync(name, until, isFirm, cancellationToken);

        public ValueTask<bool> UnlockAsync(string name, CancellationToken cancellationToken) => Counted.UnlockAsync(name, cancellationToken);

        public ValueTask<bool> ReleaseAsync(string name, CancellationToken cancellationToken) => Counted.ReleaseAsync(name, cancellationToken);
    }
}
