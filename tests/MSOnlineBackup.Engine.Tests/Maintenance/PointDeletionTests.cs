using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Tests.Backup;
using MSOnlineBackup.Engine.Tests.Cryptography;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Stores;
using MSOnlineBackup.Vaults.Verification;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Backup.BackupFixture;

namespace MSOnlineBackup.Engine.Tests.Maintenance;

/// <summary>A deleted recovery point is in no list, and comes back whole.</summary>
public sealed class PointDeletionTests : IDisposable
{
    private readonly BackupFixture _backups = new();

    public void Dispose() => _backups.Dispose();

    [Fact]
    public async Task A_deleted_point_is_in_no_list_and_its_data_stay()
    {
        RecoveryPoint[] points = await MakeAsync(3);
        UnlockedVault vault = await _backups.OpenAsync();
        int objects = _backups.Objects.Names.Count;

        DeletedPoint deleted = await vault.Deletions.DeleteAsync(points[1], "tidied", Cancel);

        Assert.Equal((points[1].SessionId, points[1].MachineId, "tidied"), (deleted.SessionId, deleted.MachineId, deleted.Reason));
        Assert.Equal((_backups.Clock.GetUtcNow(), _backups.Clock.GetUtcNow().AddDays(14)), (deleted.Deleted, deleted.KeptUntil));
        Assert.Equal(objects + 1, _backups.Objects.Names.Count);
        Assert.Equal([points[2].SessionId, points[0].SessionId], (await vault.ListPointsAsync(null, Cancel)).Select(point => point.SessionId));
        Assert.Empty((await vault.ListPointsAsync(null, Cancel)).Damaged);
        PointHistory history = await vault.OpenHistoryAsync(BackupFixture.Machine, Cancel);
        Assert.Equal((2, 2), (history.Count, await history.NewestFirst.CountAsync(Cancel)));
        BackupException error = await Assert.ThrowsAsync<BackupException>(() => vault.GetPointAsync($"{points[1].SessionId}", null, Cancel));
        Assert.Equal(BackupErrorId.RecoveryPointNotFound, error.Id);
        Assert.Contains("points deleted", error.RecommendedAction, StringComparison.Ordinal);
        foreach (VerifyLevel level in Enum.GetValues<VerifyLevel>())
        {
            Assert.Empty((await _backups.VerifyAsync(level)).Findings);
        }

        DeletedPoint listed = Assert.Single(await vault.Deletions.ListAsync("machine", Cancel));
        Assert.Equal(deleted with { Point = listed.Point }, listed);
        Assert.Equal(points[1].Started, listed.Point!.Started);
        Assert.Empty(await vault.Deletions.ListAsync("another", Cancel));
        Assert.Equal(Content(1), await _backups.ReadAsync(points[1], "/data/1"));
    }

    [Fact]
    public async Task What_is_brought_back_is_as_if_nothing_had_been()
    {
        RecoveryPoint[] points = await MakeAsync(3);
        UnlockedVault vault = await _backups.OpenAsync();
        await vault.Deletions.DeleteAsync(points[1], "", Cancel);

        RecoveryPoint restored = await vault.Deletions.RestoreAsync($"{points[1].SessionId}"[..14], BackupFixture.Machine, Cancel);

        Assert.Equal(points[1].SessionId, restored.SessionId);
        Assert.Equal(points.Reverse().Select(point => point.SessionId), (await vault.ListPointsAsync(null, Cancel)).Select(point => point.SessionId));
        Assert.Equal(points[1].SessionId, (await vault.GetPointAsync($"{points[1].SessionId}"[..14], null, Cancel)).SessionId);
        Assert.Empty(await vault.Deletions.ListAsync(null, Cancel));
        Assert.Empty((await _backups.VerifyAsync()).Findings);
        Assert.Equal(
            BackupErrorId.RecoveryPointNotFound,
            (await Assert.ThrowsAsync<BackupException>(() => vault.Deletions.RestoreAsync($"{points[1].SessionId}", null, Cancel))).Id);

        // And once more.
        await vault.Deletions.DeleteAsync(points[1], "again", Cancel);
        Assert.Equal("again", Assert.Single(await vault.Deletions.ListAsync(null, Cancel)).Reason);
    }

