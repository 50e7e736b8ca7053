using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Vaults.Copies;

/// <summary>
/// Which points of a vault its twin gets. What has ended there does not come back by itself: of a machine, only points are taken that are later than the newest that the twin has, or
/// had, of this vault.
/// </summary>
/// <param name="Wanted">
/// Those that the twin lacks, the oldest first: so a copy that is interrupted leaves none out. Also those that it has, but of which nobody has said so: a copy was killed before it
/// had looked whether they are whole.
/// </param>
/// <param name="There">How many it has.</param>
/// <param name="Older">How many it lacks that are left out.</param>
/// <param name="Ended">How many were deleted there.</param>
internal sealed record PointSelection(IReadOnlyList<PointName> Wanted, int There, int Older, int Ended)
{
    /// <summary>How many of the wanted ones it lacks.</summary>
    public int Lacking { get; private init; }

    /// <summary>How many it lacks that its own retention does not want.</summary>
    public int Spared { get; private init; }

    /// <summary>Selects.</summary>
    /// <param name="from">The vault; no index is needed.</param>
    /// <param name="to">Its twin; no index is needed.</param>
    /// <param name="request">What is asked for.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static async Task<PointSelection> FindAsync(ChunkStore from, ChunkStore to, VaultCopyRequest request, CancellationToken cancellationToken)
    {
        var source = new RecoveryPointCatalog(from);
        var twin = new RecoveryPointCatalog(to);
        Task<List<PointName>> offering = source.ListNamesAsync(null, cancellationToken);
        Task<List<PointName>> listing = twin.ListAllAndLossesAsync(null, cancellationToken);
        Task<List<PointName>> deciding = twin.ListDecidedAsync(null, cancellationToken);
        Task<HashSet<(MachineId, SessionId)>> confirming = ListCommitsAsync(to, cancellationToken);
        await Task.WhenAll(offering, listing, deciding, confirming).ConfigureAwait(false);
        HashSet<(MachineId, SessionId)> confirmed = await confirming.ConfigureAwait(false);
        ILookup<bool, (MachineId Machine, SessionId Session)> held = (await listing.ConfigureAwait(false)).ToLookup(name => name.Object is not null, KeyOf);
        HashSet<(MachineId, SessionId)> there = [.. held[true]];
        HashSet<(MachineId, SessionId)> lost = [.. held[false]];
        HashSet<(MachineId, SessionId)> decided = [.. (await deciding.ConfigureAwait(false)).Select(KeyOf)];
        HashSet<(MachineId, SessionId)> ended = [.. decided.Where(point => !there.Contains(point))];
        Dictionary<MachineId, SessionId> newest = [];
        foreach (PointName name in await source.ListAllAsync(null, cancellationToken).ConfigureAwait(false))
        {
            if ((there.Contains(KeyOf(name)) || ended.Contains(KeyOf(name))) && (!newest.TryGetValue(name.MachineId, out SessionId other) || name.SessionId > other))
            {
                newest[name.MachineId] = name.SessionId;
            }
        }

        var wanted = new List<PointName>();
        (int had, int older, int gone, int spared) = (0, 0, 0, 0);
        foreach (PointName name in (await offering.ConfigureAwait(false))
            .Where(name => name.Object is not null && request.Points?.Contains(name.SessionId) is not false && (request.Machine ?? name.MachineId) == name.MachineId && request.Machines?.Contains(name.MachineId) is not false)
            .OrderBy(name => name.SessionId))
        {
            (MachineId, SessionId) key = KeyOf(name);
            if (there.Contains(key))
            {
                had++;
                wanted.AddRange(confirmed.Contains(key) || decided.Contains(key) ? [] : [name]);
            }
            else if (ended.Contains(key))
            {
                gone++;
            }
            else if (request.Points is null && !request.IncludesOlder && !lost.Contains(key) && newest.TryGetValue(name.MachineId, out SessionId last) && name.SessionId < last)
            {
                older++;
            }
            else if (request.Spared?.Contains(name.SessionId) == true)
            {
                spared++;
            }
            else
            {
                wanted.Add(name);
            }
        }

        return new PointSelection(wanted, had, older, gone) { Lacking = wanted.Count(name => !there.Contains(KeyOf(name))), Spared = spared };
    }

    private static async Task<HashSet<(MachineId, SessionId)>> ListCommitsAsync(ChunkStore store, CancellationToken cancellationToken)
    {
        var said = new HashSet<(MachineId, SessionId)>();
        await foreach (StoredObject found in store.Objects.ListAsync(VaultLayout.Commits(store.StoreId), cancellationToken).ConfigureAwait(false))
        {
            if (VaultLayout.TryParsePoint(found.Name, out MachineId machine, out SessionId session))
            {
                said.Add((machine, session));
            }
        }

        return said;
    }

    private static (MachineId Machine, SessionId Session) KeyOf(PointName name) => (name.MachineId, name.SessionId);
}
