using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Verification;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Maintenance;

/// <summary>
/// Whoever works on a vault stands still before each of its calls in turn, while others do all that they have to do; or dies there. Each case ends with every
/// file of every point compared.
/// </summary>
public sealed class InterleavingTests
{
    // Before: a point that was let go of, and whose data a later backup needs again; one that shares half; many small packs.
    private static async Task<MaintainedVault> PrepareAsync(bool hasIndexCache)
    {
        var vault = new MaintainedVault(hasIndexCache);
        RecoveryPoint gone = await vault.BackUpAsync([1, 2, 3, 4, 5, 6]);
        await vault.BackUpAsync([1, 6, 9], machine: "other");
        await vault.DropAsync(gone);
        return vault;
    }

    private static Task<MaintainedVault> PrepareAsync() => PrepareAsync(hasIndexCache: true);

    // Before: a point that relies on packs which were condemned after its job had looked, and wait for nobody any more. No manifest is at hand.
    private static async Task<MaintainedVault> PrepareCondemnedAsync()
    {
        MaintainedVault vault = await PrepareAsync(hasIndexCache: false);
        var slow = new PausedVaultStore(
            vault.Objects, 1, () => vault.MaintainAsync(), (call, name) => call == VaultCall.Create && VaultLayout.KindOf(name, out _) == StoredKind.Point);
        await vault.BackUpAsync([1, 2, 3, 4, 5, 6], slow);
        return vault;
    }

    private static async Task MaintainUnlessShutOutAsync(MaintainedVault vault, IVaultStore store)
    {
        try
        {
            await vault.MaintainAsync(null, store);
        }
        catch (BackupException e) when (e.Id == BackupErrorId.SessionFenced)
        {
            // It was shut out, and says so.
        }
    }

    private static async Task<int> CountCallsAsync(Func<MaintainedVault, IVaultStore, Task> act, Func<Task<MaintainedVault>> prepare)
    {
        using MaintainedVault vault = await prepare();
        var counting = new PausedVaultStore(vault.Objects, int.MaxValue, () => Task.CompletedTask);
        await act(vault, counting);
        return counting.Calls;
    }

    private static async Task AtEachCallAsync(
        Func<MaintainedVault, IVaultStore, Task> act,
        Func<MaintainedVault, Task> meanwhile,
        int brief,
        Func<MaintainedVault, Task>? afterwards = null,
        Func<Task<MaintainedVault>>? prepare = null)
    {
        prepare ??= PrepareAsync;
        int calls = await CountCallsAsync(act, prepare);
        foreach (int at in Campaign.Spread(1, calls, brief))
        {
            using MaintainedVault vault = await prepare();
            try
            {
                await act(vault, new PausedVaultStore(vault.Objects, at, () => meanwhile(vault)));
                await vault.AssertWholeAsync();
                await (afterwards?.Invoke(vault) ?? Task.CompletedTask);
                await vault.MaintainAsync(MaintainedVault.Impatient);
                await vault.MaintainAsync(MaintainedVault.Impatient);
                await vault.MaintainAsync(MaintainedVault.Impatient);
                await vault.AssertWholeAsync();
                await vault.AssertTidyAsync();
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                throw new InvalidOperationException($"At call {at} of {calls}: {e.Message}", e);
            }
        }
    }

    [Fact]
    public Task A_backup_at_any_moment_of_a_maintenance() =>
        AtEachCallAsync((vault, store) => vault.MaintainAsync(null, store), vault => vault.BackUpAsync([2, 3, 4, 12]), brief: 8);

    [Fact]
    public Task A_maintenance_at_any_moment_of_a_backup() =>
        AtEachCallAsync((vault, store) => vault.BackUpAsync([2, 3, 4, 12], store), vault => vault.MaintainAsync(), brief: 8);

    [Fact]
    public Task Several_maintenances_at_any_moment_of_a_backup() =>
        AtEachCallAsync(
            (vault, store) => vault.BackUpAsync([2, 3, 4, 12], store),
            async vault =>
            {
                for (int i = 0; i < 3; i++)
                {
                    await vault.MaintainAsync();
                    await vault.BackUpAsync([4, 5, 20 + i], machine: "third");
                }
            },
            brief: 8);

    [Fact]
    public Task A_maintenance_that_takes_all_others_for_dead_at_any_moment_of_a_backup() =>
        AtEachCallAsync(
            async (vault, store) =>
            {
                try
                {
                    await vault.BackUpAsync([2, 3, 4, 12], store);
                }
                catch (BackupException e) when (e.Id == BackupErrorId.SessionFenced)
                {
                    // It was shut out, and says so. It can be run again.
                    await vault.BackUpAsync([2, 3, 4, 12]);
                }
            },
            async vault =>
            {
                await vault.MaintainAsync(MaintainedVault.Impatient);
                await vault.MaintainAsync(MaintainedVault.Impatient);
            },
            brief: 8);

    [Fact]
    public Task Two_maintenances_at_any_moment_of_each_other() =>
        AtEachCallAsync(
            (vault, store) => vault.MaintainAsync(null, store),
            async vault =>
            {
                await vault.MaintainAsync();
                await vault.BackUpAsync([3, 4]);
            },
            brief: 8);

