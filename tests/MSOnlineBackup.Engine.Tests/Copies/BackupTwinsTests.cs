using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Tests.Maintenance;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Backup.BackupFixture;

namespace MSOnlineBackup.Engine.Tests.Copies;

/// <summary>A backup that goes to twins as well: what is read once is in all of them, and none of them can do harm to it.</summary>
public sealed class BackupTwinsTests : IDisposable
{
    private static readonly int[] _contents = [1, 2, 3, 4, 5];

    private readonly TwinnedVault _vaults = new();

    public void Dispose() => _vaults.Dispose();

    [Fact]
    public async Task What_is_read_once_is_in_the_vault_and_in_each_twin_and_is_not_read_again_from_the_vault()
    {
        await _vaults.CreateAsync();
        MemoryVaultStore second = await _vaults.CreateTwinAsync(_vaults.Source.Objects);
        var watched = new FaultyVaultStore(_vaults.Source.Objects) { Counts = (call, name) => call == VaultCall.Read && IsPack(name) };

        // No more chunks than a twin has room for, however slow its workers are just now.
        BackupResult result = await _vaults.Source.BackUpToAllAsync([1], [_vaults.Twin, second], watched);

        Assert.All(result.Copies, copy => Assert.Equal((null, 1, 0L), (copy.Failure, copy.Report!.PointsCopied, copy.Report.Chunks)));
        Assert.All(result.Copies, copy => Assert.True(copy.AlongBytes > MaintainedVault.Content(1).Length, $"{copy.AlongBytes} bytes"));

        // The copy looks at blocks of metadata alone, which it has just written.
        Assert.InRange(watched.CountedCalls, 0, 20);

        // Of more it takes what it has room for, and the rest is copied.
        BackupResult more = await _vaults.Source.BackUpToAllAsync(_contents, [_vaults.Twin, second]);
        Assert.All(more.Copies, copy => Assert.Equal((null, 1), (copy.Failure, copy.Report!.PointsCopied)));
        await _vaults.AssertHoldsAsync(_vaults.Source.Objects, result.Point, more.Point);
        foreach (MemoryVaultStore twin in new[] { _vaults.Twin, second })
        {
            await _vaults.AssertHoldsAsync(twin, result.Point, more.Point);
            Assert.Empty((await CollectionView.TakeAsync(await _vaults.OpenStoreAsync(twin), Cancel)).Open);
        }
    }

    [Fact]
    public async Task A_twin_that_lacks_earlier_points_of_the_machine_gets_them_and_none_of_another_machine()
    {
        await _vaults.CreateAsync();
        RecoveryPoint first = await _vaults.Source.BackUpAsync([1, 2]);
        await _vaults.Source.BackUpAsync([7], machine: "Other");
        RecoveryPoint second = await _vaults.Source.BackUpAsync([2, 3]);

        BackupResult result = await _vaults.Source.BackUpToAllAsync([3, 4], [_vaults.Twin]);

        Assert.Equal(3, Assert.Single(result.Copies).Report!.PointsCopied);
        await _vaults.AssertHoldsAsync(_vaults.Twin, first, second, result.Point);
        await _vaults.CopyAsync();
        Assert.Equal(4, (await _vaults.ListAsync(_vaults.Twin)).Count());
    }

    [Fact]
    public async Task A_slow_twin_holds_nobody_up_and_gets_what_it_had_no_time_for_afterwards()
    {
        await _vaults.CreateAsync();
        var isMade = new TaskCompletionSource();
        var vault = new PausedVaultStore(
            _vaults.Source.Objects, 1, () => { isMade.SetResult(); return Task.CompletedTask; }, (call, name) => call == VaultCall.Create && VaultLayout.KindOf(name, out _) == StoredKind.Commit);
        var slow = new PausedVaultStore(_vaults.Twin, 1, () => isMade.Task, (call, name) => call == VaultCall.Create && IsPack(name));

        BackupResult result = await _vaults.Source.BackUpToAllAsync([.. Enumerable.Range(1, 80)], [slow], vault);

        BackupCopy copy = Assert.Single(result.Copies);
        Assert.Null(copy.Failure);
        Assert.True(copy.Report!.Chunks > 0, "all went along");
        await _vaults.AssertHoldsAsync(_vaults.Twin, result.Point);
    }

