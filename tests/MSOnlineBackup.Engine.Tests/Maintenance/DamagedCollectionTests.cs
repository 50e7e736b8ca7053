using MSOnlineBackup.Engine.Tests.Repair;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Maintenance;

/// <summary>
/// Records of a collection that are damaged at any moment of it: they stop decisions about its own packs only, backups and all else go on, and no point suffers. Once nothing
/// needs the packs, they go all the same.
/// </summary>
public sealed class DamagedCollectionTests
{
    [Theory]
    [InlineData(".wait", Damage.Flip)]
    [InlineData(".wait", Damage.Truncation)]
    [InlineData(".verdict", Damage.Flip)]
    [InlineData(".verdict", Damage.Truncation)]
    [InlineData(".done", Damage.Flip)]
    [InlineData(".done", Damage.Truncation)]
    public async Task A_record_that_is_damaged_stops_nothing_else(string suffix, Damage damage)
    {
        int met = 0;
        for (int dies = 1; ; dies++)
        {
            using var vault = new MaintainedVault { IsDamaged = true };
            RecoveryPoint gone = await vault.BackUpAsync([1, 2, 3, 10, 11]);
            await vault.BackUpAsync([1, 4, 5], machine: "other");
            await vault.BackUpAsync([1, 6]);
            await vault.DropAsync(gone);
            var faulty = new FaultyVaultStore(vault.Objects)
            {
                FailAt = dies,
                Kind = FaultKind.ForGood,
                Timing = FaultTiming.AfterEffect,
                Counts = (call, _) => call is VaultCall.Create or VaultCall.Delete,
            };
            bool isOver = false;
            try
            {
                await vault.MaintainAsync(MaintainedVault.Impatient, faulty);
                isOver = true;
            }
            catch (BackupException e) when (e.Id == BackupErrorId.VaultUnreachable)
            {
                // It died there.
            }

            if (vault.Names(StoredKind.Collection).FirstOrDefault(name => name.EndsWith(suffix, StringComparison.Ordinal)) is { } record)
            {
                met++;
                new VaultDamager(vault.Objects, new Random(dies)).Strike(record, [], damage);
                Assert.Contains((await vault.VerifyAsync()).Findings, finding => finding.Object == record);
                await vault.BackUpAsync([2, 10, 6], machine: "third");
                await vault.RepairAsync();
                Assert.Contains((await vault.MaintainAsync(MaintainedVault.Impatient)).Findings, finding => finding.Object == record);

                // Something else goes: by a collection of its own, and the damaged one's records with it.
                await vault.DropAsync(await vault.BackUpAsync([20, 21], machine: "fourth"));
                for (int runs = 0; runs < 4; runs++)
                {
                    await vault.MaintainAsync(MaintainedVault.Impatient);
                }

                await vault.AssertWholeAsync();
                await vault.AssertTidyAsync();
            }

            if (isOver)
            {
                break;
            }
        }

        Assert.NotEqual(0, met);
    }
}