    [Fact]
    public async Task Deleting_again_changes_nothing()
    {
        RecoveryPoint[] points = await MakeAsync(2);
        UnlockedVault vault = await _backups.OpenAsync();
        DeletedPoint first = await vault.Deletions.DeleteAsync(points[0], "first", Cancel);
        _backups.Clock.Advance(TimeSpan.FromDays(3));

        DeletedPoint second = await vault.Deletions.DeleteAsync(points[0], "second", Cancel);

        Assert.Equal(first, second);
        Assert.Single(Records());
    }

    [Fact]
    public async Task The_newest_point_of_a_machine_stays()
    {
        RecoveryPoint[] points = await MakeAsync(2);
        UnlockedVault vault = await _backups.OpenAsync();

        await FailsAsync();

        // Nor is it replaced by what cannot be read, or by the mark of a session that was shut out.
        RecoveryPoint[] further = await MakeAsync(1);
        _backups.Objects.FlipBit(NameOf(further[0]), 70);
        string later = NameOf(points[1]).Replace($"{points[1].SessionId}", "e" + $"{points[1].SessionId}"[1..], StringComparison.Ordinal);
        _backups.Objects.SetContent(later, SealedObject.Seal((await _backups.OpenStoreAsync()).Keys, SealedObjectKind.Fence, later, []));
        await FailsAsync();
        Assert.Empty(Records());

        // Of points that are named together, none is deleted then.
        BackupException error = await Assert.ThrowsAsync<BackupException>(() => vault.Deletions.DeleteManyAsync(points, "", evenNewest: false, Cancel));
        Assert.Equal(BackupErrorId.RecoveryPointIsNewest, error.Id);
        Assert.Empty(Records());
        Assert.Equal(
            [points[1].SessionId, points[0].SessionId],
            (await vault.Deletions.DeleteManyAsync(points, "", evenNewest: true, Cancel)).Select(point => point.SessionId));

        async Task FailsAsync() => Assert.Equal(
            (BackupErrorId.RecoveryPointIsNewest, $"{points[1].SessionId}"),
            await Assert.ThrowsAsync<BackupException>(
                () => vault.Deletions.DeleteAsync(points[1], "", Cancel)) is { } refused ? (refused.Id, refused.Target) : default);
    }

    [Fact]
    public async Task A_point_that_cannot_be_read_can_be_deleted_and_the_vault_is_whole_then()
    {
        RecoveryPoint[] points = await MakeAsync(2);
        _backups.Objects.FlipBit(NameOf(points[1]), 70);
        UnlockedVault vault = await _backups.OpenAsync();
        DamagedPoint damaged = Assert.Single((await vault.ListPointsAsync(null, Cancel)).Damaged);

        await vault.Deletions.DeleteAsync(damaged, "damaged", Cancel);

        Assert.Equal(points[0].SessionId, (await vault.GetPointAsync("latest", null, Cancel)).SessionId);
        Assert.Empty((await _backups.VerifyAsync(VerifyLevel.Structure)).Findings);
        DeletedPoint listed = Assert.Single(await vault.Deletions.ListAsync(null, Cancel));
        Assert.Null(listed.Point);
        Assert.Equal(
            BackupErrorId.VaultDataCorrupt,
            (await Assert.ThrowsAsync<BackupException>(() => vault.Deletions.RestoreAsync($"{listed.SessionId}", null, Cancel))).Id);
        Assert.Single(await vault.Deletions.ListAsync(null, Cancel));
    }

