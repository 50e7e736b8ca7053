using MSOnlineBackup.Engine.Tests.Maintenance;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Verification;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Parity;

/// <summary>Where parity is kept, index segments and points are there twice, and what is damaged is read from the copy, and told.</summary>
public sealed class SecondCopyTests
{
    private static async Task<MaintainedVault> PrepareAsync()
    {
        var vault = new MaintainedVault();
        await vault.BackUpAsync([1, 2, 3]);
        await vault.BackUpAsync([3, 4]);
        await vault.SetParityAsync(5);
        await vault.MaintainAsync(new MaintenanceRequest { MaxRepackBytes = 0 });
        return vault;
    }

    private static string[] First(MaintainedVault vault) => [.. vault.Names(StoredKind.Segment), .. vault.Names(StoredKind.Point)];

    [Fact]
    public async Task Each_segment_and_each_point_has_a_copy_with_the_same_bytes()
    {
        using MaintainedVault vault = await PrepareAsync();

        Assert.Equal(First(vault).Select(VaultLayout.CopyOf).Order(StringComparer.Ordinal), vault.Names(StoredKind.Copy));
        Assert.All(First(vault), name => Assert.Equal(vault.Objects.GetContent(name), vault.Objects.GetContent(VaultLayout.CopyOf(name))));
        await vault.AssertWholeAsync();
        await vault.SetParityAsync(0);
        await vault.MaintainAsync();
        Assert.Empty(vault.Names(StoredKind.Copy));
    }

    [Fact]
    public async Task What_is_damaged_is_read_from_its_copy_and_told()
    {
        using MaintainedVault vault = await PrepareAsync();
        vault.IsDamaged = true;
        foreach (string name in First(vault))
        {
            byte[] content = vault.Objects.GetContent(name);
            vault.Objects.FlipBit(name, content.Length / 2);

            IndexedVault opened = await vault.OpenAsync();
            foreach (RecoveryPoint point in vault.Points)
            {
                await vault.AssertHoldsAsync(opened, point);
            }

            RecoveryPointList listed = await opened.Vault.ListPointsAsync(null, TestContext.Current.CancellationToken);
            Assert.Equal(vault.Points.Select(point => point.SessionId).Order(), listed.Select(point => point.SessionId).Order());
            Assert.Empty(listed.Damaged);
            Assert.Contains((await vault.VerifyAsync()).Findings, finding => finding.Object == name);
            Assert.Contains((await vault.MaintainAsync()).Findings, finding => finding.Object == name);
            vault.Objects.SetContent(name, content);
        }
    }

    [Fact]
    public async Task A_point_that_is_lost_is_read_from_its_copy_and_nothing_that_it_needs_goes()
    {
        using MaintainedVault vault = await PrepareAsync();
        vault.IsDamaged = true;
        string name = vault.Names(StoredKind.Point)[0];
        vault.Objects.Remove(name);

        IndexedVault opened = await vault.OpenAsync();
        RecoveryPointList listed = await opened.Vault.ListPointsAsync(null, TestContext.Current.CancellationToken);

        Assert.Equal(vault.Points.Select(point => point.SessionId).Order(), listed.Select(point => point.SessionId).Order());
        Assert.Contains((await vault.VerifyAsync()).Findings, finding => finding.Object == name);
        MaintenanceReport report = await vault.MaintainAsync();
        Assert.Equal(0, report.Packs.Deleted);
        Assert.Contains(report.Findings, finding => finding.Object == name);
    }

    [Fact]
    public async Task A_copy_that_is_damaged_is_told_and_costs_nothing()
    {
        using MaintainedVault vault = await PrepareAsync();
        string copy = vault.Names(StoredKind.Copy)[0];
        vault.Objects.FlipBit(copy, 100);

        VerifyFinding finding = Assert.Single((await vault.VerifyAsync()).Findings);

        Assert.Equal(copy, finding.Object);
        IndexedVault opened = await vault.OpenAsync();
        await vault.AssertHoldsAsync(opened, vault.Points[0]);
        Assert.Empty((await vault.MaintainAsync()).Findings);
    }

    [Fact]
    public async Task A_point_that_is_gone_for_good_leaves_no_copy_and_a_segment_that_was_replaced_neither()
    {
        using MaintainedVault vault = await PrepareAsync();
        await vault.DropAsync(vault.Points[0]);

        await vault.MaintainAsync();
        await vault.MaintainAsync();

        Assert.Equal(First(vault).Select(VaultLayout.CopyOf).Order(StringComparer.Ordinal), vault.Names(StoredKind.Copy));
        await vault.AssertWholeAsync();
        await vault.AssertTidyAsync();
    }
}
