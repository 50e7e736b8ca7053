using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Index;
using MSOnlineBackup.Vaults.Packs;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Vaults.Maintenance;

/// <summary>
/// Finds which of some condemned packs have to stay: those that alone have something that is needed. What does not open in a pack, the pack does not have: so a damaged one
/// goes once all that opens in it is elsewhere.
/// </summary>
/// <param name="store">The store, its packs surveyed.</param>
/// <param name="marks">What is needed.</param>
/// <param name="isWhole">Whether everything that is needed is marked. Else all that there is counts as needed, and what is found to stay may not be all.</param>
internal sealed class PackTrial(ChunkStore store, ChunkMarks marks, bool isWhole)
{
    // Of one pass over the index.
    private const int MostChunks = 1 << 16;

    // Chunks that open nowhere.
    private readonly HashSet<ChunkId> _lost = [];

    /// <summary>Finds the packs that stay.</summary>
    /// <param name="condemned">The packs.</param>
    /// <param name="isNoHome">Whether a pack may go by another decision, or has gone.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task<IReadOnlySet<(SessionId Session, uint Number)>> FindSparedAsync(
        IReadOnlySet<(SessionId Session, uint Number)> condemned, Func<(SessionId Session, uint Number), bool> isNoHome, CancellationToken cancellationToken)
    {
        HashSet<(SessionId Session, uint Number)> spared = [];
        for (bool goesOn = true; goesOn;)
        {
            List<ChunkLocation[]> homeless = FindHomeless();
            goesOn = homeless.Count == MostChunks;
            foreach (ChunkLocation[] copies in homeless.Where(copies => !copies.Any(IsSpared)))
            {
                if (await FindHomeAsync(copies, cancellationToken).ConfigureAwait(false) is not { } home)
                {
                    _lost.Add(copies[0].Chunk.Id);
                }
                else if (spared.Add(home.Key) && !isWhole)
                {
                    return spared;
                }
            }
        }

        // Of a pack that no segment names, and whose own table cannot be read, nobody knows what it holds: it stays while anything is missed.
        List<(SessionId Session, uint Number)> unknown = [.. condemned.Where(pack => !store.Index.TryGetPack(pack.Session, pack.Number, out _))];
        if (unknown.Count > 0 && (_lost.Count > 0 || MissesAny()))
        {
            spared.UnionWith(unknown);
        }

        return spared;

        // Needed chunks without a copy in a pack that stays, by their copies in those that may go.
        List<ChunkLocation[]> FindHomeless()
        {
            var found = new List<ChunkLocation[]>();
            ChunkCopies.Visit(store.Index, marks, (isNeeded, recorded) =>
            {
                if (found.Count == MostChunks || (isWhole && !isNeeded) || !recorded.Any(copy => condemned.Contains(copy.Pack.Key)) || recorded.Any(IsSpared))
                {
                    return;
                }

                // Copies that have come since are in no record that was numbered.
                ChunkId id = recorded[0].Chunk.Id;
                if (!_lost.Contains(id) && !store.Index.FindAll(id).Any(copy => !condemned.Contains(copy.Pack.Key) && !isNoHome(copy.Pack.Key)))
                {
                    found.Add([.. recorded.Where(copy => condemned.Contains(copy.Pack.Key)).OrderBy(copy => isNoHome(copy.Pack.Key))]);
                }
            });
            return found;
        }

        bool IsSpared(ChunkLocation copy) => spared.Contains(copy.Pack.Key);
    }

    /// <summary>Whether anything that is needed is in no pack that is there, or may not be.</summary>
    public bool MissesAny()
    {
        bool misses = !isWhole || marks.LacksAny;
        if (!misses)
        {
            ChunkCopies.Visit(store.Index, marks, (isNeeded, recorded) => misses |= isNeeded && store.Index.FindAll(recorded[0].Chunk.Id).Count == 0);
        }

        return misses;
    }

    private async ValueTask<PackInfo?> FindHomeAsync(ChunkLocation[] copies, CancellationToken cancellationToken)
    {
        foreach (ChunkLocation copy in copies)
        {
            if (await store.MayGiveAsync(copy, cancellationToken).ConfigureAwait(false))
            {
                return copy.Pack;
            }
        }

        return null;
    }
}