    [Fact]
    public async Task A_whole_machine_is_deleted_and_its_next_backup_begins_anew_without_storing_anything_twice()
    {
        RecoveryPoint[] points = await MakeAsync(3);
        _backups.Objects.FlipBit(NameOf(points[0]), 70);
        UnlockedVault vault = await _backups.OpenAsync();

        Assert.Equal(3, await vault.Deletions.DeleteMachineAsync("MACHINE", "retired", Cancel));
        Assert.Equal(0, await vault.Deletions.DeleteMachineAsync("MACHINE", "retired", Cancel));

        Assert.Empty(await vault.ListPointsAsync(null, Cancel));
        Assert.Equal(BackupErrorId.RecoveryPointNotFound, (await Assert.ThrowsAsync<BackupException>(() => vault.GetPointAsync("latest", null, Cancel))).Id);
        VerifyReport report = await _backups.VerifyAsync();
        Assert.Empty(report.Findings);
        Assert.Empty(report.Unfinished);
        RecoveryPoint anew = (await _backups.BackUpAsync(Request("/data"))).Point;
        Assert.Null(anew.ParentSessionId);
        Assert.True(anew.SessionId > points[2].SessionId);
        await _backups.AssertNothingStoredTwiceAsync();
        Assert.Equal(points[1].SessionId, (await vault.Deletions.RestoreAsync($"{points[1].SessionId}", null, Cancel)).SessionId);
        Assert.Empty((await _backups.VerifyAsync()).Findings);
        Assert.Equal(Content(1), await _backups.ReadAsync(points[1], "/data/1"));
    }

    [Fact]
    public async Task A_checkpoint_that_a_deleted_point_has_made_stale_stays_stale()
    {
        RecoveryPoint point = (await MakeAsync(1))[0];
        ChunkStore store = await _backups.OpenStoreAsync();
        string checkpoint = VaultLayout.Checkpoint(store.StoreId, point.SessionId, 1);
        _backups.Objects.SetContent(
            checkpoint,
            SealedObject.Seal(
                store.Keys, SealedObjectKind.Checkpoint, checkpoint, RecoveryPointCodec.Encode(point with { Status = RecoveryPointStatus.InProgress })));
        UnlockedVault vault = await _backups.OpenAsync();
        await vault.Deletions.DeleteMachineAsync(BackupFixture.Machine, "", Cancel);

        await using Earlier earlier = await Earlier.FindAsync(vault.Catalog(), point.MachineId, Cancel);

        Assert.Null(earlier.Point);
        Assert.Null(earlier.Checkpoint);
        Assert.True((await _backups.VerifyAsync(VerifyLevel.Structure)).StaleBytes > 0);
    }

    [Fact]
    public async Task A_decision_that_cannot_be_read_hides_nothing_and_is_named_by_a_verification()
    {
        RecoveryPoint[] points = await MakeAsync(3);
        UnlockedVault vault = await _backups.OpenAsync();
        await vault.Deletions.DeleteAsync(points[0], "", Cancel);
        await vault.Deletions.DeleteAsync(points[1], "", Cancel);
        string record = Records().Single(name => name.Contains($"{points[0].SessionId}", StringComparison.Ordinal));
        _backups.Objects.FlipBit(record, 70);

        Assert.Equal([points[2].SessionId, points[0].SessionId], (await vault.ListPointsAsync(null, Cancel)).Select(point => point.SessionId));
        Assert.Equal(points[1].SessionId, Assert.Single(await vault.Deletions.ListAsync(null, Cancel)).SessionId);
        foreach (VerifyLevel level in Enum.GetValues<VerifyLevel>())
        {
            Assert.Equal(record, Assert.Single((await _backups.VerifyAsync(level)).Findings).Object);
        }

        // The next decision takes its place, whichever it is.
        MemoryVaultStore other = _backups.Objects.Clone();
        await vault.Deletions.DeleteAsync(points[0], "again", Cancel);
        Assert.Equal(2, (await vault.Deletions.ListAsync(null, Cancel)).Count);
        VerifyReport report = await _backups.VerifyAsync();
        Assert.Empty(report.Findings);
        Assert.Equal(1, report.Leftovers);
        UnlockedVault twin = await _backups.OpenAsync(other);
        Assert.Equal(points[0].SessionId, (await twin.Deletions.RestoreAsync($"{points[0].SessionId}", null, Cancel)).SessionId);
        Assert.Empty((await twin.VerifyAsync(VerifyLevel.Structure, new JobMonitor(), Cancel)).Findings);
    }

