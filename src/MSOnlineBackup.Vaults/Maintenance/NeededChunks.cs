using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Stores;
using MSOnlineBackup.Vaults.Verification;

namespace MSOnlineBackup.Vaults.Maintenance;

/// <summary>
/// What recovery points need, by a mark for each chunk. A point is there only after the segments that name what it needs, so these are read after the
/// points are listed.
/// </summary>
internal sealed class NeededChunks
{
    private readonly ChunkStore _store;
    private readonly IReadOnlySet<(MachineId MachineId, SessionId SessionId)> _ended;
    private readonly IReadOnlyCollection<(MachineId MachineId, SessionId SessionId)> _unlisted;
    private readonly IReadOnlyList<PointName> _kept;
    private readonly ImmutableUntil? _immutable;
    private readonly ProblemList _problems;
    private readonly Dictionary<(MachineId MachineId, SessionId SessionId), PointName> _marked = [];
    private readonly Dictionary<MachineId, SessionId> _newest = [];
    private Marker _marker;

    private NeededChunks(
        ChunkStore store,
        IReadOnlySet<(MachineId MachineId, SessionId SessionId)> ended,
        IReadOnlyCollection<(MachineId MachineId, SessionId SessionId)> unlisted,
        IReadOnlyList<PointName> kept,
        ImmutableUntil? immutable,
        ProblemList problems)
    {
        (_store, _ended, _unlisted, _kept, _immutable, _problems) = (store, ended, unlisted, kept, immutable, problems);
        Marks = new ChunkMarks(store.Index.Consolidate());
        _marker = CreateMarker();
    }

    /// <summary>The marks, by the records of the index as it was when points were first listed.</summary>
    public ChunkMarks Marks { get; }

    /// <summary>Whether everything that is needed is marked. False where something could not be read: then nobody knows what is not needed.</summary>
    public bool IsWhole { get; private set; }

    /// <summary>The newest point of each machine. A session that was shut out has none: what it sent, its next run takes up.</summary>
    public IReadOnlyDictionary<MachineId, SessionId> Newest => _newest;

