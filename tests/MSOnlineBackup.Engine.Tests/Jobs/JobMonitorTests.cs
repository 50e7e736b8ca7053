using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Tests.Backup;
using MSOnlineBackup.Engine.Tests.Cryptography;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Backup.BackupFixture;

namespace MSOnlineBackup.Engine.Tests.Jobs;

public sealed class JobMonitorTests : IDisposable
{
    private readonly BackupFixture _backups = new();

    public void Dispose() => _backups.Dispose();

    [Fact]
    public void Before_a_job_has_begun_nothing_is_counted_and_totals_are_unknown()
    {
        JobProgress progress = new JobMonitor().Snapshot();

        Assert.Equal(new JobProgress(JobPhase.Initializing, 0, 0, 0, 0, 0, 0, 0, null, null, null), progress);
    }

    [Fact]
    public async Task A_job_tells_what_it_waits_for_while_it_waits()
    {
        BuildSource(state: 1);
        await _backups.BackUpAsync(Request("/data"));
        var monitor = new JobMonitor();
        var told = new List<JobWait?>();
        var clock = new FakeClock { SkipsWaits = true };
        var store = new ResilientVaultStore(
            new FaultyVaultStore(_backups.Objects) { Counts = (call, name) => call == VaultCall.Create && name.Contains("/points/", StringComparison.Ordinal), FailAt = 1 },
            new VaultRetryOptions { Waiting = wait => told.Add(monitor.Snapshot().Wait) },
            clock);

        await (await _backups.OpenAsync(store)).BackUpAsync(_backups.Job("/data"), monitor, Cancel);

        JobWait wait = Assert.IsType<JobWait>(Assert.Single(told));
        Assert.StartsWith("The test lets ", wait.Cause, StringComparison.Ordinal);
        Assert.InRange(wait.Until, clock.GetUtcNow() - clock.Elapsed, clock.GetUtcNow() + TimeSpan.FromMilliseconds(1));
        Assert.Null(monitor.Snapshot().Wait);
    }

    [Fact]
    public async Task The_counters_of_a_backup_are_those_of_its_point()
    {
        BuildSource(state: 1);
        var first = new JobMonitor();
        RecoveryPoint point = (await _backups.BackUpAsync(Request("/data"), first)).Point;
        JobProgress progress = first.Snapshot();

        Assert.Equal(JobPhase.Finished, progress.Phase);
        Assert.Equal((4L, 2L, 2_001_000L), (progress.Items, progress.Files, progress.Bytes));
        Assert.Equal((2_001_000L, 2_001_000L), (progress.ReadBytes, progress.NewBytes));
        Assert.Equal((null, null), (progress.TotalFiles, progress.TotalBytes));
        Assert.Equal(point.NewBytes, progress.NewBytes);
        Assert.InRange(progress.StoredBytes, point.StoredBytes, point.StoredBytes + 4096);

        // What is known unchanged is done as well, and now there is something to compare with.
        BuildSource(state: 1);
        var second = new JobMonitor();
        await _backups.BackUpAsync(Request("/data"), second);
        progress = second.Snapshot();
        Assert.Equal((4L, 2L, 2_001_000L, 0L), (progress.Items, progress.Files, progress.Bytes, progress.ReadBytes));
        Assert.Equal((2L, 2_001_000L), (progress.TotalFiles, progress.TotalBytes));
    }

    [Fact]
    public async Task Skipped_items_are_told_while_the_job_runs_and_the_item_under_way_has_its_full_path()
    {
        FakeSourceTree source = BuildSource(state: 1);
        var monitor = new JobMonitor { ItemSkipped = item => Assert.Equal("/data/small", item.Path) };
        source["small"].RefusesOpen = FakeSourceTree.Unreadable("/data/small");
        string? current = null;
        source["large"].Reading = _ => current = monitor.Snapshot().CurrentItem;

        BackupResult result = await _backups.BackUpAsync(Request("/data"), monitor);

        Assert.Equal("/data/large", current);
        Assert.Equal((1L, 1L), (monitor.Snapshot().Skipped, result.Point.SkippedCount));
    }

    private FakeSourceTree BuildSource(int state) => _backups.Fakes["/data"] = new FakeSourceTree("/data")
        .Folder("").Folder("sub").File("large", TestKeys.Bytes(1, 2_000_000), state).File("small", TestKeys.Bytes(2, 1000), state);
}
