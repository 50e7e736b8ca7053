namespace MSOnlineBackup.Vaults.Storage;

/// <summary>
/// The flags of ext4, XFS and Btrfs: an object cannot be written, renamed or removed while it is immutable, and no name leaves a folder that takes names only, not even by
/// root. Setting and clearing them is for processes with CAP_LINUX_IMMUTABLE.
/// </summary>
/// <param name="store">The store.</param>
/// <param name="files">Its files.</param>
internal sealed class FolderLocks(FolderVaultStore store, FolderFiles files) : IObjectLocks
{
    /// <summary>A flag holds until it is cleared.</summary>
    public bool Expire => false;

    /// <summary>It is known when it is tried.</summary>
    /// <inheritdoc/>
    public ValueTask<string?> FindObstacleAsync(CancellationToken cancellationToken) => new((string?)null);

    /// <inheritdoc/>
    public IAsyncEnumerable<LockedObject> ListAsync(string prefix, CancellationToken cancellationToken)
    {
        ObjectName.ThrowIfInvalidPrefix(prefix);
        return store.ListAsync(prefix, files.ListLocks(prefix), cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<ObjectLock?> ReadAsync(string name, CancellationToken cancellationToken) => store.RunAsync(name, () => files.ReadLock(name), cancellationToken);

    /// <inheritdoc/>
    public async ValueTask LockAsync(string name, DateTimeOffset until, bool isFirm, CancellationToken cancellationToken) => await store.RunAsync(
        name,
        () =>
        {
            try
            {
                files.Lock(name);
                return true;
            }
            catch (IOException failure) when (FolderErrors.IsDenied(failure) || FolderErrors.IsUnsupported(failure))
            {
                throw FolderErrors.NotLockable(store.Location, name, failure);
            }
        },
        cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public ValueTask<bool> UnlockAsync(string name, CancellationToken cancellationToken) => TryAsync(name, files.Unlock, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<bool> ReleaseAsync(string name, CancellationToken cancellationToken) => TryAsync(name, files.Release, cancellationToken);

    private ValueTask<bool> TryAsync(string name, Action<string> work, CancellationToken cancellationToken) => store.RunAsync(
        name,
        () =>
        {
            try
            {
                work(name);
                return true;
            }
            catch (IOException failure) when (FolderErrors.IsDenied(failure))
            {
                return false;
            }
        },
        cancellationToken);
}
