using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Vaults.Maintenance;

/// <summary>
/// What becomes of condemned packs: for whom each collection waits, and, once that is nobody, which of its packs go. Packs go without which every
/// needed chunk has a pack that stays.
/// </summary>
/// <param name="store">The store, its packs surveyed.</param>
/// <param name="records">What collectors have decided.</param>
/// <param name="view">How sessions stand. They were listed after the records were.</param>
internal sealed class CollectionDecisions(ChunkStore store, CollectionRecords records, CollectionView view)
{
    private readonly Dictionary<uint, IReadOnlySet<SessionId>> _waits = [];
    private readonly Dictionary<uint, IReadOnlySet<(SessionId Session, uint Number)>> _settled = [];
    private readonly HashSet<(SessionId Session, uint Number)> _gone = [];
    private IReadOnlySet<SessionId> _others = new HashSet<SessionId>();

    /// <summary>Packs that go, or went, by a verdict.</summary>
    public IReadOnlySet<(SessionId Session, uint Number)> Gone => _gone;

    /// <summary>Packs of collections of which something is still to be done. Nothing of them is relied on.</summary>
    public HashSet<(SessionId Session, uint Number)> Condemned => [.. Pending.SelectMany(collection => collection.Condemned!)];

    /// <summary>Collections whose verdict is known, and whose packs are to be deleted.</summary>
    public IReadOnlyCollection<uint> Settled => _settled.Keys;

    /// <summary>Whether each collection is settled.</summary>
    public bool IsAllSettled => Undecided.FirstOrDefault() is null;

    /// <summary>For whom those wait that are not.</summary>
    public IEnumerable<SessionId> Awaited => Undecided.SelectMany(collection => _waits[collection.Number]).Where(session => !view.IsOver(session));

    // Collections of which something is still to be done to packs, in the order of their numbers.
    private IEnumerable<Collection> Pending => records.All.Where(collection => collection is { Condemned: not null, IsDone: false });

    private IEnumerable<Collection> Undecided => Pending.Where(collection => !_settled.ContainsKey(collection.Number));