    [Theory]
    [InlineData("{\"state\":\"frozen\",\"reason\":\"\",\"agentVersion\":\"9\"}", BackupErrorId.VaultFormatUnsupported)]
    [InlineData("{\"reason\":\"\",\"agentVersion\":\"9\"}", BackupErrorId.VaultDataCorrupt)]
    [InlineData("{\"state\":\"gone\",\"reason\":\"\",\"after\":\"soon\",\"agentVersion\":\"9\"}", BackupErrorId.VaultDataCorrupt)]
    [InlineData("gone", BackupErrorId.VaultDataCorrupt)]
    public async Task What_this_version_does_not_understand_decides_nothing(string json, BackupErrorId id)
    {
        RecoveryPoint[] points = await MakeAsync(2);
        ChunkStore store = await _backups.OpenStoreAsync();
        string name = VaultLayout.Deletion(store.StoreId, points[0].MachineId, points[0].SessionId, 1);
        _backups.Objects.SetContent(name, SealedObject.Seal(store.Keys, SealedObjectKind.Deletion, name, System.Text.Encoding.UTF8.GetBytes(json)));

        Assert.Equal(2, (await (await _backups.OpenAsync()).ListPointsAsync(null, Cancel)).Count);
        Assert.Equal(id, (await Assert.ThrowsAsync<BackupException>(() => new DeletionLog(store).ReadRecordAsync(new StoredObject(name, _backups.Objects.GetContent(name).Length, default), Cancel))).Id);
        Assert.Equal(name, Assert.Single((await _backups.VerifyAsync(VerifyLevel.Structure)).Findings).Object);
    }

    [Fact]
    public async Task A_record_of_another_point_decides_nothing()
    {
        RecoveryPoint[] points = await MakeAsync(3);
        UnlockedVault vault = await _backups.OpenAsync();
        await vault.Deletions.DeleteAsync(points[0], "", Cancel);
        string record = Assert.Single(Records());
        _backups.Objects.SetContent(
            record.Replace($"{points[0].SessionId}", $"{points[1].SessionId}", StringComparison.Ordinal), _backups.Objects.GetContent(record));

        Assert.Equal([points[2].SessionId, points[1].SessionId], (await vault.ListPointsAsync(null, Cancel)).Select(point => point.SessionId));
    }

    [Fact]
    public async Task Files_of_strangers_among_the_decisions_are_none_and_a_number_that_can_have_no_other_above_it_is_an_error_for_its_point_alone()
    {
        RecoveryPoint[] points = await MakeAsync(3);
        string folder = NameOf(points[0]).Replace("/points/", "/deleted/", StringComparison.Ordinal);
        _backups.Objects.SetContent(folder + ".txt", [1]);
        _backups.Objects.SetContent(folder + "-00000000", [1]);
        _backups.Objects.SetContent(folder + "-7fffffff", [1]);
        UnlockedVault vault = await _backups.OpenAsync();
        await vault.Deletions.DeleteAsync(points[0], "", Cancel);
        Assert.Single(await vault.Deletions.ListAsync(null, Cancel));

        _backups.Objects.SetContent(NameOf(points[1]).Replace("/points/", "/deleted/", StringComparison.Ordinal) + "-7ffffffe", [1]);
        Assert.Equal(BackupErrorId.VaultDataCorrupt, (await Assert.ThrowsAsync<BackupException>(() => vault.Deletions.DeleteAsync(points[1], "", Cancel))).Id);
        Assert.Equal(2, (await vault.ListPointsAsync(null, Cancel)).Count);
    }

    [Fact]
    public async Task Ids_are_told_apart()
    {
        RecoveryPoint[] points = await MakeAsync(3);
        UnlockedVault vault = await _backups.OpenAsync();
        Assert.Equal(
            BackupErrorId.RecoveryPointNotFound, (await Assert.ThrowsAsync<BackupException>(() => vault.Deletions.RestoreAsync("0", null, Cancel))).Id);
        await vault.Deletions.DeleteManyAsync(points[..2], "", evenNewest: false, Cancel);

        Assert.Equal(
            BackupErrorId.RecoveryPointAmbiguous, (await Assert.ThrowsAsync<BackupException>(() => vault.Deletions.RestoreAsync("0", null, Cancel))).Id);
        Assert.Equal(
            BackupErrorId.RecoveryPointNotFound,
            (await Assert.ThrowsAsync<BackupException>(() => vault.Deletions.RestoreAsync($"{points[0].SessionId}", "another", Cancel))).Id);
        _backups.Objects.Remove(NameOf(points[0]));
        Assert.Equal(
            BackupErrorId.VaultDataMissing,
            (await Assert.ThrowsAsync<BackupException>(() => vault.Deletions.RestoreAsync($"{points[0].SessionId}", null, Cancel))).Id);
    }

