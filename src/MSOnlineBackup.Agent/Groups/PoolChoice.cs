namespace MSOnlineBackup.Agent.Groups;

/// <summary>A disk vault of a pool, as the choice sees it.</summary>
/// <param name="Location">Its folder.</param>
/// <param name="FreeBytes">What its disk has free; null where that is not known.</param>
/// <param name="TotalBytes">How large its disk is; null where that is not known.</param>
/// <param name="NewestPoint">The id of the newest recovery point that it has of the machine, which orders them; null for none.</param>
/// <param name="IsAway">Whether it is not there.</param>
/// <param name="WasFull">Whether it has just refused the machine's backup, since it was full.</param>
public sealed record PoolPlace(string Location, long? FreeBytes, long? TotalBytes, string? NewestPoint, bool IsAway = false, bool WasFull = false);

/// <summary>Why a machine goes where it goes.</summary>
public enum PoolReason
{
    /// <summary>Its points are there.</summary>
    Home,

    /// <summary>It has none yet: the first with room takes it.</summary>
    First,

    /// <summary>Where its points are is no room: the next with room takes it, and its first backup there is a full one.</summary>
    Overflow,

    /// <summary>None has more than 5 % free: what is left where its points are has to do.</summary>
    AllLow,

    /// <summary>None is there that could take it.</summary>
    None,
}

/// <summary>Which disk vault of a pool takes a machine.</summary>
/// <param name="Index">Its place in the pool; null where none can.</param>
/// <param name="Home">Where its points are; null for nowhere that is known.</param>
/// <param name="Reason">Why.</param>
public sealed record PoolDecision(int? Index, int? Home, PoolReason Reason);

/// <summary>
/// The rule of pools, as a pure function: a machine stays where its newest points are, as long as there is room; else the next in order takes it, beginning again with the first. Room
/// is 5 % of the disk.
/// </summary>
public static class PoolChoice
{
    /// <summary>The share of a disk that has to be free.</summary>
    public const double LeastFree = 0.05;

    /// <summary>Whether a disk has room. Of one that cannot be asked nobody knows better.</summary>
    public static bool HasRoom(long? freeBytes, long? totalBytes) => freeBytes is not { } free || totalBytes is not > 0 || free >= totalBytes.Value * LeastFree;

    /// <summary>Decides for one machine.</summary>
    /// <param name="pool">The disk vaults, in their order.</param>
    public static PoolDecision Decide(IReadOnlyList<PoolPlace> pool)
    {
        ArgumentNullException.ThrowIfNull(pool);
        int[] there = [.. Enumerable.Range(0, pool.Count).Where(index => !pool[index].IsAway)];
        int? home = there.Where(index => pool[index].NewestPoint is not null).OrderByDescending(index => pool[index].NewestPoint, StringComparer.Ordinal).Select(index => (int?)index).FirstOrDefault();
        int first = home ?? 0;
        int[] inOrder = [.. there.OrderBy(index => (index - first + pool.Count) % pool.Count)];
        foreach (int index in inOrder.Where(index => !pool[index].WasFull && HasRoom(pool[index].FreeBytes, pool[index].TotalBytes)))
        {
            return new PoolDecision(index, home, home is null ? PoolReason.First : index == home ? PoolReason.Home : PoolReason.Overflow);
        }

        foreach (int index in inOrder.Where(index => !pool[index].WasFull))
        {
            return new PoolDecision(index, home, PoolReason.AllLow);
        }

        return new PoolDecision(null, home, PoolReason.None);
    }
}