    [Fact]
    public async Task A_twin_that_fails_at_any_moment_does_the_backup_no_harm_and_the_next_one_completes_it()
    {
        int calls;
        using (var vaults = new TwinnedVault())
        {
            await vaults.CreateAsync();
            var counting = new FaultyVaultStore(vaults.Twin);
            await vaults.Source.BackUpToAllAsync(_contents, [counting]);
            calls = counting.TotalCalls;
        }

        int failed = 0;
        foreach (int at in Campaign.Spread(1, calls, Campaign.IsBrief ? 8 : 24))
        {
            using var vaults = new TwinnedVault();
            await vaults.CreateAsync();
            var faulty = new FaultyVaultStore(vaults.Twin) { Kind = FaultKind.ForGood, FailAt = at };
            BackupResult result = await vaults.Source.BackUpToAllAsync(_contents, [faulty]);
            await vaults.AssertHoldsAsync(vaults.Source.Objects, result.Point);
            if (Assert.Single(result.Copies).Failure is { } failure)
            {
                failed++;
                Assert.Equal(BackupErrorId.CopyIncomplete, failure.Id);
                Assert.Contains(vaults.Twin.Location, failure.Message, StringComparison.Ordinal);
            }

            BackupResult next = await vaults.Source.BackUpToAllAsync([4, 5, 6], [vaults.Twin]);
            Assert.Null(Assert.Single(next.Copies).Failure);
            await vaults.AssertHoldsAsync(vaults.Twin, result.Point, next.Point);
        }

        Assert.True(failed > 3, $"only {failed} have failed");
    }

    [Fact]
    public async Task A_maintenance_that_shuts_everybody_out_of_the_twin_at_any_moment_leaves_a_whole_point_there()
    {
        int calls;
        using (var vaults = new TwinnedVault())
        {
            await vaults.CreateAsync();
            var counting = new PausedVaultStore(vaults.Twin, int.MaxValue, () => Task.CompletedTask);
            await vaults.Source.BackUpToAllAsync(_contents, [counting]);
            calls = counting.Calls;
        }

        foreach (int at in Campaign.Spread(1, calls, Campaign.IsBrief ? 8 : 24))
        {
            using var vaults = new TwinnedVault();
            await vaults.CreateAsync();
            var paused = new PausedVaultStore(vaults.Twin, at, async () =>
            {
                await vaults.MaintainAsync(vaults.Twin, MaintainedVault.Impatient);
                await vaults.MaintainAsync(vaults.Twin, MaintainedVault.Impatient);
            });
            BackupResult result = await vaults.Source.BackUpToAllAsync(_contents, [paused]);
            Assert.True(Assert.Single(result.Copies).Failure is null, $"At call {at} of {calls}: {result.Copies[0].Failure}");
            await vaults.AssertHoldsAsync(vaults.Twin, result.Point);
        }
    }

    [Fact]
    public async Task Another_vault_gets_nothing_and_the_backup_is_made_all_the_same()
    {
        await _vaults.CreateAsync();
        using var other = new TwinnedVault();
        await other.CreateAsync();
        string[] before = [.. other.Twin.Names];

        BackupResult result = await _vaults.Source.BackUpToAllAsync(_contents, [other.Twin]);

        Assert.Equal(BackupErrorId.VaultNotTwin, Assert.IsType<BackupException>(Assert.Single(result.Copies).Failure!.InnerException).Id);
        Assert.Equal(before, other.Twin.Names);
        await _vaults.AssertHoldsAsync(_vaults.Source.Objects, result.Point);
    }

    [Fact]
    public async Task A_stop_while_the_twin_is_copied_to_keeps_the_point_and_says_what_is_missing()
    {
        await _vaults.CreateAsync();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var stopping = new PausedVaultStore(
            _vaults.Twin, 1, stop.CancelAsync, (call, name) => call == VaultCall.Create && VaultLayout.KindOf(name, out _) == StoredKind.Machine);
        BackupResult result = await _vaults.Source.BackUpToAllAsync(_contents, [stopping], cancel: stop.Token);

        BackupCopy copy = Assert.Single(result.Copies);
        Assert.True(copy.Failure is { Id: BackupErrorId.CopyIncomplete } || stop.IsCancellationRequested == false, "nothing is said");
        await _vaults.AssertHoldsAsync(_vaults.Source.Objects, result.Point);
        await _vaults.CopyAsync();
        await _vaults.AssertHoldsAsync(_vaults.Twin, result.Point);
    }

    private static bool IsPack(string name) => VaultLayout.KindOf(name, out _) == StoredKind.Pack;
}
