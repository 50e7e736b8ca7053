using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Vaults.Storage;

/// <summary>
/// By what a storage keeps objects from being deleted and changed, whoever tries. Only maintenance sets and extends locks; backups need no right to.
/// Every failure is a <see cref="BackupException"/>; a call that this identity may not make is VaultAccessDenied.
/// </summary>
public interface IObjectLocks
{
    /// <summary>Whether a lock runs out by itself at its time. Otherwise it holds until it is taken off.</summary>
    bool Expire { get; }

    /// <summary>Why nothing can be locked here, as a sentence; null where nothing is known to stand in the way.</summary>
    ValueTask<string?> FindObstacleAsync(CancellationToken cancellationToken);

    /// <summary>All objects whose name begins with <paramref name="prefix"/> (a whole folder, ending in '/'; empty: everything), each with its lock, in no order.</summary>
    IAsyncEnumerable<LockedObject> ListAsync(string prefix, CancellationToken cancellationToken);

    /// <summary>The lock of an object; null where there is none, or no object.</summary>
    ValueTask<ObjectLock?> ReadAsync(string name, CancellationToken cancellationToken);

    /// <summary>Locks an object, or extends its lock, by one request. It never shortens one.</summary>
    /// <param name="name">The object.</param>
    /// <param name="until">Until when (UTC); of no account where locks do not expire.</param>
    /// <param name="isFirm">Whether nobody shall be able to shorten it, where the storage has that.</param>
    /// <param name="cancellationToken">Stops it.</param>
    ValueTask LockAsync(string name, DateTimeOffset until, bool isFirm, CancellationToken cancellationToken);

    /// <summary>Takes an object's lock off. False where it cannot be: it is firm, or this process may not.</summary>
    ValueTask<bool> UnlockAsync(string name, CancellationToken cancellationToken);

    /// <summary>Deletes an object that is locked. False where its lock stays, and so does the object.</summary>
    ValueTask<bool> ReleaseAsync(string name, CancellationToken cancellationToken);
}

/// <summary>An object, and whether the storage keeps it.</summary>
/// <param name="Object">The object.</param>
/// <param name="Lock">Its lock; null where it has none.</param>
public readonly record struct LockedObject(StoredObject Object, ObjectLock? Lock);

/// <summary>How a storage keeps an object.</summary>
/// <param name="Until">Until when (UTC); null for as long as nobody takes it off.</param>
/// <param name="IsFirm">Whether nobody can take it off or shorten it.</param>
public readonly record struct ObjectLock(DateTimeOffset? Until, bool IsFirm)
{
    /// <summary>Whether it still holds.</summary>
    public bool HoldsAt(DateTimeOffset now) => Until is null || Until > now;
}
