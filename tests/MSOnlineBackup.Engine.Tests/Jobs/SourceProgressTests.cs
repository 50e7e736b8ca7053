using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Engine.Tests.Backup;
using MSOnlineBackup.Engine.Tests.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Progress;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Backup.BackupFixture;

namespace MSOnlineBackup.Engine.Tests.Jobs;

/// <summary>What is counted for each source of a backup.</summary>
public sealed class SourceProgressTests : IDisposable
{
    private readonly BackupFixture _backups = new();

    public void Dispose() => _backups.Dispose();

    [Fact]
    public async Task At_the_end_each_source_has_what_was_in_it()
    {
        Directory.CreateDirectory(_backups.Root);
        _backups.Tree.Describe("f a/one 1000\nf a/two 200K\nf b/three 30");
        string[] sources = [_backups.Root + "/a", _backups.Root + "/missing", _backups.Root + "/b"];
        var first = new JobMonitor();
        await _backups.BackUpAsync(Request(sources), first);

        IReadOnlyList<SourceProgress> ended = first.ReadSources();
        Assert.Equal(3, ended.Count);
        Assert.Equal(new SourceProgress(205_800, 205_800, 205_800, 2, 2, 2, 0, true, null), ended[0]);
        Assert.Equal((0L, 1L, BackupErrorId.SourceNotFound), (ended[1].Files, ended[1].Skipped, ended[1].Failure!.Id));
        Assert.Equal(new SourceProgress(30, 30, 30, 1, 1, 1, 0, true, null), ended[2]);

        _backups.Tree.Describe("f b/four 5");
        var second = new JobMonitor();
        await _backups.BackUpAsync(Request(sources), second);

        ended = second.ReadSources();
        Assert.Equal(new SourceProgress(205_800, 0, 205_800, 2, 0, 2, 0, true, null), ended[0]);
        Assert.Equal(new SourceProgress(35, 5, 35, 2, 1, 2, 0, true, null), ended[2]);
    }

    [Fact]
    public async Task While_it_runs_the_totals_are_what_the_source_held_before()
    {
        FakeSourceTree Build(int state) =>
            _backups.Fakes["/data"] = new FakeSourceTree("/data").Folder("").File("a", TestKeys.Bytes(state, 300_000), state);

        Build(1);
        await _backups.BackUpAsync(Request("/data"));
        var monitor = new JobMonitor();
        SourceProgress? during = null;
        Build(2)["a"].Reading = _ => during ??= monitor.ReadSources().Single();
        await _backups.BackUpAsync(Request("/data"), monitor);

        Assert.Equal((1L, 300_000L, false), (during!.TotalFiles, during.TotalBytes, during.HasEnded));
        Assert.Equal(0, during.Files);
    }

    [Fact]
    public async Task A_jobs_record_sums_up_sources_of_several_parts()
    {
        Directory.CreateDirectory(_backups.Root);
        _backups.Tree.Describe("f a/one 1000\nf b/three 30\nf c/four 4");
        var monitor = new JobMonitor();
        (string, int)[] names = [("System State", 3), ("/c", 1), ("/d", 1)];
        Assert.All(SourceStatuses.OfBackup(monitor, names), status => Assert.Equal(JobState.InProgress, status.State));

        await _backups.BackUpAsync(
            Request(_backups.Root + "/a", _backups.Root + "/missing", _backups.Root + "/b", _backups.Root + "/c", _backups.Root + "/d"), monitor);

        IReadOnlyList<JobSourceStatus> statuses = SourceStatuses.OfBackup(monitor, names);
        Assert.Equal(new JobSourceStatus("System State", JobState.CompletedWithWarnings, 1030, 1030, 1030, 2, 2, 2, statuses[0].Error), statuses[0]);
        Assert.Equal("SourceNotFound", statuses[0].Error!.Id);
        Assert.Equal(new JobSourceStatus("/c", JobState.Completed, 4, 4, 4, 1, 1, 1), statuses[1]);
        Assert.Equal(("/d", JobState.Failed, "SourceNotFound"), (statuses[2].Name, statuses[2].State, statuses[2].Error!.Id));
    }
}
