using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Packs;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Vaults.Maintenance;

/// <summary>
/// Deletes the packs that go: parity without them, then the packs, then segments without them, then the word that they are gone. The packs go before
/// the segments are written, which need the room on a full disk; until the word is there, the record of the collection says why packs are missing that
/// segments name.
/// </summary>
/// <param name="store">The store.</param>
/// <param name="session">Writes segments.</param>
/// <param name="view">What was listed of the store.</param>
/// <param name="missing">Packs that the index names, and that were not there when this run began.</param>
/// <param name="decisions">Says which packs go.</param>
/// <param name="needed">What points need.</param>
/// <param name="redundancy">Keeps parity of what stays.</param>
internal sealed class PackRemoval(
    ChunkStore store,
    WriteSession session,
    CollectionView view,
    IReadOnlySet<PackInfo> missing,
    CollectionDecisions decisions,
    NeededChunks needed,
    RedundancyKeeper redundancy)
{
    // Packs that go, and that the storage keeps for now: they stay named, and their collections open.
    private readonly HashSet<(SessionId Session, uint Number)> _kept = [];

    private IReadOnlyCollection<(SessionId Session, uint Number)>? _lost;

    /// <summary>Packs that were deleted.</summary>
    public int Packs { get; private set; }

    /// <summary>Their bytes.</summary>
    public long Bytes { get; private set; }

    /// <summary>Index segments that were deleted, as others stand in for them.</summary>
    public int Segments { get; private set; }

    /// <summary>Missing packs of which something is needed that no other has; found out before what others have condemned counts as absent.</summary>
    public IReadOnlyCollection<(SessionId Session, uint Number)> Lost => _lost ?? [];

    /// <summary>Deletes.</summary>
    /// <param name="collections">The numbers of the collections that are done with it.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task RunAsync(IReadOnlyCollection<uint> collections, CancellationToken cancellationToken)
    {
        await redundancy.KeepParityAsync(decisions, cancellationToken).ConfigureAwait(false);
        PackInfo[] available = [.. store.Index.Packs.Where(pack => pack.IsAvailable && decisions.Gone.Contains(pack.Key))];
        foreach (PackInfo pack in available)
        {
            pack.IsAvailable = false;
        }

        foreach ((SessionId written, uint number) in decisions.Gone)
        {
            if (!await store.Deletion.TryDeleteAsync(VaultLayout.Pack(store.StoreId, written, number), cancellationToken).ConfigureAwait(false))
            {
                _kept.Add((written, number));
            }
        }

        PackInfo[] deleted = [.. available.Where(IsGone)];
        Packs += deleted.Length;
        Bytes += deleted.Sum(pack => (long)pack.Length);
        store.Index.Forget(store.Index.Packs.Where(IsGone).ToHashSet());
        bool isUnnamed = await RewriteSegmentsAsync(cancellationToken).ConfigureAwait(false);
        uint[] done = [.. collections.Where(number => isUnnamed && !decisions.VerdictOf(number).Overlaps(_kept))];
        if (done.Length > 0)
        {
            CollectionView now = await CollectionView.TakeAsync(store, cancellationToken).ConfigureAwait(false);
            foreach (uint number in done)
            {
                await CollectionRecords.SettleDoneAsync(store, number, now.OpenBeside(session.Id), cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private bool IsGone(PackInfo pack) => decisions.Gone.Contains(pack.Key) && !_kept.Contains(pack.Key);

    // By the index as it is now: segments may have come since the chunks were numbered, and may name packs that go. False where one that does stays.
    private async Task<bool> RewriteSegmentsAsync(CancellationToken cancellationToken)
    {
        var rewrite = new SegmentRewrite(store, session, store.Index.Consolidate(), name => view.Copies.Contains(VaultLayout.CopyOf(name)));
        HashSet<PackInfo> wanted = FindWanted();
        _lost ??= [.. needed.IsWhole ? wanted.Where(missing.Contains).Select(pack => pack.Key) : []];
        await rewrite.RunAsync(
            pack => IsGone(pack) || (needed.IsWhole && missing.Contains(pack) && !wanted.Contains(pack)),
            cancellationToken).ConfigureAwait(false);
        Segments += rewrite.Deleted;
        return !rewrite.HasKept;
    }

    // Packs that are missing and of which something is needed stay named: so what is lost can be told.
    private HashSet<PackInfo> FindWanted()
    {
        var wanted = new HashSet<PackInfo>(ReferenceEqualityComparer.Instance);
        ChunkCopies.Visit(store.Index, needed.Marks, (isNeeded, copies) =>
        {
            if (isNeeded && !copies.Any(copy => copy.Pack.IsAvailable))
            {
                wanted.UnionWith(copies.Select(copy => copy.Pack));
            }
        });
        return wanted;
    }
}
