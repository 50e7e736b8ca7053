using MSOnlineBackup.Engine.Tests.Backup;
using MSOnlineBackup.Engine.Tests.Cryptography;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Verification;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Backup.BackupFixture;

namespace MSOnlineBackup.Engine.Tests.Maintenance;

/// <summary>A deleted point ends when its time is over, by what the vault bears out, and leaves no trace in the end.</summary>
public sealed class PointExpiryTests : IDisposable
{
    private readonly BackupFixture _backups = new();

    public void Dispose() => _backups.Dispose();

    [Fact]
    public async Task On_day_13_it_comes_back_and_on_day_15_it_is_gone()
    {
        RecoveryPoint[] points = await MakeAsync(3);
        await (await _backups.OpenAsync()).Deletions.DeleteManyAsync(points[..2], "", evenNewest: false, Cancel);
        await PassAsync(days: 13);
        Assert.Empty((await ExpireAsync()).Gone);
        await (await _backups.OpenAsync()).Deletions.RestoreAsync($"{points[1].SessionId}", null, Cancel);
        await PassAsync(days: 2);
        Assert.Equal(points[0].SessionId, Assert.Single((await ExpireAsync(isRehearsal: true)).Gone).SessionId);

        ExpiryReport report = await ExpireAsync();

        Assert.Equal(points[0].SessionId, Assert.Single(report.Gone).SessionId);
        Assert.Empty(report.Damage);
        Assert.Empty(Of(points[0], "/points/").Concat(Of(points[0], "/commits/")));
        Assert.Single(Of(points[1], "/points/"));
        UnlockedVault vault = await _backups.OpenAsync();
        Assert.Equal(
            BackupErrorId.RecoveryPointGone,
            (await Assert.ThrowsAsync<BackupException>(() => vault.Deletions.RestoreAsync($"{points[0].SessionId}", null, Cancel))).Id);
        Assert.Empty(await vault.Deletions.ListAsync(null, Cancel));
        await AssertWholeAsync();
        Assert.Equal(TestKeys.Bytes(2, 3000), await _backups.ReadAsync(points[1], "/data/1"));

        // The next run has nothing to end. The second point goes on from the first: what was decided stays.
        Assert.Empty((await ExpireAsync()).Gone);
        Assert.NotEmpty(Of(points[0], "/deleted/"));
        await AssertWholeAsync();
    }

    [Fact]
    public async Task The_collector_keeps_what_a_deleted_point_needs_until_it_is_gone()
    {
        RecoveryPoint point = (await MakeAsync(1))[0];
        _backups.Fakes["/data"] = new FakeSourceTree("/data").Folder("").File("other", TestKeys.Bytes(77, 3000));
        await _backups.BackUpAsync(Request("/data"));
        await (await _backups.OpenAsync()).Deletions.DeleteAsync(point, "", Cancel);
        Assert.Equal(0, await CollectAsync());
        await (await _backups.OpenAsync()).Deletions.RestoreAsync($"{point.SessionId}", null, Cancel);
        Assert.Equal(TestKeys.Bytes(1, 3000), await _backups.ReadAsync(point, "/data/0"));
        await (await _backups.OpenAsync()).Deletions.DeleteAsync(point, "", Cancel);
        await PassAsync(days: 15);

        Assert.True(await CollectAsync() > 0);
        await AssertWholeAsync();
    }

    [Fact]
    public async Task When_nothing_goes_on_from_it_any_more_nothing_is_left_of_it()
    {
        RecoveryPoint[] points = await MakeAsync(3);
        UnlockedVault vault = await _backups.OpenAsync();
        await vault.Deletions.DeleteMachineAsync(BackupFixture.Machine, "retired", Cancel);
        await PassAsync(days: 15, root: "/other");
        Assert.Equal(3, (await ExpireAsync()).Gone.Count);
        await AssertWholeAsync();
        Assert.Equal(6, points.SelectMany(point => Of(point, "/deleted/")).Count());

        await ExpireAsync();

        Assert.Empty(points.SelectMany(point => Of(point, "/deleted/").Concat(Of(point, "/points/")).Concat(Of(point, "/commits/"))));
        await AssertWholeAsync();
        Assert.All(points, point => Assert.Equal(2, Of(point, "/sessions/").Count));
    }

