using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Parity;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Parity;

/// <summary>
/// What parity promises: at 5 % every single damage of a pack, of up to 512 KiB or of any length, and any one lost pack of a group. And where it ends.
/// </summary>
public sealed class PackRecoveryTests
{
    private const int KiB = 1 << 10;
    private const int MiB = 1 << 20;
    private const int Promise = 512 * KiB;

    // A group of packs of all lengths, as a small vault has them; one of packs that are alike; one that has room; one of large packs.
    private static readonly Dictionary<string, int[]> _groups = new()
    {
        ["small"] = [4 * KiB, 8 * KiB, 40 * KiB, 300 * KiB],
        ["full"] = [.. Enumerable.Range(0, 20).Select(i => MiB + (i * 4096))],
        ["few"] = [2 * MiB, (2 * MiB) - 4096, 3 * MiB],
        ["large"] = [7 * MiB, (7 * MiB) + (64 * KiB), 5 * MiB],
        ["one"] = [64],
    };

    public static TheoryData<string> Groups => [.. _groups.Keys];

    [Theory]
    [MemberData(nameof(Groups))]
    public async Task Every_single_damage_heals(string group)
    {
        int[] lengths = _groups[group];
        ProtectedPacks packs = await ProtectedPacks.MakeAsync(lengths);
        var random = new Random(1);
        for (int i = 0; i < Campaign.Rounds(100, 2000, 25); i++)
        {
            int pack = random.Next(lengths.Length);
            int length = 1 + random.Next(Math.Min(Promise, lengths[pack]));
            int offset = i switch { 0 => 0, 1 => lengths[pack] - length, _ => random.Next(lengths[pack] - length + 1) };
            packs.Spoil(pack, offset, length);

            await packs.AssertRecoversAsync(pack, $"{length} at {offset}");
            packs.Mend(pack);
        }
    }

    [Theory]
    [MemberData(nameof(Groups))]
    public async Task Each_lost_pack_and_each_truncated_one_comes_back(string group)
    {
        int[] lengths = _groups[group];
        ProtectedPacks packs = await ProtectedPacks.MakeAsync(lengths);
        for (int pack = 0; pack < lengths.Length; pack++)
        {
            packs.Objects.Remove(ProtectedPacks.NameOf(pack));
            await packs.AssertRecoversAsync(pack, "lost");
            foreach (int left in (int[])[0, 1, lengths[pack] / 3, lengths[pack] - 1])
            {
                packs.Objects.SetContent(ProtectedPacks.NameOf(pack), packs.Contents[pack][..left]);
                await packs.AssertRecoversAsync(pack, $"truncated to {left}");
            }

            packs.Objects.SetContent(ProtectedPacks.NameOf(pack), new byte[lengths[pack]]);
            await packs.AssertRecoversAsync(pack, "all zeros");
            packs.Mend(pack);
        }
    }

    [Fact]
    public async Task In_large_packs_several_damages_heal_at_once_wherever_they_are()
    {
        // 5 MiB: 10 stripes of 64 KiB. A damage of 512 KiB is in each at most once: eight of them heal, in one pack or in eight, at the same place or not.
        ProtectedPacks packs = await ProtectedPacks.MakeAsync(Enumerable.Repeat(5 * MiB, 9));
        var random = new Random(2);
        for (int i = 0; i < 8; i++)
        {
            packs.Spoil(i, i % 2 == 0 ? 3 * MiB : random.Next((5 * MiB) - Promise), Promise);
        }

        for (int i = 0; i < 8; i++)
        {
            await packs.AssertRecoversAsync(i);
        }
    }

    [Fact]
    public async Task More_than_the_parity_can_carry_is_told_and_never_guessed()
    {
        ProtectedPacks packs = await ProtectedPacks.MakeAsync(Enumerable.Repeat(MiB, 6));
        packs.Objects.Remove(ProtectedPacks.NameOf(1));
        packs.Objects.Remove(ProtectedPacks.NameOf(4));

        Assert.Null(await packs.RecoverAsync(1));
        Assert.Null(await packs.RecoverAsync(4));

        packs.Mend(4);
        packs.Spoil(4, 100, 1);
        Assert.Null(await packs.RecoverAsync(1));
        Assert.Null(await packs.RecoverAsync(4));
    }

