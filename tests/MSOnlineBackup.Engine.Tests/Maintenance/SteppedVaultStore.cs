using System.Runtime.CompilerServices;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Engine.Tests.Maintenance;

/// <summary>Lets something happen before each call of whoever uses it.</summary>
/// <param name="inner">The vault.</param>
/// <param name="before">Is told the number of the call, from 1, and is waited for.</param>
internal sealed class SteppedVaultStore(IVaultStore inner, Func<int, Task> before) : IVaultStore
{
    private int _calls;

    public string Location => inner.Location;

    public VaultStoreCapabilities Capabilities => inner.Capabilities;

    public int Calls => _calls;

    public async ValueTask<bool> TryCreateAsync(
        string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken, VaultAccessTier tier = VaultAccessTier.Hot)
    {
        await StepAsync();
        return await inner.TryCreateAsync(name, content, cancellationToken, tier);
    }

    public async ValueTask<int> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        await StepAsync();
        return await inner.ReadAsync(name, offset, destination, cancellationToken);
    }

    public async ValueTask<StoredObject?> StatAsync(string name, CancellationToken cancellationToken)
    {
        await StepAsync();
        return await inner.StatAsync(name, cancellationToken);
    }

    public async IAsyncEnumerable<StoredObject> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await StepAsync();
        foreach (StoredObject found in await inner.ListAsync(prefix, cancellationToken).ToListAsync(cancellationToken))
        {
            yield return found;
        }
    }

    public async ValueTask DeleteAsync(string name, CancellationToken cancellationToken)
    {
        await StepAsync();
        await inner.DeleteAsync(name, cancellationToken);
    }

    private Task StepAsync() => before(Interlocked.Increment(ref _calls));
}
