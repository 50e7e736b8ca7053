using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>
/// Which points others have ended since they were listed. Their data may have gone by right: what cannot be read of them is no damage. A listing that lacks a point says
/// nothing; each is borne out by the word that it is gone, or by its absence under its name and that of its commit.
/// </summary>
internal static class EndedPoints
{
    /// <summary>Finds them.</summary>
    /// <param name="store">The store.</param>
    /// <param name="points">The points that were listed.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static async Task<IReadOnlySet<(MachineId MachineId, SessionId SessionId)>> FindAsync(
        ChunkStore store, IEnumerable<(MachineId MachineId, SessionId SessionId)> points, CancellationToken cancellationToken)
    {
        var catalog = new RecoveryPointCatalog(store);
        List<PointName> names = await catalog.ListAllAsync(null, cancellationToken).ConfigureAwait(false);
        Dictionary<(MachineId, SessionId), DeletionState?> listed = await catalog.ReadDecisionsAsync(names, cancellationToken)
            .ToDictionaryAsync(point => (point.Name.MachineId, point.Name.SessionId), point => point.Deletion.State, cancellationToken: cancellationToken)
            .ConfigureAwait(false);
        var ended = new HashSet<(MachineId MachineId, SessionId SessionId)>();
        foreach ((MachineId machine, SessionId session) in points)
        {
            if (listed.TryGetValue((machine, session), out DeletionState? state)
                ? state == DeletionState.Gone
                : await IsAwayAsync(store, VaultLayout.Point(store.StoreId, machine, session), cancellationToken).ConfigureAwait(false)
                    && await HasNoCommitAsync(store, machine, session, cancellationToken).ConfigureAwait(false))
            {
                ended.Add((machine, session));
            }
        }

        return ended;
    }

    /// <summary>Whether others have ended a point since it was listed.</summary>
    /// <param name="store">The store.</param>
    /// <param name="point">The point.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static async Task<bool> HasEndedAsync(ChunkStore store, RecoveryPoint point, CancellationToken cancellationToken) =>
        (await FindAsync(store, [(point.MachineId, point.SessionId)], cancellationToken).ConfigureAwait(false)).Count > 0;

    /// <summary>A point that is not to be had any more.</summary>
    public static BackupException Gone(SessionId sessionId) => new(
        BackupErrorId.RecoveryPointGone,
        $"The recovery point {sessionId.ToShortString()} was deleted, and the time in which it could be brought back is over.",
        "Use another point: 'obengine points' or 'Get-OBAllRecoveryPoints' lists them.",
        sessionId.ToString());

    /// <summary>Whether a point that is not there was ended, and not lost: its commit goes before it.</summary>
    public static Task<bool> HasNoCommitAsync(ChunkStore store, MachineId machine, SessionId session, CancellationToken cancellationToken) =>
        IsAwayAsync(store, VaultLayout.Commit(store.StoreId, machine, session), cancellationToken);

    private static async Task<bool> IsAwayAsync(ChunkStore store, string name, CancellationToken cancellationToken) =>
        await store.Objects.StatAsync(name, cancellationToken).ConfigureAwait(false) is null;
}