    /// <summary>Marks what points need.</summary>
    /// <param name="store">The store; its index is read anew.</param>
    /// <param name="view">What was listed of it.</param>
    /// <param name="ended">Points that this run has ended: what they need is not marked.</param>
    /// <param name="unlisted">Points that the listing did not show, though their names are taken.</param>
    /// <param name="kept">Points that count, though somebody has said that they are gone.</param>
    /// <param name="immutable">Is told until when chunks are to be kept; null where nobody asks.</param>
    /// <param name="problems">Gets what cannot be read.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static async Task<NeededChunks> FindAsync(
        ChunkStore store,
        CollectionView view,
        IReadOnlySet<(MachineId MachineId, SessionId SessionId)> ended,
        IReadOnlyCollection<(MachineId MachineId, SessionId SessionId)> unlisted,
        IReadOnlyList<PointName> kept,
        ImmutableUntil? immutable,
        ProblemList problems,
        CancellationToken cancellationToken)
    {
        List<PointName> names = await ListPointsAsync(store, cancellationToken).ConfigureAwait(false);
        await store.RefreshIndexAsync(cancellationToken).ConfigureAwait(false);
        var needed = new NeededChunks(store, ended, unlisted, kept, immutable, problems);
        await needed.MarkPointsAsync([.. names, .. kept], view, cancellationToken).ConfigureAwait(false);
        return needed;
    }

    /// <summary>Marks what points need that have come since.</summary>
    public async Task AddNewPointsAsync(CollectionView view, CancellationToken cancellationToken)
    {
        List<PointName> names = await ListPointsAsync(_store, cancellationToken).ConfigureAwait(false);
        await _store.RefreshIndexAsync(cancellationToken).ConfigureAwait(false);
        await MarkPointsAsync([.. names, .. _kept], view, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Marks what checkpoints name. They only propose what an interrupted job need not send again; nothing of them has to be readable.</summary>
    public async Task AddCheckpointsAsync(IReadOnlyCollection<RecoveryPoint> checkpoints, int workers, CancellationToken cancellationToken)
    {
        if (checkpoints.Count > 0)
        {
            IEnumerable<PointReading> readings = checkpoints.Select(checkpoint => new PointReading(default, checkpoint, null));
            await new Marker(Marks, workers).MarkAsync(_store, readings.ToAsyncEnumerable(), cancellationToken).ConfigureAwait(false);
        }
    }

    private static Task<List<PointName>> ListPointsAsync(ChunkStore store, CancellationToken cancellationToken) =>
        new RecoveryPointCatalog(store).ListNamesAsync(null, cancellationToken, includeDeleted: true);

    private async Task MarkPointsAsync(List<PointName> names, CollectionView view, CancellationToken cancellationToken)
    {
        bool isComplete = await IsCompleteAsync(names, view, cancellationToken).ConfigureAwait(false);
        IEnumerable<PointName> unmarked = names.Where(name =>
            !_ended.Contains((name.MachineId, name.SessionId)) && _marked.TryAdd((name.MachineId, name.SessionId), name));
        IEnumerable<IEnumerable<PointName>> parts = _immutable is { } immutable ? immutable.InOrder(unmarked, Marks) : [unmarked];
        foreach (IEnumerable<PointName> part in parts)
        {
            await MarkAsync(part, cancellationToken).ConfigureAwait(false);
        }

        await ForgetEndedAsync(cancellationToken).ConfigureAwait(false);

        // Marks go all over the index. From here on it is passed over, and that needs nothing of it in memory.
        _store.ReleaseMemory();
        foreach (BackupException damage in _marker.Damage)
        {
            _problems.Note(damage);
        }

        IsWhole = isComplete && _marker.Damage.Count == 0;
    }

    private async Task MarkAsync(IEnumerable<PointName> names, CancellationToken cancellationToken)
    {
        IAsyncEnumerable<PointReading> readings = new RecoveryPointCatalog(_store).ReadAsync(names, cancellationToken)
            .Where(async (reading, token) => reading.Damage?.Id != BackupErrorId.VaultDataMissing
                || !await EndedPoints.HasNoCommitAsync(_store, reading.Name.MachineId, reading.Name.SessionId, token).ConfigureAwait(false));
        await _marker.MarkAsync(_store, readings.Select(NoteNewest), cancellationToken).ConfigureAwait(false);
    }

    // What the others need is found out without those that have ended since they were listed.
    private async Task ForgetEndedAsync(CancellationToken cancellationToken)
    {
        HashSet<(MachineId, SessionId)> kept = [.. _kept.Select(name => (name.MachineId, name.SessionId))];
        while (_marker.Damage.Count > 0
            && await EndedPoints.FindAsync(_store, _marked.Keys.Where(point => !kept.Contains(point)), cancellationToken).ConfigureAwait(false) is { Count: > 0 } ended)
        {
            foreach ((MachineId MachineId, SessionId SessionId) point in ended)
            {
                _marked.Remove(point);
            }

            _marker = CreateMarker();
            await MarkAsync(_marked.Values, cancellationToken).ConfigureAwait(false);
        }
    }

    private Marker CreateMarker() => new(Marks, Math.Max(Environment.ProcessorCount, _store.Objects.Capabilities.MaxConcurrency));

    private PointReading NoteNewest(PointReading reading)
    {
        if (!_newest.TryGetValue(reading.Name.MachineId, out SessionId newest) || reading.Name.SessionId > newest)
        {
            _newest[reading.Name.MachineId] = reading.Name.SessionId;
        }

        return reading;
    }

    // A point that was confirmed and is not listed was lost, or the listing does not show all that is there. Somebody looks into either before anything
    // is deleted.
    private async Task<bool> IsCompleteAsync(List<PointName> names, CollectionView view, CancellationToken cancellationToken)
    {
        var listed = names.Select(name => (name.MachineId, name.SessionId)).ToHashSet();
        bool isComplete = true;
        foreach ((MachineId machine, SessionId session) in view.CommitsWithoutPoint.Concat(_unlisted).Where(commit => !listed.Contains(commit)))
        {
            string name = VaultLayout.Point(_store.StoreId, machine, session);
            bool isThere = await _store.Objects.StatAsync(name, cancellationToken).ConfigureAwait(false) is not null;
            if (!isThere && await EndedPoints.HasNoCommitAsync(_store, machine, session, cancellationToken).ConfigureAwait(false))
            {
                continue;
            }

            _problems.Note(name, isThere ? "The storage did not list this recovery point, which is there." : VaultDamage.LostPoint(name).Message);
            isComplete = false;
        }

        return isComplete;
    }
}