    [Theory]
    [InlineData(14, null)]
    [InlineData(15, 15)]
    [InlineData(180, 180)]
    public async Task How_long_points_can_be_brought_back_is_set_by_the_owner(int days, int? stored)
    {
        RecoveryPoint[] points = await MakeAsync(2);
        UnlockedVault vault = await _backups.OpenAsync();
        await vault.Vault.ChangeSettingsAsync(_backups.Owner.Key, settings => settings with { UndeleteDays = 33 }, Cancel);

        VaultSettings changed = await vault.Vault.ChangeSettingsAsync(_backups.Owner.Key, settings => settings with { UndeleteDays = days }, Cancel);

        Assert.Equal((days, stored, days), (changed.UndeleteDays, changed.SetUndeleteDays, (await vault.Vault.ReadSettingsAsync(Cancel)).UndeleteDays));
        DeletedPoint deleted = await vault.Deletions.DeleteAsync(points[0], "", Cancel);
        Assert.Equal(deleted.Deleted.AddDays(days), deleted.KeptUntil);

        // Where the setting cannot be read, as long as it is at least.
        Assert.All(_backups.Objects.Names.Where(name => name.StartsWith(VaultLayout.Settings, StringComparison.Ordinal)).TakeLast(2), name => _backups.Objects.FlipBit(name, 5));
        Assert.Equal(deleted.Deleted.AddDays(14), Assert.Single(await vault.Deletions.ListAsync(null, Cancel)).KeptUntil);
    }

    [Theory]
    [InlineData(13)]
    [InlineData(181)]
    [InlineData(0)]
    [InlineData(-1)]
    public async Task No_other_time_can_be_set(int days)
    {
        UnlockedVault vault = await _backups.OpenAsync();

        BackupException error = await Assert.ThrowsAsync<BackupException>(
            () => vault.Vault.ChangeSettingsAsync(_backups.Owner.Key, settings => settings with { UndeleteDays = days }, Cancel));

        Assert.Equal(BackupErrorId.ArgumentInvalid, error.Id);
    }

    [Fact]
    public async Task A_slow_clock_shortens_nothing()
    {
        RecoveryPoint[] points = await MakeAsync(3);
        DateTimeOffset made = _backups.Clock.GetUtcNow();
        _backups.Clock.JumpTo(made.AddYears(-10));

        DeletedPoint deleted = await (await _backups.OpenAsync()).Deletions.DeleteAsync(points[0], "", Cancel);

        Assert.InRange(deleted.Deleted, made.AddDays(-1), made);
        Assert.Equal(deleted.Deleted, Assert.Single(await (await _backups.OpenAsync()).Deletions.ListAsync(null, Cancel)).Deleted);
    }

    [Fact]
    public async Task Where_a_later_feature_forbids_to_write_nothing_is_decided()
    {
        RecoveryPoint[] points = await MakeAsync(2);
        UnlockedVault vault = await _backups.OpenAsync();
        await VaultRecords.AppendAsync(
            vault.Vault.Known, _backups.Owner.Key, new VaultRecord { Kind = VaultRecord.Feature, Name = "later", NeededTo = ["write"] }, Cancel);
        vault = await _backups.OpenAsync();

        Assert.Equal(
            BackupErrorId.VaultFormatUnsupported, (await Assert.ThrowsAsync<BackupException>(() => vault.Deletions.DeleteAsync(points[0], "", Cancel))).Id);
        Assert.Equal(
            BackupErrorId.VaultFormatUnsupported,
            (await Assert.ThrowsAsync<BackupException>(() => vault.Deletions.DeleteMachineAsync(BackupFixture.Machine, "", Cancel))).Id);
        Assert.Equal(
            BackupErrorId.VaultFormatUnsupported, (await Assert.ThrowsAsync<BackupException>(() => vault.Deletions.RestoreAsync("0", null, Cancel))).Id);
        Assert.Empty(Records());
    }

