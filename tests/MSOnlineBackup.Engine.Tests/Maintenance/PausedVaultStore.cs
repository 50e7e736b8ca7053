using System.Runtime.CompilerServices;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Engine.Tests.Maintenance;

/// <summary>Lets something else happen, whole, before one of the calls of whoever uses it, who stands still meanwhile; or lets that one die there.</summary>
/// <param name="inner">The vault.</param>
/// <param name="at">Before which call, from 1.</param>
/// <param name="meanwhile">What happens. What it throws is what the call, and all after it, end with.</param>
/// <param name="counts">Which calls count, by what is called and the name; null for all.</param>
internal sealed class PausedVaultStore(IVaultStore inner, int at, Func<Task> meanwhile, Func<VaultCall, string, bool>? counts = null) : IVaultStore
{
    private readonly Lock _gate = new();
    private Task? _pause;
    private int _calls;

    /// <summary>How many calls there were.</summary>
    public int Calls => _calls;

    public string Location => inner.Location;

    public VaultStoreCapabilities Capabilities => inner.Capabilities;

    public async ValueTask<bool> TryCreateAsync(
        string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken, VaultAccessTier tier = VaultAccessTier.Hot)
    {
        await EnterAsync(VaultCall.Create, name);
        return await inner.TryCreateAsync(name, content, cancellationToken, tier);
    }

    public async ValueTask<int> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        await EnterAsync(VaultCall.Read, name);
        return await inner.ReadAsync(name, offset, destination, cancellationToken);
    }

    public async ValueTask<StoredObject?> StatAsync(string name, CancellationToken cancellationToken)
    {
        await EnterAsync(VaultCall.Stat, name);
        return await inner.StatAsync(name, cancellationToken);
    }

    public async IAsyncEnumerable<StoredObject> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await EnterAsync(VaultCall.List, prefix);
        bool hasCommits = false;
        await foreach (StoredObject found in inner.ListAsync(prefix, cancellationToken).Where(IsCommit))
        {
            hasCommits = true;
            yield return found;
        }

        // A listing shows no single moment: points may go between their commits and themselves.
        if (hasCommits)
        {
            await EnterAsync(VaultCall.List, prefix);
        }

        await foreach (StoredObject found in inner.ListAsync(prefix, cancellationToken).Where(found => !IsCommit(found)))
        {
            yield return found;
        }
    }

    public async ValueTask DeleteAsync(string name, CancellationToken cancellationToken)
    {
        await EnterAsync(VaultCall.Delete, name);
        await inner.DeleteAsync(name, cancellationToken);
    }

    private static bool IsCommit(StoredObject found) => VaultLayout.KindOf(found.Name, out _) == StoredKind.Commit;

    private Task EnterAsync(VaultCall call, string name)
    {
        lock (_gate)
        {
            if (counts?.Invoke(call, name) != false && ++_calls == at)
            {
                _pause = Task.Run(meanwhile);
            }

            return _pause ?? Task.CompletedTask;
        }
    }
}
