using MSOnlineBackup.Engine.Tests.Maintenance;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Repair;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Verification;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Repair;

/// <summary>
/// Random damages to a vault of several machines, with points whose sources have changed since. All that is damaged is found and told; what a copy or a source
/// has is healed; what nobody has is named, file by file; and nothing that is not named is anything but what was backed up.
/// </summary>
public sealed class DamageCampaignTests
{
    public static TheoryData<int> Seeds => [.. Enumerable.Range(0, Campaign.Rounds(36, 1000))];

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task What_is_damaged_is_found_named_and_healed_where_somebody_has_it(int seed)
    {
        var random = new Random(seed);
        using var vault = new MaintainedVault { IsDamaged = true };
        Dictionary<string, int[]> sources = [];
        for (int backups = 2 + random.Next(4); backups > 0; backups--)
        {
            string machine = $"machine{random.Next(3)}";
            sources[machine] = Change(sources.GetValueOrDefault(machine) ?? [], random);
            await vault.BackUpAsync(sources[machine], machine: machine);
        }

        // Not all of what the points have is in the sources still.
        IReadOnlyList<string> before = vault.Objects.Names;
        Dictionary<string, byte[]> contents = before.ToDictionary(name => name, vault.Objects.GetContent);
        var damager = new VaultDamager(vault.Objects, random);
        for (int damages = 1 + random.Next(3); damages > 0; damages--)
        {
            damager.Strike((Victim)random.Next(3), (Damage)random.Next(5));
        }

        string[] changed =
            [.. before.Where(name => !vault.Objects.Names.Contains(name) || !vault.Objects.GetContent(name).AsSpan().SequenceEqual(contents[name]))];

        RepairReport report = await vault.RepairAsync();

        AssertFound(changed, report, vault);
        Assert.Null(report.Unfinished);
        foreach ((string machine, int[] files) in sources)
        {
            await vault.BackUpAsync(files, machine: machine);
        }

        VerifyReport after = await vault.VerifyAsync();
        Assert.All(after.Findings, finding => Assert.True(finding.Affected.Count > 0 || IsPack(finding.Object), finding.ToString()));
        await AssertNamedOrWholeAsync(vault, after);

        // Once more: there is nothing left to mend.
        RepairReport again = await vault.RepairAsync();
        Assert.Empty(again.Packs);
        Assert.Equal(after.Findings.Select(finding => finding.Object), again.Findings.Select(finding => finding.Object));
        await vault.MaintainAsync();
        await AssertNamedOrWholeAsync(vault, await vault.VerifyAsync());
    }

    private static int[] Change(int[] files, Random random)
    {
        HashSet<int> changed = [.. files.Where(_ => random.Next(4) > 0)];
        for (int news = 3 + random.Next(10); news > 0; news--)
        {
            changed.Add(1 + random.Next(40));
        }

        return [.. changed.Order()];
    }

    // Every pack that is not as it was is told and gone, and every segment that does not open is gone. Where a segment is damaged too, nothing may be left that
    // knows what was in a pack, or that there was one: its file stays, and what was in it is told by name.
    private static void AssertFound(IReadOnlyCollection<string> changed, RepairReport report, MaintainedVault vault)
    {
        bool isIndexWhole = changed.All(IsPack);
        foreach (string name in changed)
        {
            bool isTold = report.Packs.Any(pack => pack.Object == name);
            bool isThere = vault.Objects.Names.Contains(name);
            Assert.True(IsPack(name) ? isTold != isThere || !isIndexWhole : !isThere, name);
            Assert.False(isTold && isThere, name);
        }
    }

    private static bool IsPack(string name) => VaultLayout.KindOf(name, out _) == StoredKind.Pack;

    /// <summary>Every file of every point is there, byte for byte, but for those that a verification has named.</summary>
    internal static async Task AssertNamedOrWholeAsync(MaintainedVault vault, VerifyReport report, IVaultStore? through = null)
    {
        ILookup<SessionId, AffectedItem> affected = report.Findings.SelectMany(finding => finding.Affected).ToLookup(item => item.PointId);
        IndexedVault opened = await vault.OpenAsync(through);
        foreach (RecoveryPoint point in vault.Points)
        {
            if (!affected.Contains(point.SessionId))
            {
                await vault.AssertHoldsAsync(opened, point);
                continue;
            }

            HashSet<string> named = [.. affected[point.SessionId].Select(item => item.Path).OfType<string>()];
            bool mayLackItems = affected[point.SessionId].Any(item => item.Path is null);
            await vault.AssertHoldsAsync(opened, point, named, mayLackItems);
        }
    }
}
