using System.Numerics;
using MSOnlineBackup.Vaults.Ids;

namespace MSOnlineBackup.Vaults.Parity;

/// <summary>A group that is to be written.</summary>
/// <param name="Geometry">How its packs are cut.</param>
/// <param name="Members">Its packs, in the order of their slots.</param>
/// <param name="Base">
/// A group of the same geometry whose parity it is made from, by adding what comes and taking away what goes; null where all packs are read.
/// </param>
internal sealed record PlannedGroup(ParityGeometry Geometry, IReadOnlyList<ParityMember> Members, KnownGroup? Base);

/// <summary>
/// Which groups are to be written so that all packs are covered. Packs whose lengths lie between the same powers of two go together. A group that has room, or
/// of which packs go, is made anew from its own parity, so that nothing is read but what comes or goes; where two groups fit into one, they become one.
/// </summary>
internal static class ParityPlan
{
    /// <summary>The group that each pack belongs to.</summary>
    /// <param name="packs">The packs that stay, with their lengths.</param>
    /// <param name="groups">The groups that are there: of several that have a pack, it belongs to the last.</param>
    public static Dictionary<(SessionId Session, uint Number), KnownGroup> FindCover(
        IReadOnlyDictionary<(SessionId Session, uint Number), int> packs, IEnumerable<KnownGroup> groups)
    {
        var cover = new Dictionary<(SessionId Session, uint Number), KnownGroup>();
        foreach (KnownGroup group in groups)
        {
            foreach (ParityMember member in group.Group.Members.Where(member => packs.TryGetValue(member.Pack, out int length) && length == member.Length))
            {
                cover[member.Pack] = group;
            }
        }

        return cover;
    }

    /// <summary>Plans.</summary>
    /// <param name="packs">The packs that stay, with their lengths.</param>
    /// <param name="mayCome">Whether a pack that is in no group is to come into one.</param>
    /// <param name="groups">The groups that are there.</param>
    /// <param name="percent">How much parity is wanted, 5 to 25.</param>
    public static List<PlannedGroup> Make(
        IReadOnlyDictionary<(SessionId Session, uint Number), int> packs, Func<(SessionId Session, uint Number), bool> mayCome, IReadOnlyList<KnownGroup> groups, int percent)
    {
        Dictionary<(SessionId Session, uint Number), KnownGroup> cover = FindCover(packs, groups.Order());
        ILookup<KnownGroup, (SessionId Session, uint Number)> covered = cover.ToLookup(pair => pair.Value, pair => pair.Key);
        var coming = packs.Where(pack => pack.Value > 0 && !cover.ContainsKey(pack.Key) && mayCome(pack.Key))
            .ToLookup(pack => ClassOf(pack.Value), pack => (pack.Key, Length: pack.Value));
        ILookup<int, Held> held = covered
            .Select(group => new Held(group.Key, group.Key.Group.Members.Where(member => group.Contains(member.Pack)).ToList()))
            .ToLookup(group => ClassOf(group.Members.Max(member => member.Length)));
        return
        [
            .. coming.Select(of => of.Key).Union(held.Select(of => of.Key)).Order().SelectMany(of => PlanClass([.. coming[of]], [.. held[of]], packs, percent)),
        ];
    }

    private static IEnumerable<PlannedGroup> PlanClass(
        List<((SessionId Session, uint Number) Pack, int Length)> coming, List<Held> held, IReadOnlyDictionary<(SessionId Session, uint Number), int> packs, int percent)
    {
        // What fits the smaller of two, fits the larger.
        Held? open = null;
        foreach (Held group in held.Where(group => group.Members.Count < ParityGeometry.MaxPacks)
            .OrderByDescending(group => group.Group.Group.Geometry.Capacity).ThenByDescending(group => group.Members.Count).ThenBy(group => group.Group).ToList())
        {
            if (open is not null && open.Members.Count + group.Members.Count + coming.Count(pack => pack.Length <= open.Group.Group.Geometry.Capacity) <= ParityGeometry.MaxPacks)
            {
                coming.AddRange(group.Members.Select(member => (member.Pack, member.Length)));
                held.Remove(group);
            }
            else
            {
                open = group;
            }
        }

        coming.Sort((x, y) => y.Length.CompareTo(x.Length) is var order && order != 0 ? order : x.Pack.CompareTo(y.Pack));
        foreach (Held group in held.OrderBy(group => group.Group.Group.Geometry.Capacity).ThenBy(group => group.Group))
        {
            ParityGeometry geometry = group.Group.Group.Geometry;
            var members = group.Members.ToList();
            foreach (int slot in Enumerable.Range(0, ParityGeometry.MaxPacks).Except(members.Select(member => member.Slot)).ToList())
            {
                int next = coming.FindIndex(pack => pack.Length <= geometry.Capacity);
                if (next < 0)
                {
                    break;
                }

                members.Add(new ParityMember(slot, coming[next].Pack.Session, coming[next].Pack.Number, coming[next].Length));
                coming.RemoveAt(next);
            }

            members.Sort((x, y) => x.Slot.CompareTo(y.Slot));
            int rows = ParityGeometry.RowsFor(percent, members.Count);
            bool hasLost = group.Group.Group.Members.Any(member => !packs.ContainsKey(member.Pack));
            if (rows != geometry.Rows)
            {
                yield return new PlannedGroup(geometry with { Rows = rows }, members, null);
            }
            else if (hasLost || members.Count > group.Members.Count)
            {
                yield return new PlannedGroup(geometry, members, group.Group);
            }
        }

        foreach (((SessionId Session, uint Number) Pack, int Length)[] chunk in coming.Chunk(ParityGeometry.MaxPacks))
        {
            yield return new PlannedGroup(
                ParityGeometry.For(chunk[0].Length, ParityGeometry.RowsFor(percent, chunk.Length)),
                [.. chunk.Index().Select(pack => new ParityMember(pack.Index, pack.Item.Pack.Session, pack.Item.Pack.Number, pack.Item.Length))],
                null);
        }
    }

    private static int ClassOf(int length) => BitOperations.Log2((uint)Math.Max(1, length - 1));

    private sealed record Held(KnownGroup Group, List<ParityMember> Members);
}