    [Fact]
    public async Task As_long_as_a_job_is_under_way_that_may_go_on_from_it_what_was_decided_stays()
    {
        RecoveryPoint[] points = await MakeAsync(2);
        string open = Of(points[1], "/sessions/")[0][..^32] + "e" + $"{points[1].SessionId}"[1..];
        _backups.Objects.SetContent(open, _backups.Objects.GetContent(Of(points[1], "/sessions/")[0]));
        await (await _backups.OpenAsync()).Deletions.DeleteMachineAsync(BackupFixture.Machine, "", Cancel);
        Witness(days: 15);
        Assert.Equal(2, (await ExpireAsync()).Gone.Count);
        await ExpireAsync();
        Assert.Equal(4, points.SelectMany(point => Of(point, "/deleted/")).Count());

        _backups.Objects.SetContent(open + ".end", [1]);
        await ExpireAsync();

        Assert.Empty(points.SelectMany(point => Of(point, "/deleted/")));
    }

    [Fact]
    public async Task A_run_that_crashes_after_any_step_is_continued_by_the_next()
    {
        RecoveryPoint[] points = await MakeAsync(4);
        await (await _backups.OpenAsync()).Deletions.DeleteManyAsync(points[..2], "", evenNewest: false, Cancel);
        await PassAsync(days: 15);
        var recording = new RecordingVaultStore(_backups.Objects);
        await ExpireAsync(recording);
        await ExpireAsync(recording);
        Assert.InRange(recording.Operations.Count, 8, 30);

        for (int done = 0; done <= recording.Operations.Count; done++)
        {
            MemoryVaultStore crashed = recording.Materialise(done);
            await AssertWholeAsync(crashed);
            Assert.Equal(
                [points[3].SessionId, points[2].SessionId],
                (await (await _backups.OpenAsync(crashed)).ListPointsAsync(null, Cancel)).Select(point => point.SessionId).Skip(15));

            await ExpireAsync(crashed);
            await ExpireAsync(crashed);

            Assert.Equal(_backups.Objects.Names, crashed.Names);
            await AssertWholeAsync(crashed);
        }
    }

    [Fact]
    public async Task Whenever_somebody_brings_it_back_meanwhile_it_is_whole_or_gone()
    {
        RecoveryPoint[] points = await MakeAsync(2);
        await (await _backups.OpenAsync()).Deletions.DeleteAsync(points[0], "", Cancel);
        Witness(days: 15);
        MemoryVaultStore start = _backups.Objects.Clone();
        int restored = 0;
        int gone = 0;
        foreach (bool expiryIsSlow in (bool[])[true, false])
        {
            int calls = int.MaxValue;
            int before = 0;
            for (int moment = 1; moment <= calls - before; moment++)
            {
                MemoryVaultStore objects = start.Clone();
                bool isArmed = false;
                string? outcome = null;
                UnlockedVault other = await _backups.OpenAsync(objects);
                var stepped = new SteppedVaultStore(objects, call => isArmed && call == before + moment ? OtherAsync() : Task.CompletedTask);
                UnlockedVault slow = await _backups.OpenAsync(stepped);
                before = stepped.Calls;
                isArmed = true;
                await (expiryIsSlow ? EndAsync(slow) : RestoreAsync(slow));
                calls = stepped.Calls;
                if (outcome is null)
                {
                    break;
                }

                // Once more, as the next run would.
                await EndAsync(other);
                RecoveryPointList left = await other.ListPointsAsync(null, Cancel);
                Assert.Empty(left.Damaged);
                Assert.Equal(outcome == "restored" ? 2 : 1, left.Count);
                await AssertWholeAsync(objects);
                restored += outcome == "restored" ? 1 : 0;
                gone += outcome == "gone" ? 1 : 0;

                Task OtherAsync() => expiryIsSlow ? RestoreAsync(other) : EndAsync(other);

                async Task EndAsync(UnlockedVault vault) => await vault.Deletions.ExpireAsync(_backups.Clock.GetUtcNow(), null, isRehearsal: false, Cancel);

                async Task RestoreAsync(UnlockedVault vault)
                {
                    try
                    {
                        await vault.Deletions.RestoreAsync($"{points[0].SessionId}", null, Cancel);
                        outcome = "restored";
                    }
                    catch (BackupException e) when (e.Id is BackupErrorId.RecoveryPointGone or BackupErrorId.VaultDataMissing)
                    {
                        outcome = "gone";
                    }
                }
            }
        }

        Assert.True(restored > 0 && gone > 0, $"restored {restored}, gone {gone}");
    }

