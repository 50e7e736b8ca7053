using MSOnlineBackup.Engine.Tests.Maintenance;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Repair;

/// <summary>
/// A repair of a damaged vault stands still before each of its calls in turn, while others do all that they have to do, or dies there; and it happens at each
/// call of others. Each case ends with another repair, a backup of each source, and every file of every point compared.
/// </summary>
public sealed class RepairInterleavingTests
{
    private static readonly int[] _first = [1, 2, 3, 4, 5, 6, 10, 11];
    private static readonly int[] _second = [1, 6, 9, 12, 13];

    // A pack with a bad chunk, one that is truncated, a lost one, a segment that does not open; and a point that was let go of.
    private static async Task<MaintainedVault> PrepareAsync()
    {
        var vault = new MaintainedVault { IsDamaged = true };
        RecoveryPoint gone = await vault.BackUpAsync([1, 2, 30, 31]);
        await vault.BackUpAsync(_first);
        await vault.BackUpAsync(_second, machine: "other");
        await vault.DropAsync(gone);
        var damager = new VaultDamager(vault.Objects, new Random(5));
        IReadOnlyList<string> packs = damager.Names(Victim.DataPack);
        vault.Objects.FlipBit(packs[0], 300);
        vault.Objects.Damage(packs[1], content => content[..(content.Length / 2)]);
        vault.Objects.Remove(damager.Names(Victim.MetadataPack)[^1]);
        damager.Strike(Victim.Segment, Damage.Flip);
        return vault;
    }

    private static async Task HealAsync(MaintainedVault vault)
    {
        await vault.RepairAsync();
        await vault.BackUpAsync(_first);
        await vault.BackUpAsync(_second, machine: "other");
        await vault.AssertWholeAsync();
        for (int i = 0; i < 3; i++)
        {
            await vault.MaintainAsync(MaintainedVault.Impatient);
        }

        await vault.AssertWholeAsync();
        await vault.AssertTidyAsync();
        Assert.Empty((await vault.RepairAsync()).Packs);
    }

    private static async Task AtEachCallAsync(Func<MaintainedVault, IVaultStore, Task> act, Func<MaintainedVault, Task> meanwhile, int brief)
    {
        int calls;
        using (MaintainedVault vault = await PrepareAsync())
        {
            var counting = new PausedVaultStore(vault.Objects, int.MaxValue, () => Task.CompletedTask);
            await act(vault, counting);
            calls = counting.Calls;
        }

        foreach (int at in Campaign.Spread(1, calls, Math.Max(3, brief / 2)))
        {
            using MaintainedVault vault = await PrepareAsync();
            try
            {
                await act(vault, new PausedVaultStore(vault.Objects, at, () => meanwhile(vault)));
                await HealAsync(vault);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                throw new InvalidOperationException($"At call {at} of {calls}: {e.Message}", e);
            }
        }
    }

    [Fact]
    public Task A_backup_at_any_moment_of_a_repair() =>
        AtEachCallAsync((vault, store) => vault.RepairAsync(null, store), vault => vault.BackUpAsync([.. _first, 20]), brief: 10);

    [Fact]
    public Task A_repair_at_any_moment_of_a_backup() =>
        AtEachCallAsync((vault, store) => vault.BackUpAsync([.. _first, 20], store), vault => vault.RepairAsync(), brief: 10);

    [Fact]
    public Task A_repair_and_a_maintenance_at_any_moment_of_a_backup() =>
        AtEachCallAsync(
            (vault, store) => vault.BackUpAsync([.. _first, 20], store),
            async vault =>
            {
                await vault.RepairAsync();
                await vault.MaintainAsync();
                await vault.RepairAsync();
            },
            brief: 8);

    [Fact]
    public Task A_maintenance_at_any_moment_of_a_repair() =>
        AtEachCallAsync((vault, store) => vault.RepairAsync(null, store), vault => vault.MaintainAsync(), brief: 10);

    [Fact]
    public Task A_repair_at_any_moment_of_a_maintenance() =>
        AtEachCallAsync((vault, store) => vault.MaintainAsync(null, store), vault => vault.RepairAsync(), brief: 10);

    [Fact]
    public Task Two_repairs_at_any_moment_of_each_other() =>
        AtEachCallAsync(
            (vault, store) => vault.RepairAsync(null, store),
            async vault =>
            {
                await vault.RepairAsync();
                await vault.BackUpAsync(_second, machine: "third");
            },
            brief: 10);

    [Fact]
    public Task A_repair_that_slept_while_a_maintenance_took_it_for_dead() =>
        AtEachCallAsync(
            async (vault, store) =>
            {
                try
                {
                    await vault.RepairAsync(null, store);
                }
                catch (BackupException e) when (e.Id == BackupErrorId.SessionFenced)
                {
                    // It was shut out, and says so.
                }
            },
            async vault =>
            {
                await vault.RepairAsync();
                await vault.BackUpAsync([.. _first, 21]);
                await vault.BackUpAsync(_second, machine: "other");
                await vault.MaintainAsync(MaintainedVault.Impatient);
                await vault.MaintainAsync(MaintainedVault.Impatient);
            },
            brief: 10);

    [Fact]
    public async Task A_repair_that_dies_at_any_moment_is_finished_by_the_next()
    {
        int calls;
        using (MaintainedVault vault = await PrepareAsync())
        {
            var counting = new PausedVaultStore(vault.Objects, int.MaxValue, () => Task.CompletedTask);
            await vault.RepairAsync(null, counting);
            calls = counting.Calls;
        }

        foreach (int at in Campaign.Spread(1, calls, 8))
        {
            using MaintainedVault vault = await PrepareAsync();
            var dying = new PausedVaultStore(vault.Objects, at, () => throw new BackupException(BackupErrorId.VaultUnreachable, "It died.", "A test."));
            Exception? death = await Record.ExceptionAsync(() => vault.RepairAsync(null, dying));

            // Which chunk goes into which pack is chance, and so is how many calls there are.
            Assert.True(death is BackupException || dying.Calls < at, $"{death}");
            try
            {
                await HealAsync(vault);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                throw new InvalidOperationException($"At call {at} of {calls}: {e.Message}", e);
            }
        }
    }
}
