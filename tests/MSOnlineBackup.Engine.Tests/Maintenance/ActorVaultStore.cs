using System.Runtime.CompilerServices;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Engine.Tests.Maintenance;

/// <summary>The vault as one of several sees it, whose calls an <see cref="Interleaver"/> orders, and who has a fate.</summary>
/// <param name="inner">The vault.</param>
/// <param name="turns">The order.</param>
/// <param name="actor">Whose it is.</param>
/// <param name="fate">What happens to that one.</param>
/// <param name="at">At which call, from 1.</param>
internal sealed class ActorVaultStore(IVaultStore inner, Interleaver turns, int actor, Fate fate, int at) : IVaultStore
{
    private int _calls;

    public string Location => inner.Location;

    public VaultStoreCapabilities Capabilities => inner.Capabilities;

    public ValueTask<bool> TryCreateAsync(
        string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken, VaultAccessTier tier = VaultAccessTier.Hot) =>
        CallAsync(name, Fate.FillsDisk, BackupErrorId.VaultFull, () => inner.TryCreateAsync(name, content, cancellationToken, tier));

    public ValueTask<int> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
        CallAsync(name, null, default, () => inner.ReadAsync(name, offset, destination, cancellationToken));

    public ValueTask<StoredObject?> StatAsync(string name, CancellationToken cancellationToken) =>
        CallAsync(name, null, default, () => inner.StatAsync(name, cancellationToken));

    // All of it at once: what a listing shows is what was there when it began.
    public async IAsyncEnumerable<StoredObject> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (StoredObject found in await CallAsync(prefix, null, default, () => inner.ListAsync(prefix, cancellationToken).ToListAsync(cancellationToken)))
        {
            yield return found;
        }
    }

    public async ValueTask DeleteAsync(string name, CancellationToken cancellationToken) =>
        await CallAsync(name, Fate.IsRefused, BackupErrorId.VaultAccessDenied, async () =>
        {
            await inner.DeleteAsync(name, cancellationToken);
            return true;
        });

    private async ValueTask<T> CallAsync<T>(string name, Fate? refusal, BackupErrorId reason, Func<ValueTask<T>> act)
    {
        await turns.EnterAsync(actor);
        try
        {
            int call = Interlocked.Increment(ref _calls);
            if ((fate == Fate.Dies && call >= at) || (fate == Fate.IsAnsweredLate && call > at))
            {
                throw Gone(name);
            }

            if (fate == refusal && call >= at)
            {
                throw new BackupException(reason, "It is refused.", "A test.", name);
            }

            T done = await act();
            return fate == Fate.IsAnsweredLate && call == at ? throw Gone(name) : done;
        }
        finally
        {
            turns.Leave();
        }
    }

    private static BackupException Gone(string name) => new(BackupErrorId.VaultUnreachable, "The vault is gone.", "A test.", name);
}
