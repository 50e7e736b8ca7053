using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Packs;

namespace MSOnlineBackup.Vaults.Maintenance;

/// <summary>What a run has condemned.</summary>
/// <param name="Number">
/// The collection's number; null where there was nothing to condemn, or another collector was faster: then everything has to be looked at anew.
/// </param>
/// <param name="Plan">What was to be.</param>
/// <param name="Emptied">Packs of which everything that is needed is elsewhere.</param>
/// <param name="Broken">Packs of which nobody knows what they held.</param>
/// <param name="Copied">Bytes that were written anew.</param>
internal sealed record Condemnation(
    uint? Number, PackPlan Plan, IReadOnlyList<PackInfo> Emptied, IReadOnlyList<(SessionId Session, uint Number)> Broken, long Copied)
{
    /// <summary>Sessions that may rely on what was condemned, and are not over.</summary>
    public IReadOnlyCollection<SessionId> Awaited { get; init; } = [];

    /// <summary>Whether the packs went at once, as far as nothing spared them.</summary>
    public bool IsDone { get; init; }

    /// <summary>All packs.</summary>
    public IReadOnlySet<(SessionId Session, uint Number)> Packs => Emptied.Select(pack => pack.Key).Concat(Broken).ToHashSet();

    /// <summary>Adds its figures.</summary>
    public PackChanges AddTo(PackChanges changes)
    {
        changes = changes with { BytesUnused = Plan.Unused, BytesUnderEarlierKeys = Plan.UnderEarlierKeys };
        return Number is null ? changes : changes with
        {
            Condemned = IsDone ? 0 : Emptied.Count,
            BytesCondemned = IsDone ? 0 : Emptied.Sum(pack => (long)pack.Length),
            Repacked = Emptied.Count(pack => Plan.Repacked.Any(use => use.Pack == pack)),
            BytesRepacked = Copied,
        };
    }
}
