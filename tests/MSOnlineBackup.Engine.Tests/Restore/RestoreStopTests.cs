using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Restore.RestoreFixture;

namespace MSOnlineBackup.Engine.Tests.Restore;

public class RestoreStopTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task One_file_that_cannot_be_written_does_not_stop_the_others()
    {
        await using RestoreFixture vault = await CreateAsync();
        await vault.RandomAsync(6, 200);
        int files = vault.Entries.Count(entry => entry.Kind == EntryKind.File);
        string victim = vault.Entries.First(entry => entry.Kind == EntryKind.File && entry.Size > 10).Path.ToString();
        var target = new MemoryTarget
        {
            BeforeWrite = path =>
            {
                if (path.ToString() == "src/" + victim)
                {
                    throw new BackupException(BackupErrorId.RestoreItemFailed, "Cannot.", "None.", victim);
                }
            },
        };

        (_, RestoreResult result) = await vault.RestoreAsync(Request(await vault.PointAsync()), target);

        Assert.Equal((files - 1, 1), (result.Files, result.Skipped));
        Assert.False(target.Has("src/" + victim));
    }

    [Fact]
    public async Task A_full_target_stops_the_restore_and_leaves_no_half_file()
    {
        await using RestoreFixture vault = await CreateAsync();
        await vault.RandomAsync(7, 300);
        RecoveryPoint point = await vault.PointAsync();
        int writes = 0;
        var target = new MemoryTarget
        {
            BeforeWrite = path =>
            {
                if (Interlocked.Increment(ref writes) > 50)
                {
                    throw new BackupException(BackupErrorId.RestoreTargetFull, "Full.", "None.");
                }
            },
        };

        BackupException fault = await Assert.ThrowsAsync<BackupException>(() => vault.RestoreAsync(Request(point), target));

        Assert.Equal(BackupErrorId.RestoreTargetFull, fault.Id);
        Assert.Equal(0, target.OpenFiles);
        RestoredTree.AssertOnlyWholeFiles(vault, target);
    }

    [Fact]
    public async Task A_vault_that_is_gone_stops_the_restore()
    {
        await using RestoreFixture vault = await CreateAsync();
        await vault.RandomAsync(8, 300);
        RecoveryPoint point = await vault.PointAsync();
        for (int failAt = 1; failAt < 6; failAt++)
        {
            var target = new MemoryTarget();
            var faulty = new FaultyVaultStore(vault.Objects)
            {
                Kind = FaultKind.ForGood,
                FailAt = failAt,
                Counts = (call, name) => call == VaultCall.Read && name.Contains("/packs/", StringComparison.Ordinal),
            };

            BackupException fault = await Assert.ThrowsAsync<BackupException>(() => vault.RestoreAsync(Request(point), target, faulty));

            Assert.Equal(BackupErrorId.VaultUnreachable, fault.Id);
            Assert.Equal(0, target.OpenFiles);
            RestoredTree.AssertOnlyWholeFiles(vault, target);
        }
    }

    [Fact]
    public async Task Stopping_leaves_no_half_file_and_a_rerun_continues()
    {
        await using RestoreFixture vault = await CreateAsync();
        await vault.RandomAsync(9, 300);
        RecoveryPoint point = await vault.PointAsync();
        using var stop = new CancellationTokenSource();
        int writes = 0;
        var target = new MemoryTarget
        {
            BeforeWrite = _ =>
            {
                if (Interlocked.Increment(ref writes) == 60)
                {
                    stop.Cancel();
                }
            },
        };

        RestoreRequest request = Request(point, RestoreConflict.Overwrite);
        vault.Stop = stop.Token;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => vault.RestoreAsync(request, target));
        vault.Stop = Cancel;
        Assert.Equal(0, target.OpenFiles);
        RestoredTree.AssertOnlyWholeFiles(vault, target);
        target.Settle();

        (_, RestoreResult result) = await vault.RestoreAsync(request, target);

        Assert.True(result.AlreadyThere > 0);
        RestoredTree.AssertSame(vault, vault.Entries, target);
    }
}
