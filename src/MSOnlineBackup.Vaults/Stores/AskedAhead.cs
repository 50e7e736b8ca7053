using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Vaults.Stores;

/// <summary>
/// A store whose first answers were asked for before anybody wanted them: while a key is derived, what a job begins by reading arrives.
/// Each answer is given as often as was said; what is asked again, and what failed, is asked of the store. Good for what never changes, or may be a little old:
/// what a session must see after it was announced is asked of the store itself.
/// </summary>
internal sealed class AskedAhead(IVaultStore inner) : IVaultStore, IDisposable
{
    // What waits for somebody to want it.
    private const long MaxBytes = 8 << 20;

    // Each is small. Most vaults have none.
    private const int MostDecisions = 32;

    private readonly ConcurrentDictionary<string, Listing> _listings = new();
    private readonly ConcurrentDictionary<string, Task<byte[]>> _contents = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private long _bytes;

    /// <inheritdoc/>
    public string Location => inner.Location;

    /// <inheritdoc/>
    public VaultStoreCapabilities Capabilities => inner.Capabilities;

    /// <inheritdoc/>
    public VaultTraffic? Traffic => inner.Traffic;

    /// <inheritdoc/>
    public VaultWait? Wait => inner.Wait;

    /// <inheritdoc/>
    public IVaultAccount? Account => inner.Account;

    /// <inheritdoc/>
    public IObjectLocks? Locks => inner.Locks;

    /// <summary>Asks for what a job begins by reading.</summary>
    /// <param name="objects">The vault.</param>
    /// <param name="storeId">The chunk store.</param>
    /// <param name="writes">
    /// Whether the job writes. A backup wants names of points and checkpoints twice: what was there before, and an id that is higher than all.
    /// </param>
    public static AskedAhead ForJob(IVaultStore objects, StoreId storeId, bool writes)
    {
        var ahead = new AskedAhead(objects);
        ahead.Ask(VaultLayout.Segments(storeId), newest: int.MaxValue);
        ahead.Ask(VaultLayout.Points(storeId), newest: 1, times: writes ? 2 : 1);
        ahead.Ask(VaultLayout.Deletions(storeId), newest: MostDecisions);
        if (writes)
        {
            ahead.Ask(VaultLayout.Machines, newest: 8);
            ahead.Ask(VaultLayout.Checkpoints(storeId), newest: 0, times: 2);
            ahead.Ask(VaultLayout.Sessions(storeId), newest: 0);
        }

        return ahead;
    }

    /// <summary>Asks for what a folder lists, and for the newest of its objects.</summary>
    /// <param name="prefix">The folder.</param>
    /// <param name="newest">How many objects, those with the highest names in their folders; fewer where they are large.</param>
    /// <param name="times">How often the listing will be wanted.</param>
    public void Ask(string prefix, int newest, int times = 1) =>
        _listings[prefix] = new Listing(ListAheadAsync(prefix, newest, _stop.Token), times);

    /// <summary>Stops what nobody has asked for yet.</summary>
    public void Dispose()
    {
        _stop.Cancel();
        _stop.Dispose();
    }

    /// <inheritdoc/>
    public ValueTask<bool> TryCreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken, VaultAccessTier tier = VaultAccessTier.Hot) =>
        inner.TryCreateAsync(name, content, cancellationToken, tier);

    /// <inheritdoc/>
    public async ValueTask<int> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        if (offset == 0 && _contents.TryRemove(name, out Task<byte[]>? asked) && await AwaitAsync(asked, cancellationToken).ConfigureAwait(false) is { } content)
        {
            int read = Math.Min(content.Length, destination.Length);
            content.AsMemory(0, read).CopyTo(destination);
            return read;
        }

        return await inner.ReadAsync(name, offset, destination, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public ValueTask<StoredObject?> StatAsync(string name, CancellationToken cancellationToken) => inner.StatAsync(name, cancellationToken);

    /// <inheritdoc/>
    public async IAsyncEnumerable<StoredObject> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string? wider = _listings.Keys.FirstOrDefault(known => prefix.StartsWith(known, StringComparison.Ordinal));
        if (wider is not null && TryTake(wider) is { } asked && await AwaitAsync(asked, cancellationToken).ConfigureAwait(false) is { } listed)
        {
            foreach (StoredObject found in listed.Where(found => found.Name.StartsWith(prefix, StringComparison.Ordinal)))
            {
                yield return found;
            }

            yield break;
        }

        await foreach (StoredObject found in inner.ListAsync(prefix, cancellationToken).ConfigureAwait(false))
        {
            yield return found;
        }
    }

    /// <inheritdoc/>
    public ValueTask DeleteAsync(string name, CancellationToken cancellationToken) => inner.DeleteAsync(name, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<UnfinishedWrites> MeasureUnfinishedAsync(CancellationToken cancellationToken) => inner.MeasureUnfinishedAsync(cancellationToken);

    private Task<List<StoredObject>>? TryTake(string prefix)
    {
        lock (_gate)
        {
            if (!_listings.TryGetValue(prefix, out Listing? listing))
            {
                return null;
            }

            if (--listing.Left == 0)
            {
                _listings.TryRemove(prefix, out _);
            }

            return listing.Objects;
        }
    }

    private async Task<List<StoredObject>> ListAheadAsync(string prefix, int newest, CancellationToken cancellationToken)
    {
        List<StoredObject> listed = await inner.ListAsync(prefix, cancellationToken).ToListAsync(cancellationToken).ConfigureAwait(false);
        foreach (StoredObject found in listed.OrderByDescending(found => found.Name[(found.Name.LastIndexOf('/') + 1)..], StringComparer.Ordinal).Take(newest))
        {
            if (!TryReserve(found.Length))
            {
                break;
            }

            _contents[found.Name] = ReadAheadAsync(found, cancellationToken);
        }

        return listed;
    }

    private bool TryReserve(long bytes)
    {
        lock (_gate)
        {
            bool fits = bytes <= MaxBytes - _bytes;
            _bytes += fits ? bytes : 0;
            return fits;
        }
    }

    private async Task<byte[]> ReadAheadAsync(StoredObject found, CancellationToken cancellationToken)
    {
        byte[] content = new byte[found.Length];
        int read = await inner.ReadAsync(found.Name, 0, content, cancellationToken).ConfigureAwait(false);
        return read == content.Length ? content : content[..read];
    }

    // Null where it failed: then it is asked again, and fails for whoever wants it.
    private static async ValueTask<T?> AwaitAsync<T>(Task<T> asked, CancellationToken cancellationToken)
        where T : class
    {
        try
        {
            return await asked.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException)
        {
            return null;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    private sealed class Listing(Task<List<StoredObject>> objects, int times)
    {
        public Task<List<StoredObject>> Objects => objects;

        public int Left { get; set; } = times;
    }
}
