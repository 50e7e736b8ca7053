using FsCheck;
using FsCheck.Fluent;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Parity;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Parity;

/// <summary>Packs come and go; after each time all are covered, by few groups, and little is read for it.</summary>
public sealed class ParityPlanTests
{
    private static readonly SessionId _session = ProtectedPacks.Session;

    [Fact]
    public void Whatever_comes_and_goes_all_is_covered_by_few_groups() =>
        Prop.ForAll<int>(seed =>
        {
            var random = new Random(seed);
            var packs = new Dictionary<(SessionId, uint), int>();
            var groups = new List<KnownGroup>();
            uint last = 0;
            int percent = random.Next(5, 26);
            for (int round = 1; round <= 12; round++)
            {
                percent = random.Next(10) == 0 ? random.Next(5, 26) : percent;
                for (int i = random.Next(30); i > 0; i--)
                {
                    packs.Add((_session, ++last), random.Next(3) == 0 ? random.Next(1, 16 << 20) : (16 << 20) - (random.Next(3) * 65536));
                }

                foreach ((SessionId, uint) gone in packs.Keys.Where(_ => random.Next(20) == 0).ToList())
                {
                    packs.Remove(gone);
                }

                Keep(packs, groups, percent, (uint)round);
                AssertSound(packs, groups);
            }

            // What is done is done, once groups that fit together have come together.
            for (uint round = 13; round < 20; round++)
            {
                Keep(packs, groups, percent, round);
                AssertSound(packs, groups);
            }

            Assert.Empty(ParityPlan.Make(packs, _ => true, groups, percent));

            return true;
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Where_nothing_changes_nothing_is_planned_once_groups_were_merged()
    {
        var random = new Random(1);
        var packs = Enumerable.Range(1, 100).ToDictionary(i => (_session, (uint)i), _ => random.Next(1, 16 << 20));
        var groups = new List<KnownGroup>();
        Keep(packs, groups, 5, 1);
        Assert.Empty(ParityPlan.Make(packs, _ => true, groups, 5));
    }

    [Fact]
    public void A_full_group_of_which_a_pack_goes_takes_another_in_its_place_and_nothing_else_is_read()
    {
        var packs = Enumerable.Range(1, 20).ToDictionary(i => (_session, (uint)i), _ => 1 << 20);
        var groups = new List<KnownGroup>();
        Keep(packs, groups, 5, 1);
        KnownGroup before = Assert.Single(groups);
        packs.Remove((_session, 7));
        packs.Add((_session, 21), (1 << 20) - 4096);

        PlannedGroup plan = Assert.Single(ParityPlan.Make(packs, _ => true, groups, 5));

        Assert.Same(before, plan.Base);
        Assert.Equal(before.Group.Members.Select(member => member.Number == 7 ? 21 : member.Number), plan.Members.Select(member => member.Number));
        Assert.Equal(before.Group.Members.Select(member => member.Slot), plan.Members.Select(member => member.Slot));
    }

    [Fact]
    public void What_may_not_come_stays_out_and_stays_in()
    {
        var packs = Enumerable.Range(1, 3).ToDictionary(i => (_session, (uint)i), _ => 1 << 20);
        var groups = new List<KnownGroup>();
        Keep(packs, groups, 5, 1);
        packs.Add((_session, 4), 1 << 20);
        Assert.Empty(ParityPlan.Make(packs, _ => false, groups, 5));
    }

    [Theory]
    [InlineData(1), InlineData(64), InlineData(4096), InlineData(40_000), InlineData((512 << 10) - 1), InlineData(512 << 10), InlineData((512 << 10) + 1), InlineData((4 << 20) + 1), InlineData(16 << 20), InlineData(64 << 20)]
    public void The_longest_pack_fits_and_little_more_does(int longest)
    {
        ParityGeometry geometry = ParityGeometry.For(longest, 8);
        Assert.InRange(geometry.Capacity, longest, Math.Max(8 * 512, longest * 9L / 8));
        Assert.Equal(0, geometry.ShardLength % 64);
        Assert.True(longest < 512 << 10 || geometry.ShardLength >= 64 << 10);
        Assert.True(geometry.CountShards(longest) <= ParityGeometry.Depth * geometry.Stripes);
        Assert.Equal(geometry.Capacity, geometry.ParityLength);
    }

    // As the keeper does, without any bytes.
    private static void Keep(Dictionary<(SessionId Session, uint Number), int> packs, List<KnownGroup> groups, int percent, uint round)
    {
        uint number = round << 16;
        foreach (PlannedGroup plan in ParityPlan.Make(packs, _ => true, [.. groups], percent))
        {
            groups.Add(new KnownGroup(ProtectedPacks.Keeper, ++number, new ParityGroup(plan.Geometry, 1, plan.Members)));
        }

        HashSet<KnownGroup> needed = [.. ParityPlan.FindCover(packs, groups.Order()).Values];
        groups.RemoveAll(group => !needed.Contains(group));
    }

    private static void AssertSound(Dictionary<(SessionId Session, uint Number), int> packs, List<KnownGroup> groups)
    {
        Dictionary<(SessionId Session, uint Number), KnownGroup> cover = ParityPlan.FindCover(packs, groups.Order());
        Assert.Equal(packs.Count, cover.Count);
        foreach (KnownGroup group in groups)
        {
            Assert.All(group.Group.Members, member => Assert.Equal(member.Length, packs[member.Pack]));
            Assert.All(group.Group.Members, member => Assert.InRange(member.Length, 1, group.Group.Geometry.Capacity));
            Assert.Equal(group.Group.Members.Count, group.Group.Members.Select(member => member.Slot).Distinct().Count());
            Assert.All(group.Group.Members, member => Assert.InRange(member.Slot, 0, 19));
            Assert.True(group.Group.Geometry.Rows <= ParityGeometry.RowsFor(25, 20));
        }

        // Every pack once.
        Assert.Equal(packs.Count, groups.Sum(group => group.Group.Members.Count));
    }
}
