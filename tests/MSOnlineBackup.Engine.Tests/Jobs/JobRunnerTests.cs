using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Jobs;

/// <summary>A job's record from its beginning to its end.</summary>
public sealed class JobRunnerTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly FakeClock _clock = new();
    private readonly JobHistory _history;
    private readonly JobRunner _runner;
    private readonly Guid _id = JobHistory.NewId();
    private long? _limit;

    public JobRunnerTests()
    {
        _history = new JobHistory(new StateFolder(_folder.Path), _clock);
        _runner = new JobRunner(_history, _clock, () => _limit, []);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task What_it_keeps_to_is_in_its_record_while_it_runs()
    {
        var told = new List<long?>();
        _limit = 512_000;

        JobRecord end = await RunAsync(
            (_, _) =>
            {
                told.Add(_history.Get(_id).BandwidthLimit);
                return Task.CompletedTask;
            });

        Assert.Equal([512_000], told);
        Assert.Null(end.BandwidthLimit);
    }

    [Fact]
    public async Task While_it_runs_its_record_says_so_and_at_the_end_how_it_went()
    {
        var told = new List<JobState>();

        JobRecord end = await RunAsync(
            (job, _) =>
            {
                JobRecord now = _history.Get(_id);
                Assert.Equal((JobState.InProgress, Environment.ProcessId, null), (now.State, now.ProcessId, now.Ended));
                _clock.Advance(TimeSpan.FromMilliseconds(10));
                job.RecoveryPointId = SessionId.Parse(new string('1', 32));
                return Task.CompletedTask;
            },
            record => told.Add(record.State));

        Assert.Equal((JobState.Completed, JobPhase.Finished, (SessionId?)SessionId.Parse(new string('1', 32))), (end.State, end.Phase, end.RecoveryPointId));
        Assert.Equal(TimeSpan.FromMilliseconds(10), end.Ended - end.Started);
        Assert.Equal(end, _history.Get(_id) with { Sources = end.Sources });
        Assert.Equal((JobState.InProgress, JobState.Completed), (told[0], told[^1]));
    }

    [Fact]
    public async Task Every_two_seconds_it_gives_a_sign_of_life()
    {
        await RunAsync(async (job, _) =>
        {
            DateTimeOffset begun = _clock.GetUtcNow();
            job.Monitor.Skip(new SkippedItem("/a", BackupErrorId.SourceItemUnreadable, "why"));
            for (int i = 0; i < 3; i++)
            {
                DateTimeOffset before = _history.Get(_id).Heartbeat;
                await UntilAsync(
                    () => _history.Get(_id).Heartbeat > before,
                    () => _clock.Advance(TimeSpan.FromMilliseconds(250)));
            }

            Assert.InRange(_history.Get(_id).Heartbeat - begun, TimeSpan.FromSeconds(6), TimeSpan.FromHours(1));
            Assert.Equal(1, _history.Get(_id).Skipped);
            Assert.Single(_history.ReadSkipped(_id));
        });
    }

    [Fact]
    public async Task What_it_skipped_makes_it_complete_with_warnings()
    {
        var skipped = new SkippedItem("/a", BackupErrorId.SourceItemUnreadable, "why");

        JobRecord end = await RunAsync((job, _) =>
        {
            job.Monitor.Skip(skipped);
            return Task.CompletedTask;
        });

        Assert.Equal((JobState.CompletedWithWarnings, 1L), (end.State, end.Skipped));
        Assert.Equal([skipped], _history.ReadSkipped(_id));
    }

    [Fact]
    public async Task Damage_that_it_worked_around_is_a_warning_too()
    {
        JobRecord end = await RunAsync((job, _) =>
        {
            job.Monitor.ReportDamage([new BackupException(BackupErrorId.VaultDataCorrupt, "message", "action", "pack")]);
            return Task.CompletedTask;
        });

        Assert.Equal((JobState.CompletedWithWarnings, 0L), (end.State, end.Skipped));
        Assert.Equal([new SkippedItem("pack", BackupErrorId.VaultDataCorrupt, "message")], _history.ReadSkipped(_id));
    }

    [Fact]
    public async Task Its_failure_is_thrown_and_recorded_with_what_to_do()
    {
        var failure = new BackupException(BackupErrorId.VaultFull, "message", "action", "target", errorCode: "34506");

        BackupException thrown = await Assert.ThrowsAsync<BackupException>(() => RunAsync((_, _) => throw failure));

        Assert.Same(failure, thrown);
        JobRecord end = _history.Get(_id);
        Assert.Equal((JobState.Failed, new JobError("VaultFull", "34506", "message", "action", "target")), (end.State, end.Error));
    }

    [Fact]
    public async Task A_bug_is_recorded_as_one()
    {
        await Assert.ThrowsAsync<InvalidOperationException>(() => RunAsync((_, _) => throw new InvalidOperationException("oops")));

        JobRecord end = _history.Get(_id);
        Assert.Equal((JobState.Failed, "UnexpectedError", "InvalidOperationException: oops"), (end.State, end.Error!.Id, end.Error.Message));
    }

    [Fact]
    public async Task A_cancelled_job_is_aborted()
    {
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Cancel);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => RunAsync(
            async (_, stop) =>
            {
                await cancel.CancelAsync();
                await Task.Delay(Timeout.Infinite, stop);
            },
            cancellationToken: cancel.Token));

        JobRecord end = _history.Get(_id);
        Assert.Equal((JobState.Aborted, null), (end.State, end.Error));
    }

    [Fact]
    public async Task A_stop_file_stops_it()
    {
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => RunAsync(async (_, stop) =>
        {
            await File.WriteAllBytesAsync(_history.FileOf(_id, JobRunner.StopFile), [], Cancel);
            await UntilAsync(() => stop.IsCancellationRequested, () => _clock.Advance(TimeSpan.FromMilliseconds(250)));
            stop.ThrowIfCancellationRequested();
        }));

        Assert.Equal(JobState.Aborted, _history.Get(_id).State);
    }

    [Fact]
    public async Task Of_two_starts_at_once_exactly_one_runs()
    {
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var runner = new JobRunner(new JobHistory(new StateFolder(_folder.Path), TimeProvider.System), TimeProvider.System, () => null, []);
        Task<JobRecord> Start() => Task.Run(() => runner.RunAsync(
            JobHistory.NewId(), JobKind.Backup, new JobPlan(_ => [], (_, _) => release.Task), _ => { }, Cancel));

        Task<JobRecord>[] starts = [Start(), Start(), Start()];
        var pending = starts.ToList();
        while (pending.Count > 1)
        {
            Task<JobRecord> refused = await Task.WhenAny(pending);
            Assert.Equal(BackupErrorId.JobInProgress, (await Assert.ThrowsAsync<BackupException>(() => refused)).Id);
            pending.Remove(refused);
        }

        release.SetResult();
        JobRecord end = await pending[0];

        Assert.Equal(end.Id, Assert.Single(_history.List()).Id);
        await RunAsync((_, _) => Task.CompletedTask);
    }

    private static async Task UntilAsync(Func<bool> condition, Action each)
    {
        while (!condition())
        {
            each();
            await Task.Delay(1, Cancel);
        }
    }

    private Task<JobRecord> RunAsync(
        Func<JobWork, CancellationToken, Task> work, Action<JobRecord>? progress = null, CancellationToken? cancellationToken = null) =>
        _runner.RunAsync(_id, JobKind.Backup, new JobPlan(_ => [], work), progress ?? (_ => { }), cancellationToken ?? Cancel);
}
