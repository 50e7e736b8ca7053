using System.Security.Cryptography;
using MSOnlineBackup.Engine.Tests.Backup;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Alarms;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.Protection;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Testing;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Backup.BackupFixture;

namespace MSOnlineBackup.Engine.Tests.Protection;

/// <summary>Something unusual is told, with its figures, and puts a brake on deletion until the owner releases it or its time is over.</summary>
public sealed class BrakeTests : IDisposable
{
    private readonly BackupFixture _backups = new();

    public void Dispose() => _backups.Dispose();

    [Theory]
    [InlineData(40, 39, true)] // encrypted
    [InlineData(40, 12, false)] // a database that compresses
    [InlineData(8, 8, false)] // too little
    [InlineData(24, 24, false)] // a share that is not so unusual
    public void What_is_new_and_cannot_be_compressed_far_off_what_is_usual_is_unusual(int newMegabytes, int storedMegabytes, bool isUnusual)
    {
        List<RecoveryPoint> earlier = [.. Enumerable.Range(1, 10).Select(i => Point(i, bytes: 100 << 20, newBytes: 1 << 19, storedBytes: 1 << 18))];

        string? cause = UnusualBackup.Find(Point(11, 100 << 20, (long)newMegabytes << 20, (long)storedMegabytes << 20), earlier);

        Assert.Equal(isUnusual, cause is not null);
        if (isUnusual)
        {
            Assert.Equal("40 % of the data were new, where 0.5 % are usual, and compressed to 97 % of their size, where 50 % is usual".Replace(" %", "%", StringComparison.Ordinal), cause!.Replace(" %", "%", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void A_machine_of_which_little_is_known_or_that_always_does_so_is_not_unusual()
    {
        RecoveryPoint large = Point(50, 100 << 20, 60 << 20, 60 << 20);
        Assert.Null(UnusualBackup.Find(large, [.. Enumerable.Range(1, 6).Select(i => Point(i, 100 << 20, 0, 0))]));
        Assert.Null(UnusualBackup.Find(large, [.. Enumerable.Range(1, 20).Select(i => Point(i, 100 << 20, 50 << 20, 50 << 20))]));
        Assert.Null(UnusualBackup.Find(large, [.. Enumerable.Range(1, 20).Select(i => Point(i, 100 << 20, 0, 0, path: "/other"))]));
        Assert.Null(UnusualBackup.Find(large, [.. Enumerable.Range(51, 20).Select(i => Point(i, 100 << 20, 0, 0))]));
        Assert.NotNull(UnusualBackup.Find(large, [.. Enumerable.Range(1, 7).Select(i => Point(i, 100 << 20, 0, 0))]));
    }

    [Theory]
    [InlineData(1000, 500, true)]
    [InlineData(1000, 501, false)]
    [InlineData(99, 1, false)]
    public void Most_files_gone_is_unusual(int usual, int left, bool isUnusual) => Assert.Equal(
        isUnusual, UnusualBackup.Find(Point(11, 1, 0, 0, left), Enumerable.Range(1, 10).Select(i => Point(i, 1, 0, 0, usual))) is not null);

    [Fact]
    public async Task After_it_nothing_of_the_machine_ends_until_its_time_is_over()
    {
        RecoveryPoint first = await PrepareAsync();
        await AttackAsync();

        MaintenanceReport report = await MaintainAsync();
        Assert.Equal(0, report.PointsGone);
        DeletionBrake brake = Assert.Single(report.Brakes);
        Assert.Equal((first.MachineId, TimeSpan.FromDays(14)), (brake.MachineId, brake.Until - brake.Since));
        Assert.Contains("looks like the work of ransomware", brake.Cause, StringComparison.Ordinal);

        // What a clock says alone is not enough.
        _backups.Clock.JumpTo(_backups.Clock.GetUtcNow().AddYears(1));
        Assert.Equal(0, (await MaintainAsync()).PointsGone);
        _backups.Clock.JumpTo(_backups.Clock.GetUtcNow().AddYears(-1));
        await PassAsync(15);
        report = await MaintainAsync();
        Assert.Equal(1, report.PointsGone);
        Assert.Empty(report.Brakes);
    }

    [Fact]
    public async Task A_tree_of_thousands_of_files_is_encrypted()
    {
        const int Count = 3_000;
        for (int i = 0; i < Count; i++)
        {
            _backups.Tree.File($"folder{i % 40}/{i}.txt", System.Text.Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat($"line {i} of a text\n", 100))));
        }

        RecoveryPoint first = (await _backups.BackUpAsync()).Point;
        await PassAsync(1);
        await (await _backups.OpenAsync()).Deletions.DeleteAsync(first, "", Cancel);
        await PassAsync(14);
        Assert.Empty(await AlarmsAsync());
        for (int i = 0; i < Count; i++)
        {
            _backups.Tree.Delete($"folder{i % 40}/{i}.txt").File($"folder{i % 40}/{i}.txt.locked", RandomNumberGenerator.GetBytes(2_000));
        }

        RecoveryPoint attacked = (await _backups.BackUpAsync()).Point;
        await _backups.BackUpAsync();

        VaultAlarm alarm = Assert.Single(await AlarmsAsync());
        Assert.Equal((BackupErrorId.BackupUnusual, BackupFixture.Machine), (alarm.Id, alarm.Machine));
        Assert.Contains(
            $"the backup {attacked.SessionId.ToShortString()} looks like the work of ransomware: 100% of 3,001 files were changed or gone, where 0.0% are usual, 100% with a new one beside them, where 0.0% are usual; of what was read 100% was not in the vault",
            alarm.Message.Replace(" %", "%", StringComparison.Ordinal),
            StringComparison.Ordinal);
        MaintenanceReport report = await MaintainAsync();
        Assert.Equal((0, BrakeKind.UnusualBackup), (report.PointsGone, Assert.Single(report.Brakes).Kind));
        Assert.Single(await (await _backups.OpenAsync()).Deletions.ListAsync(null, Cancel));

        await (await _backups.OpenAsync()).Vault.ReleaseBrakeAsync(_backups.Owner.Key, BackupFixture.Machine, Cancel);
        Assert.Empty(await AlarmsAsync());
        report = await MaintainAsync();
        Assert.Equal((1, 0), (report.PointsGone, report.Brakes.Count));
        Assert.Empty((await _backups.VerifyAsync()).Findings);
    }

    [Fact]
    public async Task One_that_is_released_does_not_hide_another()
    {
        await PrepareAsync();
        UnlockedVault vault = await _backups.OpenAsync();
        await vault.Deletions.DeleteManyAsync([.. (await vault.ListPointsAsync(null, Cancel)).Skip(1)], "", evenNewest: false, Cancel);
        Assert.Equal(BackupErrorId.PointsDeletedAtOnce, Assert.Single(await AlarmsAsync()).Id);
        await vault.Vault.ReleaseBrakeAsync(_backups.Owner.Key, BackupFixture.Machine, Cancel);
        Assert.Empty(await AlarmsAsync());
        await AttackAsync();

        Assert.Equal(BackupErrorId.BackupUnusual, Assert.Single(await AlarmsAsync()).Id);
        Assert.Equal(0, (await MaintainAsync()).PointsGone);
    }

    [Fact]
    public async Task A_machine_that_was_renamed_is_released_by_its_name()
    {
        await PrepareAsync();
        await AttackAsync();
        await (await _backups.OpenAsync()).RenameMachineAsync(BackupFixture.Machine, "another", Cancel);
        Assert.Equal("another", Assert.Single(await AlarmsAsync()).Machine);

        await (await _backups.OpenAsync()).Vault.ReleaseBrakeAsync(_backups.Owner.Key, "another", Cancel);

        Assert.Empty(await AlarmsAsync());
        Assert.Equal(1, (await MaintainAsync()).PointsGone);
    }

    [Fact]
    public async Task The_owner_releases_it_and_what_happens_later_brakes_again()
    {
        await PrepareAsync();
        await AttackAsync();
        Assert.Single((await MaintainAsync()).Brakes);
        using (var stranger = MSOnlineBackup.Vaults.Cryptography.OwnerKey.Create())
        {
            Assert.Equal(
                BackupErrorId.OwnerForeign,
                (await Assert.ThrowsAsync<BackupException>(async () => await (await _backups.OpenAsync()).Vault.ReleaseBrakeAsync(stranger, BackupFixture.Machine, Cancel))).Id);
        }

        await (await _backups.OpenAsync()).Vault.ReleaseBrakeAsync(_backups.Owner.Key, "another", Cancel);
        Assert.Equal(0, (await MaintainAsync()).PointsGone);
        await (await _backups.OpenAsync()).Vault.ReleaseBrakeAsync(_backups.Owner.Key, BackupFixture.Machine.ToUpperInvariant(), Cancel);

        Assert.Equal(1, (await MaintainAsync()).PointsGone);
    }

    [Fact]
    public async Task Many_points_deleted_at_once_put_a_brake_on_what_was_deleted_before()
    {
        RecoveryPoint first = await PrepareAsync();
        UnlockedVault vault = await _backups.OpenAsync();
        await vault.Deletions.DeleteManyAsync([.. (await vault.ListPointsAsync(null, Cancel)).Skip(1)], "", evenNewest: false, Cancel);
        await PassAsync(1);

        DeletionBrake brake = Assert.Single((await MaintainAsync()).Brakes);

        Assert.Contains("were deleted within a day", brake.Cause, StringComparison.Ordinal);
        Assert.NotEmpty(await vault.Deletions.ListAsync(null, Cancel));
        Assert.Equal(first.MachineId, brake.MachineId);
    }

    [Fact]
    public async Task Without_a_brake_nothing_is_held()
    {
        await PrepareAsync();
        await TestVault.ChangeSettingsAsync(_backups.Objects, _backups.Owner.Key, settings => settings with { BrakeDays = 0 }, Cancel);
        await AttackAsync();

        MaintenanceReport report = await MaintainAsync();

        Assert.Equal((1, 0), (report.PointsGone, report.Brakes.Count));
    }

    // Daily backups, of which the first was deleted so long ago that it is over.
    private async Task<RecoveryPoint> PrepareAsync()
    {
        _backups.Tree.File("data", RandomNumberGenerator.GetBytes(20 << 20));
        RecoveryPoint first = (await _backups.BackUpAsync()).Point;
        await PassAsync(1);
        await (await _backups.OpenAsync()).Deletions.DeleteAsync(first, "", Cancel);
        await PassAsync(14);
        return first;
    }

    private async Task PassAsync(int days)
    {
        for (int day = 0; day < days; day++)
        {
            _backups.Clock.Advance(TimeSpan.FromDays(1));
            _backups.Tree.File("small", BitConverter.GetBytes(_backups.Clock.GetUtcNow().Ticks));
            await _backups.BackUpAsync();
        }
    }

    private async Task AttackAsync()
    {
        _backups.Tree.File("data", RandomNumberGenerator.GetBytes(20 << 20));
        await _backups.BackUpAsync();
        await _backups.BackUpAsync();
    }

    private async Task<IReadOnlyList<VaultAlarm>> AlarmsAsync() => await (await _backups.OpenAsync()).ReadAlarmsAsync(null, Cancel);

    private async Task<MaintenanceReport> MaintainAsync() => await (await _backups.OpenAsync()).MaintainAsync(new MaintenanceRequest(), new JobMonitor(), Cancel);

    private static RecoveryPoint Point(int number, long bytes, long newBytes, long storedBytes, int files = 10, string path = "/data") => new()
    {
        SessionId = SessionId.Parse($"{number:x32}"),
        MachineId = MachineId.Parse(new string('a', 32)),
        MachineName = "M",
        OperatingSystem = "",
        AgentVersion = "",
        Started = default,
        Ended = default,
        Status = RecoveryPointStatus.Completed,
        Sources = [new RecoveryPointSource { Path = path, Manifest = new ManifestRoot(default(ChunkId), 0, files, files, 1, bytes) }],
        NewBytes = newBytes,
        StoredBytes = storedBytes,
    };
}
