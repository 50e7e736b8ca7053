using MSOnlineBackup.Vaults.Packs;

namespace MSOnlineBackup.Vaults.Maintenance;

/// <summary>Which packs are to go, and of which the rest is written anew first.</summary>
/// <param name="Dead">Packs that nothing needs.</param>
/// <param name="Repacked">Packs of which something is needed, the most wasteful first.</param>
/// <param name="Unused">Bytes that nothing needs and that stay.</param>
/// <param name="UnderEarlierKeys">Bytes of packs that stay, and that an earlier master key has sealed.</param>
internal sealed record PackPlan(IReadOnlyList<PackUse> Dead, IReadOnlyList<PackUse> Repacked, long Unused, long UnderEarlierKeys)
{
    // So many packs of a quarter of the usual size, or less, are gathered into few.
    private const int ManySmall = 16;
    private const int SmallShare = 4;

    /// <summary>Plans.</summary>
    /// <param name="uses">The packs that may go.</param>
    /// <param name="packSize">The usual size of a pack of data.</param>
    /// <param name="request">Threshold and budget.</param>
    /// <param name="epoch">Which master key seals now.</param>
    public static PackPlan Make(IReadOnlyCollection<PackUse> uses, int packSize, MaintenanceRequest request, byte epoch)
    {
        List<PackUse> dead = [.. uses.Where(use => use.Needed == 0).OrderByDescending(use => use.Pack.Length).Take(request.MostDead)];
        var wanted = new List<PackUse>();
        wanted.AddRange(uses.Where(use => use.Needed > 0 && use.Unused > request.MaxUnused * use.Held && use.Pack.Length > packSize / SmallShare).OrderByDescending(use => (double)use.Unused / use.Held));
        foreach (IGrouping<PackKind, PackUse> kind in uses.Where(use => use.Needed > 0 && use.Pack.Length <= packSize / SmallShare).GroupBy(use => use.Pack.Kind))
        {
            List<PackUse> small = [.. kind.OrderBy(use => use.Pack.Length)];
            wanted.AddRange(small.Count >= ManySmall ? small : small.Where(use => use.Unused > request.MaxUnused * use.Held));
        }

        // Those of the earliest key first.
        long reencrypted = 0;
        HashSet<PackUse> chosen = [.. wanted];
        foreach (PackUse use in uses.Where(use => use.Needed > 0 && use.Pack.Epoch < epoch && !chosen.Contains(use)).OrderBy(use => use.Pack.Epoch))
        {
            if (reencrypted + use.Needed <= request.ReencryptBytes)
            {
                reencrypted += use.Needed;
                wanted.Add(use);
            }
        }

        long budget = request.MaxRepackBytes ?? long.MaxValue;
        var repacked = new List<PackUse>();
        foreach (PackUse use in wanted.TakeWhile(use => use.Needed <= budget))
        {
            budget -= use.Needed;
            repacked.Add(use);
        }

        return new PackPlan(
            dead,
            repacked,
            uses.Sum(use => use.Needed == 0 ? 0 : use.Unused) - repacked.Sum(use => use.Unused),
            uses.Except(dead).Except(repacked).Where(use => use.Pack.Epoch < epoch).Sum(use => use.Held));
    }
}
