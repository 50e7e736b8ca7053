using System.Collections.Concurrent;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Vaults.Storage;

/// <summary>Deletes what may go. What the storage keeps for now stays, and is told: it stops nothing else, and a later run deletes it. Thread-safe.</summary>
/// <param name="objects">The store.</param>
/// <param name="ownsLocks">Whether locks are the vault's own, to be taken off when an object goes: it is immutable, or was. Asked where a lock is in the way.</param>
internal sealed class PatientDeletion(IVaultStore objects, Func<CancellationToken, Task<bool>> ownsLocks)
{
    private readonly ConcurrentDictionary<string, BackupException> _kept = new(StringComparer.Ordinal);

    /// <summary>What the storage keeps, in the order of names: what it said of each.</summary>
    public IReadOnlyList<BackupException> KeptInOrder => [.. _kept.OrderBy(kept => kept.Key, StringComparer.Ordinal).Select(kept => kept.Value)];

    /// <summary>Deletes an object. False where the storage keeps it.</summary>
    public async ValueTask<bool> TryDeleteAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            await objects.DeleteAsync(name, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e) when (e.Id == BackupErrorId.VaultDataProtected)
        {
            if (!await ownsLocks(cancellationToken).ConfigureAwait(false) || !await ReleaseAsync(objects, name, cancellationToken).ConfigureAwait(false))
            {
                _kept[name] = e;
                return false;
            }
        }

        _kept.TryRemove(name, out _);
        return true;
    }

    /// <summary>Deletes an object that somebody asked to be deleted, whose lock is no reason not to.</summary>
    /// <exception cref="BackupException">VaultDataProtected where the storage keeps it, …</exception>
    public static async ValueTask DeleteAsync(IVaultStore objects, string name, CancellationToken cancellationToken)
    {
        try
        {
            await objects.DeleteAsync(name, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e) when (e.Id == BackupErrorId.VaultDataProtected)
        {
            if (!await ReleaseAsync(objects, name, cancellationToken).ConfigureAwait(false))
            {
                throw;
            }
        }
    }

    private static async ValueTask<bool> ReleaseAsync(IVaultStore objects, string name, CancellationToken cancellationToken) =>
        objects.Locks is { } locks && await locks.ReleaseAsync(name, cancellationToken).ConfigureAwait(false);
}