    /// <summary>Finds out for whom collections wait. A run that was stopped may not have come to say it.</summary>
    /// <param name="own">The session of this run, for which nobody waits.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task SettleWaitsAsync(SessionId own, CancellationToken cancellationToken)
    {
        // Whoever a record named that is damaged has ended, or is among those who are at work now.
        _others = view.OpenBeside(own);
        foreach (Collection collection in Pending)
        {
            _waits[collection.Number] = collection.IsWaitLost ? _others : collection.Wait
                ?? await CollectionRecords.SettleWaitAsync(store, collection.Number, _others, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>The collections that are decided, or can be: in the order of their numbers, up to the first that still waits.</summary>
    public ValueTask<List<Collection>> FindRipeAsync(CancellationToken cancellationToken) =>
        Pending.ToAsyncEnumerable()
            .TakeWhile(async (collection, token) => collection.Verdict is not null || collection.IsVerdictLost || await IsRipeAsync(collection, token).ConfigureAwait(false))
            .ToListAsync(cancellationToken);

    /// <summary>Decides collections, as far as that can be done yet.</summary>
    /// <param name="ripe">Those that wait for nobody.</param>
    /// <param name="needed">What points need. They were listed after it was known that nobody is waited for.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task DecideAsync(IEnumerable<Collection> ripe, NeededChunks needed, CancellationToken cancellationToken)
    {
        foreach (Collection collection in ripe)
        {
            if ((collection.Verdict ?? await JudgeAsync(collection, needed, cancellationToken).ConfigureAwait(false)) is not { } verdict)
            {
                // What others decide does not depend on one that nobody can read: its packs are relied on by nobody.
                if (collection.IsVerdictLost)
                {
                    continue;
                }

                break;
            }

            _settled.Add(collection.Number, verdict);
            _gone.UnionWith(verdict);
        }
    }

    /// <summary>Decides a collection that this run has begun. All others are settled, and nobody is at work.</summary>
    /// <param name="number">Its number.</param>
    /// <param name="condemned">Its packs.</param>
    /// <param name="needed">What points need: all of it is known.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task DecideOwnAsync(
        uint number, IReadOnlySet<(SessionId Session, uint Number)> condemned, NeededChunks needed, CancellationToken cancellationToken)
    {
        IReadOnlySet<(SessionId Session, uint Number)> verdict =
            (await SettleAsync(number, condemned, _gone.Contains, needed, isTaken: false, cancellationToken).ConfigureAwait(false))!;
        _settled.Add(number, verdict);
        _gone.UnionWith(verdict);
    }

    /// <summary>The packs that go by a collection whose verdict is known.</summary>
    public IReadOnlySet<(SessionId Session, uint Number)> VerdictOf(uint number) => _settled[number];

    /// <summary>Removes the records of collections that are over. The highest number stays used: the next one is higher than all before.</summary>
    /// <returns>Of how many collections.</returns>
    public async Task<int> RemoveRecordsAsync(CancellationToken cancellationToken)
    {
        foreach (string probe in records.Probes)
        {
            await store.Deletion.TryDeleteAsync(probe, cancellationToken).ConfigureAwait(false);
        }

        int removed = 0;
        foreach (Collection collection in records.All.Where(collection => collection.Number != records.Highest))
        {
            if (collection.Condemned is null || (collection.IsDone && (collection.Done ?? _others).All(view.IsOver)))
            {
                removed += await CollectionRecords.RemoveAsync(store, collection.Number, cancellationToken).ConfigureAwait(false) ? 1 : 0;
            }
        }

        return removed;
    }

    // A session whose record the listing does not show is asked for by name.
    private async ValueTask<bool> IsRipeAsync(Collection collection, CancellationToken cancellationToken)
    {
        foreach (SessionId session in _waits[collection.Number])
        {
            if (!view.IsOver(session) || (!view.HasEnded(session) && await HasRecordAsync(session, cancellationToken).ConfigureAwait(false)))
            {
                return false;
            }
        }

        return true;
    }

    private async ValueTask<bool> HasRecordAsync(SessionId session, CancellationToken cancellationToken) =>
        await store.Objects.StatAsync(VaultLayout.Session(store.StoreId, session), cancellationToken).ConfigureAwait(false) is not null;

    // Packs that other undecided collections condemn do not count as staying; so two collections never rely on each other. Null where it cannot be decided yet.
    private Task<IReadOnlySet<(SessionId Session, uint Number)>?> JudgeAsync(Collection collection, NeededChunks needed, CancellationToken cancellationToken)
    {
        HashSet<(SessionId Session, uint Number)> doubtful =
        [
            .. Undecided.Where(other => other.Number != collection.Number && other.Verdict is null).SelectMany(other => other.Condemned!),
        ];
        return SettleAsync(
            collection.Number, collection.Condemned!, pack => doubtful.Contains(pack) || _gone.Contains(pack), needed, collection.IsVerdictLost, cancellationToken);
    }

    // Where a point cannot be read, all that there is counts as needed; and only what is decided without sparing anything is decided then. So it is, too, where a verdict was
    // given that nobody can read: whatever it was, no more goes than all, and whoever finds that all may go finds the same.
    private async Task<IReadOnlySet<(SessionId Session, uint Number)>?> SettleAsync(
        uint number,
        IReadOnlySet<(SessionId Session, uint Number)> condemned,
        Func<(SessionId Session, uint Number), bool> isNoHome,
        NeededChunks needed,
        bool isTaken,
        CancellationToken cancellationToken)
    {
        IReadOnlySet<(SessionId Session, uint Number)> spared =
            await new PackTrial(store, needed.Marks, needed.IsWhole).FindSparedAsync(condemned, isNoHome, cancellationToken).ConfigureAwait(false);
        if (isTaken)
        {
            return spared.Count == 0 ? condemned : null;
        }

        return needed.IsWhole || spared.Count == 0
            ? await CollectionRecords.SettleVerdictAsync(store, number, condemned.Except(spared).ToHashSet(), cancellationToken).ConfigureAwait(false)
            : null;
    }
}
