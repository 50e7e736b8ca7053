using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Maintenance;

/// <summary>Maintenance where the vault's disk has little room, or none.</summary>
public sealed class FullDiskTests
{
    // Maintained once, and so with room that is held; then packs that nothing needs, and packs that are needed in part.
    private static async Task<MaintainedVault> PrepareAsync()
    {
        var vault = new MaintainedVault();
        RecoveryPoint first = await vault.BackUpAsync([1, 2, 3, 4, 5, 6]);
        await vault.MaintainAsync();
        RecoveryPoint dead = await vault.BackUpAsync([11, 12, 13, 14, 15], machine: "dead");
        await vault.BackUpAsync([1, 6, 9], machine: "other");
        await vault.DropAsync(first);
        await vault.DropAsync(dead);
        return vault;
    }

    [Fact]
    public async Task A_run_with_no_byte_of_room_frees_what_nothing_needs()
    {
        using MaintainedVault vault = await PrepareAsync();
        var full = new FullVaultStore(vault.Objects, 0);
        long before = vault.PackBytes;
        MaintenanceReport report = await vault.MaintainAsync(null, full);
        Assert.NotEqual(0, full.Refused);
        Assert.NotEqual(0, report.Packs.Deleted);
        Assert.Equal(before - vault.PackBytes, report.Packs.BytesFreed - report.Packs.BytesRepacked, tolerance: 200_000);
        await vault.AssertWholeAsync();
        await vault.MaintainAsync();
        await vault.AssertWholeAsync();
        await vault.AssertTidyAsync();
        Assert.Contains(vault.Names(StoredKind.Collection), name => name.EndsWith(".reserve", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_disk_that_fills_at_any_moment_of_a_maintenance_costs_nothing_that_is_needed()
    {
        long most;
        using (MaintainedVault vault = await PrepareAsync())
        {
            var counting = new FullVaultStore(vault.Objects, 1L << 40);
            await vault.MaintainAsync(null, counting);
            most = counting.Written;
        }

        foreach (int room in Campaign.Spread(0, (int)(most / 4096), Campaign.IsBrief ? 8 : 24))
        {
            using MaintainedVault vault = await PrepareAsync();
            var full = new FullVaultStore(vault.Objects, room * 4096L);
            await vault.MaintainAsync(null, full);
            await vault.AssertWholeAsync();
            await vault.BackUpAsync([2, 3, 4, 12]);
            for (int i = 0; i < 3; i++)
            {
                await vault.MaintainAsync(MaintainedVault.Impatient);
            }

            await vault.AssertWholeAsync();
            await vault.AssertTidyAsync();
        }
    }

    [Fact]
    public async Task A_vault_that_was_never_maintained_has_no_room_held_and_says_so()
    {
        using var vault = new MaintainedVault();
        await vault.DropAsync(await vault.BackUpAsync([1, 2, 3]));
        await vault.BackUpAsync([4]);
        BackupException refused = await Assert.ThrowsAsync<BackupException>(() => vault.MaintainAsync(null, new FullVaultStore(vault.Objects, 0)));
        Assert.Equal(BackupErrorId.VaultFull, refused.Id);
        Assert.Contains("half a megabyte", refused.Message, StringComparison.Ordinal);
        await vault.AssertWholeAsync();
        await vault.MaintainAsync();
        await vault.AssertTidyAsync();
    }
}
