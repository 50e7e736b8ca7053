using System.Runtime.CompilerServices;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Testing;

/// <summary>
/// Counts round trips, as many calls side by side as there may be: no call begins before everybody waits for one, and then all that
/// wait are carried out. What is counted is what a long way to the vault costs a job.
/// </summary>
/// <param name="inner">What carries the calls out.</param>
/// <param name="quiet">
/// How long nobody may call before everybody counts as waiting: long beside what a job computes between two calls. Too short, more
/// trips are counted, never fewer.
/// </param>
public sealed class DistantVaultStore(IVaultStore inner, TimeSpan quiet) : IVaultStore
{
    private readonly Lock _gate = new();
    private TaskCompletionSource _departure = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _isLeaving;
    private int _arrivals;

    public string Location => inner.Location;

    public VaultStoreCapabilities Capabilities => inner.Capabilities with { MaxConcurrency = 8 };

    /// <summary>Round trips so far.</summary>
    public int RoundTrips { get; private set; }

    /// <summary>Calls so far.</summary>
    public int Calls { get; private set; }

    public async ValueTask<bool> TryCreateAsync(
        string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken, VaultAccessTier tier = VaultAccessTier.Hot)
    {
        await TravelAsync(cancellationToken);
        return await inner.TryCreateAsync(name, content, cancellationToken, tier);
    }

    public async ValueTask<int> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        await TravelAsync(cancellationToken);
        return await inner.ReadAsync(name, offset, destination, cancellationToken);
    }

    public async ValueTask<StoredObject?> StatAsync(string name, CancellationToken cancellationToken)
    {
        await TravelAsync(cancellationToken);
        return await inner.StatAsync(name, cancellationToken);
    }

    public async IAsyncEnumerable<StoredObject> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await TravelAsync(cancellationToken);
        await foreach (StoredObject item in inner.ListAsync(prefix, cancellationToken))
        {
            yield return item;
        }
    }

    public async ValueTask DeleteAsync(string name, CancellationToken cancellationToken)
    {
        await TravelAsync(cancellationToken);
        await inner.DeleteAsync(name, cancellationToken);
    }

    private async Task TravelAsync(CancellationToken cancellationToken)
    {
        TaskCompletionSource departure;
        bool leads;
        lock (_gate)
        {
            Calls++;
            _arrivals++;
            departure = _departure;
            leads = !_isLeaving;
            _isLeaving = true;
        }

        if (leads)
        {
            await WaitForQuietAsync();
            lock (_gate)
            {
                RoundTrips++;
                _isLeaving = false;
                _departure = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }

            departure.SetResult();
        }

        await departure.Task.WaitAsync(cancellationToken);
    }

    private async Task WaitForQuietAsync()
    {
        for (int before = -1, now = 0; before != now; )
        {
            before = now;
            await Task.Delay(quiet);
            lock (_gate)
            {
                now = _arrivals;
            }
        }
    }
}
