using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Packs;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Vaults.Maintenance;

/// <summary>Condemns packs that nothing needs, and those of which little is needed: that is written anew first.</summary>
/// <param name="store">The store.</param>
/// <param name="request">Threshold and budget.</param>
/// <param name="view">What was listed of the store.</param>
/// <param name="decisions">What was condemned before.</param>
/// <param name="needed">What points need: all of it is known.</param>
/// <param name="locks">What the storage keeps whoever asks: it is not written anew, for that would keep it twice. Null where it keeps nothing.</param>
internal sealed class PackCondemner(
    ChunkStore store, MaintenanceRequest request, CollectionView view, CollectionDecisions decisions, NeededChunks needed, LockKeeper? locks)
{
    /// <summary>Says which packs are to go.</summary>
    public PackPlan Plan()
    {
        HashSet<(SessionId Session, uint Number)> condemned = decisions.Condemned;
        return PackPlan.Make(
            PackUse.Measure(store.Index, needed.Marks, MayGo), store.Objects.Capabilities.PackSize, request, store.Keys.Epoch);

        bool MayGo(PackInfo pack) => pack is { IsKnown: true, IsAvailable: true }
            && locks?.IsFirm(pack.Key) != true && !decisions.Gone.Contains(pack.Key) && !condemned.Contains(pack.Key) && view.Packs.Contains(pack.Key) && view.IsOver(pack.Session);
    }

    /// <summary>
    /// Writes anew what is needed of packs that are to go, and condemns them. They count as absent from then on, and so does what others have condemned.
    /// </summary>
    /// <param name="records">Gets the record.</param>
    /// <param name="session">Writes.</param>
    /// <param name="goesOn">Asked before each pack; false ends it.</param>
    /// <param name="damaged">Gets what could not be copied.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task<Condemnation> RunAsync(
        CollectionRecords records, WriteSession session, Func<bool> goesOn, Action<BackupException> damaged, CancellationToken cancellationToken)
    {
        // Nothing of what others have condemned is relied on.
        HashSet<(SessionId Session, uint Number)> condemned = decisions.Condemned;
        foreach (PackInfo pack in store.Index.Packs.Where(pack => condemned.Contains(pack.Key)))
        {
            pack.IsAvailable = false;
        }

        List<(SessionId Session, uint Number)> broken = FindBroken([.. condemned, .. decisions.Gone]);
        PackPlan plan = Plan();
        PackInfo[] going = [.. plan.Dead.Concat(plan.Repacked).Select(use => use.Pack)];
        foreach (PackInfo pack in going)
        {
            pack.IsAvailable = false;
        }

        // Packs that no segment names: of those that nobody needs, and those of jobs at work, none is named by us.
        store.Index.Forget(store.Index.Packs.Where(pack => !pack.IsAvailable || !view.IsOver(pack.Session)).ToHashSet());
        var repacker = new Repacker(store, session, needed.Marks);
        IReadOnlyList<PackInfo> emptied = await repacker.RunAsync(going, goesOn, damaged, cancellationToken).ConfigureAwait(false);
        await session.FlushAsync(cancellationToken).ConfigureAwait(false);
        uint? number = emptied.Count + broken.Count == 0
            ? null
            : await records.TryCondemnAsync([.. emptied.Select(pack => pack.Key), .. broken], cancellationToken).ConfigureAwait(false);
        return new Condemnation(number, plan, emptied, broken, repacker.Copied);
    }

    // Packs that no segment names, and whose own tables cannot be read: where nothing is missed, they have nothing that is needed.
    private List<(SessionId Session, uint Number)> FindBroken(HashSet<(SessionId Session, uint Number)> known)
    {
        var broken = new List<(SessionId, uint)>();
        foreach (BackupException damage in store.Damage.Where(damage => damage.Id == BackupErrorId.VaultDataCorrupt))
        {
            if (VaultLayout.KindOf(damage.Target ?? string.Empty, out _) == StoredKind.Pack
                && VaultLayout.TryParseNumbered(damage.Target!, out SessionId session, out uint number)
                && !store.Index.TryGetPack(session, number, out _)
                && view.IsOver(session)
                && !known.Contains((session, number)))
            {
                broken.Add((session, number));
            }
        }

        return broken.Count == 0 || new PackTrial(store, needed.Marks, needed.IsWhole).MissesAny() ? [] : broken;
    }
}
