using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Parity;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Vaults.Maintenance;

/// <summary>
/// Keeps what damaged objects are brought back from, as the vault's settings want it: parity of packs, second copies of index segments and points.
/// </summary>
internal sealed class RedundancyKeeper
{
    private readonly ChunkStore _store;
    private readonly CollectionView _view;
    private readonly Func<bool> _isOverTime;
    private readonly Action<BackupException> _damaged;

    // How much parity is wanted; null where nobody knows, or where there is no room to write it.
    private readonly int? _percent;

    // Null where nobody wants parity and none is there, or nobody knows what is wanted.
    private readonly ParityKeeper? _parity;

    private RedundancyKeeper(
        ChunkStore store, CollectionView view, int? percent, ParityKeeper? parity, Func<bool> isOverTime, Action<BackupException> damaged) =>
        (_store, _view, _percent, _parity, _isOverTime, _damaged) = (store, view, percent, parity, isOverTime, damaged);

    /// <summary>What became of parity so far.</summary>
    public ParityChanges Changes => _parity is null ? ParityChanges.None : new ParityChanges(_parity.Bytes, _parity.Covered, _parity.Uncovered);

    /// <summary>Reads what is wanted.</summary>
    /// <param name="store">The store, its index read.</param>
    /// <param name="view">What was listed of it.</param>
    /// <param name="session">The session of whoever writes.</param>
    /// <param name="workers">How many threads multiply; null where nothing is to be written: the room is held for deleting.</param>
    /// <param name="isOverTime">Whether nothing further is to be begun.</param>
    /// <param name="damaged">Gets what is damaged, and that the vault is too full for more.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static async Task<RedundancyKeeper> OpenAsync(
        ChunkStore store,
        CollectionView view,
        SessionId session,
        int? workers,
        Func<bool> isOverTime,
        Action<BackupException> damaged,
        CancellationToken cancellationToken)
    {
        int? percent = workers is null ? null : await ParityKeeper.ReadPercentAsync(store, damaged, cancellationToken).ConfigureAwait(false);
        ParityKeeper? parity = workers is { } threads && percent is { } wanted && (wanted > 0 || view.Parity.Count > 0)
            ? new ParityKeeper(store, session, wanted, threads, isOverTime, damaged)
            : null;
        return new RedundancyKeeper(store, view, percent, parity, isOverTime, damaged);
    }

    /// <summary>
    /// Keeps parity. This comes before packs go: so what they share parity with is protected at every instant, and of the others nothing need be read.
    /// </summary>
    public async Task KeepParityAsync(CollectionDecisions decisions, CancellationToken cancellationToken)
    {
        if (_parity is not null)
        {
            HashSet<(SessionId Session, uint Number)> condemned = decisions.Condemned;
            await _parity.KeepAsync(
                _view.Parity, _view.Packs.Contains, decisions.Gone.Contains, condemned.Contains, _view.IsOver, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Keeps second copies. Of what has come since this run began the next one makes them. What was read from a copy is told.</summary>
    /// <param name="ended">Points that this run has ended: they get none.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task KeepCopiesAsync(IReadOnlySet<(MachineId MachineId, SessionId SessionId)> ended, CancellationToken cancellationToken)
    {
        HashSet<string> copied = [.. _view.Twins.Select(found => found.Name).Where(name => _view.Copies.Contains(VaultLayout.CopyOf(name)))];
        foreach (BackupException damage in _store.Damage.Where(damage => damage.Target is { } target && copied.Contains(target)))
        {
            _damaged(damage);
        }

        var copies = new CopyKeeper(_store, _damaged);
        if (_percent > 0)
        {
            IEnumerable<StoredObject> staying = _view.Twins.Where(found => VaultLayout.TryParsePoint(found.Name, out MachineId machine, out SessionId session)
                ? !ended.Contains((machine, session))
                : _store.SegmentPacks.ContainsKey(found.Name));
            await copies.KeepAsync(staying, _view.Copies, _isOverTime, cancellationToken).ConfigureAwait(false);
        }
        else if (_percent == 0)
        {
            await copies.RemoveAsync(_view.Copies, cancellationToken).ConfigureAwait(false);
        }
    }
}
