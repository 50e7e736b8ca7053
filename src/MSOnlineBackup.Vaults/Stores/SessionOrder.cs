using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Storage;


namespace MSOnlineBackup.Vaults.Stores;

/// <summary>Which id a new session of a chunk store must be higher than.</summary>
internal static class SessionOrder
{
    /// <summary>
    /// The highest id of the sessions, points and checkpoints of a store; null where it has none. Beyond the reach of clocks only what opens counts: anybody
    /// who may write can make a name, and nothing could come after it.
    /// </summary>
    public static async Task<SessionId?> FindHighestAsync(ChunkStore store, CancellationToken cancellationToken)
    {
        Task<List<StoredObject>> sessions = ListAsync(store, VaultLayout.Sessions(store.StoreId), cancellationToken);
        Task<List<StoredObject>> points = ListAsync(store, VaultLayout.Points(store.StoreId), cancellationToken);
        Task<List<StoredObject>> checkpoints = ListAsync(store, VaultLayout.Checkpoints(store.StoreId), cancellationToken);
        await Task.WhenAll(sessions, points, checkpoints).ConfigureAwait(false);
        SessionId? highest = (await sessions.ConfigureAwait(false)).Select(OfName).Where(id => id is { IsBeyondClocks: false }).Max();
        foreach (StoredObject found in (await points.ConfigureAwait(false)).Concat(await checkpoints.ConfigureAwait(false)))
        {
            if (OfName(found) is { } id
                && (highest is not { } other || id > other)
                && await CountsAsync(store, found, id, cancellationToken).ConfigureAwait(false))
            {
                highest = id;
            }
        }

        return highest;
    }

    /// <summary>Whether the id of a point or checkpoint says something about order.</summary>
    public static async ValueTask<bool> CountsAsync(ChunkStore store, StoredObject found, SessionId id, CancellationToken cancellationToken) =>
        !id.IsBeyondClocks || await store.OpensAsync(found, cancellationToken).ConfigureAwait(false);

    private static async Task<List<StoredObject>> ListAsync(ChunkStore store, string prefix, CancellationToken cancellationToken) =>
        await store.Early.ListAsync(prefix, cancellationToken).ToListAsync(cancellationToken).ConfigureAwait(false);

    // Session records and their ends, points, checkpoints: the last part of each name begins with the session's id.
    private static SessionId? OfName(StoredObject found)
    {
        ReadOnlySpan<char> last = found.Name.AsSpan(found.Name.LastIndexOf('/') + 1);
        return last.Length >= SessionId.DigitCount && SessionId.TryParse(last[..SessionId.DigitCount], out SessionId id) ? id : null;
    }
}