    [Fact]
    public async Task Whenever_the_point_that_a_backup_goes_on_from_is_deleted_the_new_point_is_whole()
    {
        RecoveryPoint[] points = await MakeAsync(2);
        MemoryVaultStore start = _backups.Objects.Clone();
        int calls = int.MaxValue;
        for (int moment = 1; moment <= calls; moment++)
        {
            MemoryVaultStore objects = start.Clone();
            UnlockedVault deleter = await _backups.OpenAsync(objects);
            var stepped = new SteppedVaultStore(
                objects, call => call == moment ? deleter.Deletions.DeleteMachineAsync(BackupFixture.Machine, "", Cancel) : Task.CompletedTask);

            RecoveryPoint made = (await (await _backups.OpenAsync(stepped, VaultUse.Write)).BackUpAsync(_backups.Job("/data"), new JobMonitor(), Cancel)).Point;

            calls = stepped.Calls;
            UnlockedVault after = await _backups.OpenAsync(objects);
            RecoveryPointList left = await after.ListPointsAsync(null, Cancel);
            Assert.True(left.Select(point => point.SessionId).SequenceEqual([made.SessionId]) || left.Count == 0, $"moment {moment}");
            Assert.Empty((await after.VerifyAsync(VerifyLevel.Data, new JobMonitor(), Cancel)).Findings);
            Assert.True(made.ParentSessionId is null || made.ParentSessionId == points[1].SessionId);
        }

        Assert.InRange(calls, 10, 500);
    }

    [Fact]
    public async Task Whenever_somebody_else_deletes_or_brings_back_both_see_what_holds()
    {
        RecoveryPoint[] points = await MakeAsync(2);
        UnlockedVault vault = await _backups.OpenAsync();
        await vault.Deletions.DeleteAsync(points[0], "", Cancel);
        MemoryVaultStore start = _backups.Objects.Clone();
        int calls = int.MaxValue;
        for (int moment = 1; moment <= calls; moment++)
        {
            MemoryVaultStore objects = start.Clone();
            UnlockedVault other = await _backups.OpenAsync(objects);
            PointDeletions? mine = null;
            var stepped = new SteppedVaultStore(
                objects,
                async call =>
                {
                    if (mine is not null && call == moment)
                    {
                        await other.Deletions.RestoreAsync($"{points[0].SessionId}", null, Cancel);
                    }
                });
            UnlockedVault slow = await _backups.OpenAsync(stepped);
            int before = stepped.Calls;
            moment = Math.Max(moment, before + 1);
            mine = slow.Deletions;

            string outcome;
            try
            {
                outcome = (await mine.RestoreAsync($"{points[0].SessionId}", null, Cancel)).SessionId.ToString();
            }
            catch (BackupException e) when (e.Id == BackupErrorId.RecoveryPointNotFound)
            {
                outcome = "not deleted";
            }

            calls = stepped.Calls;
            Assert.Contains(outcome, (string[])[$"{points[0].SessionId}", "not deleted"]);
            Assert.Equal(2, (await other.ListPointsAsync(null, Cancel)).Count);
            Assert.Equal(2, objects.Names.Count(name => name.Contains("/deleted/", StringComparison.Ordinal)));
        }
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

            tree.File($"{_backups.Points.Count}", Content(_backups.Points.Count));
            points.Add((await _backups.BackUpAsync(Request("/data"))).Point);
        }

        return [.. points];
    }

    private static byte[] Content(int number) => TestKeys.Bytes(number + 1, 3000);

    private List<string> Records() => [.. _backups.Objects.Names.Where(name => name.Contains("/deleted/", StringComparison.Ordinal))];

    private string NameOf(RecoveryPoint point) => _backups.Points.Single(name => name.EndsWith($"{point.SessionId}", StringComparison.Ordinal));
}
