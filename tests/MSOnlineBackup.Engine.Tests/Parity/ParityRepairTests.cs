using MSOnlineBackup.Engine.Tests.Maintenance;
using MSOnlineBackup.Engine.Tests.Repair;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.Repair;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Parity;

/// <summary>A repair takes from parity and from second copies what nothing else gives; no source is needed.</summary>
public sealed class ParityRepairTests
{
    private static readonly MaintenanceRequest _nothingWritten = new() { MaxRepackBytes = 0 };

    private static async Task<MaintainedVault> PrepareAsync()
    {
        var vault = new MaintainedVault { IsDamaged = true };
        await vault.BackUpAsync([1, 2, 3, 4, 5]);
        await vault.BackUpAsync([1, 7, 8], machine: "other");
        await vault.SetParityAsync(5);
        await vault.MaintainAsync(_nothingWritten);
        return vault;
    }

    [Fact]
    public async Task Any_single_damage_of_any_pack_heals_without_the_source()
    {
        var random = new Random(3);
        for (int i = 0; i < Campaign.Rounds(40, 400, 8); i++)
        {
            using MaintainedVault vault = await PrepareAsync();
            Victim victim = i % 2 == 0 ? Victim.DataPack : Victim.MetadataPack;
            Damage damage = (Damage)(i % 4);
            IReadOnlyList<string> struck = new VaultDamager(vault.Objects, random).Strike(victim, damage);

            RepairReport report = await vault.RepairAsync();

            Assert.Equal(struck, report.Packs.Select(pack => pack.Object));
            Assert.Equal(0, report.ChunksLost);
            Assert.True(damage != Damage.Loss || report.ChunksFromParity > 0);
            Assert.Empty(report.Findings);
            await vault.AssertWholeAsync();
            await vault.MaintainAsync(_nothingWritten);
            await vault.AssertProtectedAsync();
            await vault.AssertWholeAsync();
        }
    }

    [Fact]
    public async Task Damaged_segments_and_points_and_lost_points_are_restored_from_their_copies_byte_for_byte()
    {
        using MaintainedVault vault = await PrepareAsync();
        var before = vault.Names(StoredKind.Segment).Concat(vault.Names(StoredKind.Point)).ToDictionary(name => name, vault.Objects.GetContent);
        foreach ((string name, byte[] content) in before)
        {
            vault.Objects.FlipBit(name, content.Length - 40);
        }

        vault.Objects.Remove(vault.Names(StoredKind.Point)[0]);
        RepairReport foreseen = await vault.RepairAsync(new RepairRequest { IsRehearsal = true });

        RepairReport report = await vault.RepairAsync();

        Assert.Equal(before.Count, foreseen.ObjectsRestored);
        Assert.Equal((before.Count, 0), (report.ObjectsRestored, report.ObjectsRemoved));
        Assert.Empty(report.Findings);
        Assert.All(before, kept => Assert.Equal(kept.Value, vault.Objects.GetContent(kept.Key)));
        await vault.AssertWholeAsync();
    }

    [Fact]
    public async Task Damaged_parity_and_copies_are_removed_and_the_next_maintenance_makes_them_anew()
    {
        using MaintainedVault vault = await PrepareAsync();
        string parity = vault.Names(StoredKind.ParityShards)[0];
        string copy = vault.Names(StoredKind.Copy)[0];
        int copies = vault.Names(StoredKind.Copy).Count;
        vault.Objects.FlipBit(parity, vault.Objects.GetContent(parity).Length / 2);
        vault.Objects.FlipBit(copy, 100);

        RepairReport report = await vault.RepairAsync();

        Assert.Equal(3, report.ObjectsRemoved);
        Assert.Empty(report.Findings);
        await vault.MaintainAsync(_nothingWritten);
        Assert.Equal(copies, vault.Names(StoredKind.Copy).Count);
        await vault.AssertProtectedAsync();
        await vault.AssertWholeAsync();
    }
}