    [Theory]
    [InlineData(20)]
    [InlineData(400)]
    [InlineData(3653)]
    public async Task A_clock_that_leaps_ahead_and_back_ends_nothing(int days)
    {
        RecoveryPoint[] points = await MakeAsync(3);
        await (await _backups.OpenAsync()).Deletions.DeleteAsync(points[0], "", Cancel);
        DateTimeOffset right = _backups.Clock.GetUtcNow();
        _backups.Clock.JumpTo(right.AddDays(days));

        // By the clock alone; by this run's own session; and, over so long a pause, by what was written in less than a day.
        Assert.Empty((await ExpireAsync()).Gone);
        string own = Of(points[2], "/sessions/")[0][..^32] + "e" + $"{points[2].SessionId}"[1..];
        _backups.Objects.SetContent(own, [1]);
        Assert.Empty((await ExpireAsync(ownSession: SessionId.Parse(own.AsSpan()[^32..]))).Gone);
        _backups.Objects.Remove(own);
        if (days > 31)
        {
            await MakeAsync(2);
            Assert.Empty((await ExpireAsync()).Gone);
        }

        _backups.Clock.JumpTo(right.AddDays(1));
        Assert.Empty((await ExpireAsync()).Gone);
        Assert.Equal(points[0].SessionId, (await (await _backups.OpenAsync()).Deletions.RestoreAsync($"{points[0].SessionId}", null, Cancel)).SessionId);
        await AssertWholeAsync();
    }

    [Fact]
    public async Task After_a_long_pause_a_day_of_objects_is_believed()
    {
        RecoveryPoint[] points = await MakeAsync(2);
        await (await _backups.OpenAsync()).Deletions.DeleteAsync(points[0], "", Cancel);
        _backups.Clock.Advance(TimeSpan.FromDays(400));
        await MakeAsync(1);
        Assert.Empty((await ExpireAsync()).Gone);
        _backups.Clock.Advance(TimeSpan.FromDays(1));
        await MakeAsync(1);

        Assert.Single((await ExpireAsync()).Gone);
    }

    [Fact]
    public async Task A_deletion_by_a_slow_clock_has_its_whole_time()
    {
        RecoveryPoint[] points = await MakeAsync(2);
        DateTimeOffset right = _backups.Clock.GetUtcNow();
        _backups.Clock.JumpTo(right.AddYears(-10));
        await (await _backups.OpenAsync()).Deletions.DeleteAsync(points[0], "", Cancel);
        _backups.Clock.JumpTo(right);

        await PassAsync(days: 13);
        Assert.Empty((await ExpireAsync()).Gone);
        await PassAsync(days: 2);
        Assert.Single((await ExpireAsync()).Gone);
    }

    [Fact]
    public async Task Where_settings_or_a_decision_cannot_be_read_nothing_ends_by_them_and_that_is_told()
    {
        RecoveryPoint[] points = await MakeAsync(3);
        UnlockedVault vault = await _backups.OpenAsync();
        await vault.Vault.ChangeSettingsAsync(_backups.Owner.Key, settings => settings with { UndeleteDays = 20 }, Cancel);
        await vault.Deletions.DeleteManyAsync(points[..2], "", evenNewest: false, Cancel);
        string settings = VaultLayout.Settings + "00000001";
        string decision = Of(points[0], "/deleted/")[0];
        await PassAsync(days: 19);
        Assert.Empty((await ExpireAsync()).Gone);
        await PassAsync(days: 2);
        byte[] sound = _backups.Objects.GetContent(settings);
        _backups.Objects.FlipBit(settings, 5);
        _backups.Objects.FlipBit(VaultLayout.CopyBeside(settings), 5);
        _backups.Objects.FlipBit(decision, 70);

        ExpiryReport report = await ExpireAsync();

        Assert.Empty(report.Gone);
        Assert.Equal([settings, decision], report.Damage.Select(damage => damage.Target));
        _backups.Objects.SetContent(settings, sound);
        Assert.Equal(points[1].SessionId, Assert.Single((await ExpireAsync()).Gone).SessionId);
        Assert.Single(Of(points[0], "/points/"));
    }