    [Fact]
    public async Task With_twice_the_parity_two_lost_packs_come_back()
    {
        ProtectedPacks packs = await ProtectedPacks.MakeAsync(Enumerable.Repeat(MiB, 6), percent: 10);
        packs.Objects.Remove(ProtectedPacks.NameOf(1));
        packs.Objects.Remove(ProtectedPacks.NameOf(4));
        await packs.AssertRecoversAsync(1);
        await packs.AssertRecoversAsync(4);
    }

    [Fact]
    public async Task Damage_in_the_parity_costs_what_is_damaged_of_it_and_no_more()
    {
        ProtectedPacks packs = await ProtectedPacks.MakeAsync(Enumerable.Repeat(5 * MiB, 6));
        packs.Spoil(packs.Shards, ParityStore.OffsetOfParity(packs.Group.Group) + 1000, Promise);
        packs.Spoil(3, 1000, Promise);

        Assert.False(await packs.IsSoundAsync(packs.Group));
        await packs.AssertRecoversAsync(3);

        packs.Objects.SetContent(packs.Shards, packs.Objects.GetContent(packs.Shards)[..^(2 * MiB)]);
        await packs.AssertRecoversAsync(3, "and truncated");

        packs.Spoil(packs.Shards, 20, 100);
        Assert.Null(await packs.RecoverAsync(3));
        packs.Objects.Remove(packs.Shards);
        Assert.Null(await packs.RecoverAsync(3));
    }

    [Fact]
    public async Task A_pack_that_is_sound_is_given_back_as_it_is()
    {
        ProtectedPacks packs = await ProtectedPacks.MakeAsync([MiB, 2 * MiB]);
        await packs.AssertRecoversAsync(0);
    }

    [Fact]
    public async Task A_group_that_packs_come_to_and_leave_is_as_if_it_had_been_made_so()
    {
        ProtectedPacks packs = await ProtectedPacks.MakeAsync(Enumerable.Repeat(MiB, 4));
        int come = packs.AddPack(MiB - 4096);
        ParityGroup before = packs.Group.Group;
        var plan = new PlannedGroup(before.Geometry, [before.Members[0], packs.Member(1, come), before.Members[3]], packs.Group);
        var from = new PlannedGroup(before.Geometry, [packs.Member(0, 0), packs.Member(1, come), packs.Member(3, 3)], null);

        // What stays is not read.
        packs.Objects.Remove(ProtectedPacks.NameOf(0));
        packs.Group = Assert.IsType<KnownGroup>(await packs.WriteAsync(plan));
        byte[] added = packs.Objects.GetContent(packs.Shards)[ParityStore.OffsetOfParity(packs.Group.Group)..];
        await packs.AssertRecoversAsync(0);
        packs.Mend(0);
        packs.Group = Assert.IsType<KnownGroup>(await packs.WriteAsync(from));

        Assert.Equal(packs.Objects.GetContent(packs.Shards)[ParityStore.OffsetOfParity(packs.Group.Group)..^16], added[..^16]);
        foreach (int pack in (int[])[0, 3, come])
        {
            packs.Objects.Remove(ProtectedPacks.NameOf(pack));
            await packs.AssertRecoversAsync(pack);
            packs.Mend(pack);
        }
    }

    [Fact]
    public async Task What_is_damaged_gets_into_no_parity()
    {
        ProtectedPacks packs = await ProtectedPacks.MakeAsync([MiB, MiB, MiB]);
        packs.Spoil(1, 5000, 1);
        KnownGroup? group =
            await packs.WriteAsync(new PlannedGroup(packs.Group.Group.Geometry, [packs.Member(0, 0), packs.Member(1, 1), packs.Member(2, 2)], null));

        Assert.Equal([0u, 2u], group!.Group.Members.Select(member => member.Number));
        Assert.Single(packs.Damage, damage => damage.Target == ProtectedPacks.NameOf(1));
    }

    [Fact]
    public async Task The_share_is_what_was_asked_for()
    {
        ProtectedPacks packs = await ProtectedPacks.MakeAsync(Enumerable.Repeat(2 * MiB, 20));
        double share = (double)packs.Objects.Names.Where(name => name.Contains("/parity/", StringComparison.Ordinal))
            .Sum(name => packs.Objects.GetContent(name).Length) / (40 * MiB);
        Assert.InRange(share, 0.05, 0.052);
    }
}
