using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Stores;
using MSOnlineBackup.Vaults.Verification;

namespace MSOnlineBackup.Vaults.Maintenance;

/// <summary>What maintenance does about the sessions of others: it shuts out the dead, says for whom it waits, and removes records that nobody needs any more.</summary>
/// <param name="store">The store.</param>
/// <param name="own">The session of this run.</param>
/// <param name="view">How sessions stand. What is shut out is noted there.</param>
/// <param name="damaged">Gets records that cannot be read.</param>
internal sealed class SessionKeeper(ChunkStore store, SessionId own, CollectionView view, Action<BackupException> damaged)
{
    // So long records of sessions bear witness that time has passed: longer than the pause that PointExpiry takes on trust.
    private static readonly TimeSpan _witnessing = TimeSpan.FromDays(40);

    /// <summary>
    /// Shuts out sessions that have created nothing for long. The fence stands where their point would: of the two only one can be created. It never takes the place of a point
    /// that was made and is lost: its commit says so, whether or not the listing shows that.
    /// </summary>
    /// <param name="now">The time by the store's clock.</param>
    /// <param name="silence">For how long.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>How many were shut out, and points that turned out to be there, though the listing does not show them.</returns>
    public async Task<(int Count, IReadOnlyList<(MachineId MachineId, SessionId SessionId)> Unlisted)> ShutOutAsync(DateTimeOffset now, TimeSpan silence, CancellationToken cancellationToken)
    {
        int count = 0;
        var unlisted = new List<(MachineId, SessionId)>();
        foreach (SessionId session in view.Open.Where(open => open != own && now - view.LastSignOf(open) >= silence).ToList())
        {
            (bool isKnown, MachineId? machine) = await FindMachineAsync(session, cancellationToken).ConfigureAwait(false);
            foreach (MachineId possible in !isKnown ? view.Machines : machine is { } only ? (IReadOnlyCollection<MachineId>)[only] : [])
            {
                string name = VaultLayout.Point(store.StoreId, possible, session);
                if (await store.Objects.StatAsync(VaultLayout.Commit(store.StoreId, possible, session), cancellationToken).ConfigureAwait(false) is not null
                    || !await store.Objects.TryCreateAsync(name, SealedObject.Seal(store.Keys, SealedObjectKind.Fence, name, []), cancellationToken).ConfigureAwait(false))
                {
                    // A point, made since the listing or kept from it, or lost: it counts.
                    unlisted.Add((possible, session));
                    break;
                }
            }

            if (machine is null)
            {
                await store.Objects.TryCreateAsync(VaultLayout.SessionEnd(store.StoreId, session), "{}"u8.ToArray(), cancellationToken).ConfigureAwait(false);
            }

            view.NoteShutOut(session);
            count++;
        }

        return (count, unlisted);
    }

    /// <summary>What people can be told of sessions of machines.</summary>
    public async Task<IReadOnlyList<UnfinishedSession>> DescribeAsync(IEnumerable<SessionId> sessions, CancellationToken cancellationToken)
    {
        var told = new List<UnfinishedSession>();
        foreach (SessionId session in sessions)
        {
            if ((await FindMachineAsync(session, cancellationToken).ConfigureAwait(false)).Machine is { } machine)
            {
                told.Add(new UnfinishedSession(session, machine, session.Announced ?? DateTimeOffset.UnixEpoch));
            }
        }

        return told;
    }

    /// <summary>Removes records of sessions that are long over, and of which nothing is left that only they explain: no checkpoint, and no pack that no segment names.</summary>
    /// <param name="now">The time by the store's clock.</param>
    /// <param name="isExplained">Whether a pack is named by a segment, or gone.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>How many were removed.</returns>
    public async Task<int> TidyAsync(DateTimeOffset now, Func<(SessionId Session, uint Number), bool> isExplained, CancellationToken cancellationToken)
    {
        HashSet<SessionId> needed = [.. view.Checkpoints.Select(found => VaultLayout.TryParseNumbered(found.Name, out SessionId session, out _) ? session : default)];
        needed.UnionWith(view.Packs.Where(pack => !isExplained(pack)).Select(pack => pack.Session));
        List<SessionId> over = [.. view.Recorded.Where(session => session != own && now - view.LastSignOf(session) >= _witnessing && view.IsOver(session) && !needed.Contains(session))];
        var removed = new HashSet<SessionId>();
        foreach (SessionId session in over)
        {
            if (await store.Deletion.TryDeleteAsync(VaultLayout.Session(store.StoreId, session), cancellationToken).ConfigureAwait(false))
            {
                removed.Add(session);
            }
        }

        foreach (SessionId session in view.Ended.Where(session => !view.Recorded.Contains(session) || removed.Contains(session)))
        {
            await store.Deletion.TryDeleteAsync(VaultLayout.SessionEnd(store.StoreId, session), cancellationToken).ConfigureAwait(false);
        }

        return removed.Count;
    }

    // A session of maintenance has no machine. Not known where its record cannot be read.
    private async Task<(bool IsKnown, MachineId? Machine)> FindMachineAsync(SessionId session, CancellationToken cancellationToken)
    {
        try
        {
            string name = VaultLayout.Session(store.StoreId, session);
            return (true, (await PlainObjects.ReadSessionAsync(store.Objects, store.Header, name, cancellationToken).ConfigureAwait(false)).MachineId);
        }
        catch (BackupException e) when (e.IsOfOneObject)
        {
            damaged(e);
            return (false, null);
        }
    }
}