    [Fact]
    public Task A_maintenance_that_slept_while_others_took_it_for_dead() =>
        AtEachCallAsync(
            MaintainUnlessShutOutAsync,
            async vault =>
            {
                await vault.MaintainAsync(MaintainedVault.Impatient);
                await vault.BackUpAsync([2, 3]);
                await vault.DropAsync(vault.Points[0]);
                await vault.MaintainAsync(MaintainedVault.Impatient);
                await vault.BackUpAsync([1, 6, 30], machine: "third");
            },
            brief: 8);

    [Fact]
    public Task A_point_that_goes_at_any_moment_of_a_maintenance_with_packs_that_were_condemned_before_it() =>
        AtEachCallAsync(
            (vault, store) => vault.MaintainAsync(null, store),
            async vault =>
            {
                await vault.DropAsync(vault.Points.Single(point => point.MachineName != "other"));
                await vault.MaintainAsync();
                await vault.MaintainAsync();
            },
            brief: 8,
            prepare: PrepareCondemnedAsync);

    [Fact]
    public Task A_maintenance_that_was_taken_for_dead_takes_nothing_for_damage() =>
        AtEachCallAsync(
            MaintainUnlessShutOutAsync,
            async vault =>
            {
                await vault.BackUpAsync([7, 8], machine: "last");
                foreach (RecoveryPoint point in vault.Points.Where(point => point.MachineName != "last"))
                {
                    await vault.DropAsync(point);
                }

                for (int i = 0; i < 3; i++)
                {
                    await vault.MaintainAsync(MaintainedVault.Impatient);
                }
            },
            brief: 8,
            prepare: PrepareCondemnedAsync);

    [Fact]
    public Task A_point_that_goes_at_any_moment_of_a_verification_is_no_damage() =>
        AtEachCallAsync(
            async (vault, store) =>
            {
                using UnlockedVault opened = await vault.Backups.OpenAsync(store);
                VerifyReport report = await opened.VerifyAsync(VerifyLevel.Data, new JobMonitor(), TestContext.Current.CancellationToken);
                Assert.Empty(report.Findings);
            },
            async vault =>
            {
                await vault.DropAsync(vault.Points.Single(point => point.MachineName != "other"));
                await vault.MaintainAsync();
                await vault.MaintainAsync();
            },
            brief: 8,
            prepare: PrepareCondemnedAsync);

    [Fact]
    public Task A_point_that_goes_at_any_moment_of_its_restore_is_whole_or_said_to_be_gone() =>
        AtEachCallAsync(
            async (vault, store) =>
            {
                RecoveryPoint point = vault.Points.Single(point => point.MachineName != "other");
                try
                {
                    (RestoreResult result, _, int whole) = await vault.RestoreAsync(point, store, damage => Assert.Fail(damage.Message));
                    Assert.Equal(result.Files, whole);
                }
                catch (BackupException e) when (e.Id == BackupErrorId.RecoveryPointGone)
                {
                    Assert.Empty(await vault.ReadRecordedAsync());
                }
            },
            async vault =>
            {
                await vault.DropAsync(vault.Points.Single(point => point.MachineName != "other"));
                await vault.MaintainAsync();
                await vault.MaintainAsync();
            },
            brief: 8,
            prepare: PrepareCondemnedAsync);

    [Fact]
    public async Task A_maintenance_that_dies_at_any_moment_leaves_nothing_that_the_next_does_not_tidy()
    {
        int calls = await CountCallsAsync((vault, store) => vault.MaintainAsync(null, store), PrepareAsync);
        foreach (int at in Campaign.Spread(1, calls, 12))
        {
            using MaintainedVault vault = await PrepareAsync();
            var dying = new PausedVaultStore(vault.Objects, at, () => throw new BackupException(BackupErrorId.VaultUnreachable, "It died.", "A test."));
            Exception? death = await Record.ExceptionAsync(() => vault.MaintainAsync(null, dying));

            // Which chunk goes into which pack is chance, and so is how many calls there are.
            Assert.True(death is BackupException || dying.Calls < at, $"{death}");
            await vault.AssertWholeAsync();
            await vault.BackUpAsync([2, 3, 4, 12]);
            await vault.AssertWholeAsync();
            for (int i = 0; i < 3; i++)
            {
                await vault.MaintainAsync(MaintainedVault.Impatient);
            }

            await vault.AssertWholeAsync();
            await vault.AssertTidyAsync();
        }
    }

    [Fact]
    public async Task Who_reads_while_packs_are_written_anew_reads_on()
    {
        int calls = await CountReadsAsync();
        foreach (int at in Campaign.Spread(1, calls, 8))
        {
            using MaintainedVault vault = await PrepareAsync();
            var paused = new PausedVaultStore(vault.Objects, at, () => vault.MaintainAsync());
            IndexedVault reader = await vault.OpenAsync(paused);
            foreach (RecoveryPoint point in vault.Points)
            {
                await vault.AssertHoldsAsync(reader, point);
            }
        }
    }

    private static async Task<int> CountReadsAsync()
    {
        using MaintainedVault vault = await PrepareAsync();
        var counting = new PausedVaultStore(vault.Objects, int.MaxValue, () => Task.CompletedTask);
        IndexedVault reader = await vault.OpenAsync(counting);
        foreach (RecoveryPoint point in vault.Points)
        {
            await vault.AssertHoldsAsync(reader, point);
        }

        return counting.Calls;
    }
}