    [Fact]
    public async Task Rubbish_above_the_end_brings_nothing_back()
    {
        RecoveryPoint[] points = await MakeAsync(2);
        await (await _backups.OpenAsync()).Deletions.DeleteMachineAsync(BackupFixture.Machine, "", Cancel);
        Witness(days: 15);
        MemoryVaultStore crashed;
        {
            var recording = new RecordingVaultStore(_backups.Objects.Clone());
            await ExpireAsync(recording);
            crashed = recording.Materialise(1);
        }

        string gone =
            Assert.Single(crashed.Names, name => name.Contains("/deleted/", StringComparison.Ordinal) && name.EndsWith("00000002", StringComparison.Ordinal));
        crashed.SetContent(gone[..^1] + "3", [1]);

        Assert.Empty(await (await _backups.OpenAsync(crashed)).ListPointsAsync(null, Cancel));
        Assert.Equal(BackupErrorId.RecoveryPointGone, (await Assert.ThrowsAsync<BackupException>(async () => await (await _backups.OpenAsync(crashed)).Deletions.RestoreAsync(gone[^41..^9], null, Cancel))).Id);
        await ExpireAsync(crashed);
        await ExpireAsync(crashed);
        Assert.DoesNotContain(
            crashed.Names, name => name.Contains("/deleted/", StringComparison.Ordinal) || name.Contains("/points/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Who_may_not_delete_is_told_so_and_nothing_else_is_done()
    {
        RecoveryPoint[] points = await MakeAsync(2);
        await VaultRecords.AppendAsync(
            (await _backups.OpenAsync()).Vault.Known,
            _backups.Owner.Key,
            new VaultRecord { Kind = VaultRecord.Feature, Name = "later", NeededTo = ["collect"] },
            Cancel);
        await (await _backups.OpenAsync()).Deletions.DeleteAsync(points[0], "", Cancel);
        Witness(days: 15);
        IReadOnlyList<string> names = _backups.Objects.Names;

        Assert.Equal(BackupErrorId.VaultFormatUnsupported, (await Assert.ThrowsAsync<BackupException>(() => ExpireAsync())).Id);
        Assert.Equal(names, _backups.Objects.Names);
    }

    private async Task<ExpiryReport> ExpireAsync(IVaultStore? objects = null, SessionId? ownSession = null, bool isRehearsal = false) =>
        await (await _backups.OpenAsync(objects)).Deletions.ExpireAsync(_backups.Clock.GetUtcNow(), ownSession, isRehearsal, Cancel);

    // Packs that were deleted by several runs: the first condemns, and later ones delete.
    private async Task<int> CollectAsync()
    {
        int deleted = 0;
        foreach (int _ in Enumerable.Range(0, 4))
        {
            _backups.Clock.Advance(TimeSpan.FromMinutes(1));
            deleted += (await (await _backups.OpenAsync()).MaintainAsync(new MaintenanceRequest { MaxRepackBytes = 0 }, new JobMonitor(), Cancel)).Packs.Deleted;
        }

        return deleted;
    }

    // Days with a backup each: of this source.
    private async Task PassAsync(int days, string root = "/data")
    {
        _backups.Fakes.TryAdd(root, new FakeSourceTree(root).Folder(""));
        for (int day = 0; day < days; day++)
        {
            _backups.Clock.Advance(TimeSpan.FromDays(1));
            await _backups.BackUpAsync(Request(root));
        }
    }

    // Time passes, and somebody writes: maintenance, say.
    private void Witness(int days)
    {
        _backups.Clock.Advance(TimeSpan.FromDays(days));
        string session = _backups.Objects.Names.First(name => name.Contains("/sessions/", StringComparison.Ordinal));
        _backups.Objects.SetContent(session[..^32] + "d" + session[^31..] + ".end", [1]);
    }

    private async Task AssertWholeAsync(IVaultStore? objects = null)
    {
        VerifyReport report = await (await _backups.OpenAsync(objects)).VerifyAsync(VerifyLevel.Structure, new JobMonitor(), Cancel);
        Assert.Empty(report.Findings);
        Assert.Empty(report.Unfinished);
        Assert.Empty((await (await _backups.OpenAsync(objects)).VerifyAsync(VerifyLevel.Packs, new JobMonitor(), Cancel)).Findings);
    }

    private async Task<RecoveryPoint[]> MakeAsync(int count)
    {
        var points = new List<RecoveryPoint>();
        for (int i = 0; i < count; i++)
        {
            if (!_backups.Fakes.TryGetValue("/data", out FakeSourceTree? tree))
            {
                _backups.Fakes["/data"] = tree = new FakeSourceTree("/data").Folder("");
            }

            tree.File($"{_backups.Points.Count}", TestKeys.Bytes(_backups.Points.Count + 1, 3000));
            points.Add((await _backups.BackUpAsync(Request("/data"))).Point);
        }

        return [.. points];
    }

    private List<string> Of(RecoveryPoint point, string folder) =>

        [
            .. _backups.Objects.Names.Where(
                name => name.Contains(folder, StringComparison.Ordinal) && name.Contains($"{point.SessionId}", StringComparison.Ordinal)),
        ];
}
