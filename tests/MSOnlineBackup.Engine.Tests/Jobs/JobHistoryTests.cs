using System.Diagnostics;
using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Jobs;

/// <summary>Records on disk, and the lock that says who may run.</summary>
public sealed class JobHistoryTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly FakeClock _clock = new();
    private readonly StateFolder _state;
    private readonly JobHistory _history;

    public JobHistoryTests()
    {
        _state = new StateFolder(_folder.Path);
        _history = new JobHistory(_state, _clock);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Without_any_job_there_is_nothing_and_nothing_is_created()
    {
        Assert.Empty(_history.List());
        Assert.Empty(_history.ReadSkipped(JobHistory.NewId()));
        Assert.Equal(BackupErrorId.JobNotFound, Assert.Throws<BackupException>(() => _history.Get(JobHistory.NewId())).Id);
        Assert.False(Directory.Exists(_folder["jobs"]));
    }

    [Fact]
    public void A_record_comes_back_as_it_was_written()
    {
        var error = new JobError("KeyFileInvalid", "34506", "message", "action", "target");
        JobRecord written = Record(JobState.Failed) with
        {
            Kind = JobKind.Recovery,
            Phase = JobPhase.Finished,
            Ended = _clock.GetUtcNow().AddSeconds(1),
            Sources =
            [
                new JobSourceStatus("/données", JobState.CompletedWithWarnings, 1, 2, 3, 4, 5, 6, error), new JobSourceStatus(
                    "/b", JobState.Completed, 0, 0, 0, 0, 0, 0),
            ],
            Error = error,
            RecoveryPointId = SessionId.Parse(new string('1', 32)),
            NewBytes = 7,
            StoredBytes = 8,
            Skipped = 9,
        };

        _history.Write(written);
        JobRecord read = new JobHistory(_state, _clock).Get(written.Id);

        Assert.Equal(written.Sources, read.Sources);
        Assert.Equal(written with { Sources = read.Sources }, read);
    }

    [Fact]
    public void Jobs_are_listed_oldest_first()
    {
        var written = new List<Guid>();
        foreach (int hour in (int[])[5, 1, 3])
        {
            JobRecord record = Record(JobState.Completed) with { Started = _clock.GetUtcNow().AddHours(hour) };
            _history.Write(record);
            written.Add(record.Id);
        }

        Assert.Equal([written[1], written[2], written[0]], _history.List().Select(job => job.Id));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{\"version\":1}")]
    [InlineData("{\"version\":1,\"job\":{\"id\":\"00000000-0000-0000-0000-000000000000\"}}")]
    [InlineData("{\"version\":2,\"job\":null}")]
    public void A_damaged_record_is_reported_in_the_list_and_the_others_stay(string content)
    {
        JobRecord sound = Record(JobState.Completed);
        JobRecord damaged = Record(JobState.Completed);
        _history.Write(sound);
        _history.Write(damaged);
        File.WriteAllText(_history.FileOf(damaged.Id, "job.json"), content);

        IReadOnlyList<JobRecord> jobs = _history.List();

        Assert.Equal(2, jobs.Count);
        JobRecord reported = jobs.Single(job => job.Id == damaged.Id);
        Assert.Equal((JobState.Failed, "StateInvalid"), (reported.State, reported.Error!.Id));
        Assert.Equal(content, File.ReadAllText(_history.FileOf(damaged.Id, "job.json")));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_record_that_the_system_refuses_is_told_in_the_list_and_the_others_stay(bool shut)
    {
        Assert.SkipWhen(shut && (OperatingSystem.IsWindows() || Environment.IsPrivilegedProcess), "Root may enter any folder.");
        JobRecord sound = Record(JobState.Completed);
        JobRecord refused = Record(JobState.Completed);
        _history.Write(sound);
        _history.Write(refused);
        if (shut)
        {
            UnixFile.SetMode(UnixFile.Raw(_history.FolderOf(refused.Id)), 0);
        }
        else
        {
            File.Delete(_history.FileOf(refused.Id, "job.json"));
            Directory.CreateDirectory(_history.FileOf(refused.Id, "job.json"));
        }

        try
        {
            IReadOnlyList<JobRecord> jobs = _history.List();

            Assert.Equal(2, jobs.Count);
            JobRecord told = jobs.Single(job => job.Id == refused.Id);
            Assert.Equal((JobState.Failed, "StateAccessDenied"), (told.State, told.Error!.Id));
            Assert.Contains("cannot be read or written", told.Error.Message, StringComparison.Ordinal);
            Assert.Equal(BackupErrorId.StateAccessDenied, Assert.Throws<BackupException>(() => _history.Get(refused.Id)).Id);
            Assert.Equal(sound.Id, _history.Get(sound.Id).Id);
        }
        finally
        {
            if (shut)
            {
                UnixFile.SetMode(UnixFile.Raw(_history.FolderOf(refused.Id)), 0b111_000_000);
            }
        }
    }

    [Fact]
    public void Only_the_newest_jobs_are_kept()
    {
        for (int i = 0; i < 5; i++)
        {
            _history.Write(Record(JobState.Completed) with { Started = _clock.GetUtcNow().AddHours(i) });
        }

        _history.Trim(keep: 2);

        Assert.Equal([3, 4], _history.List().Select(job => (int)(job.Started - _clock.GetUtcNow()).TotalHours));
        Assert.Equal(2, Directory.GetDirectories(_folder["jobs"]).Length);
    }

    [Fact]
    public void An_order_that_nobody_carried_out_goes_after_a_day()
    {
        _clock.JumpTo(TimeProvider.System.GetUtcNow());
        Guid id = JobHistory.NewId();
        _history.WriteFile(id, "order.json", [1]);

        _history.Trim();
        Assert.True(Directory.Exists(_history.FolderOf(id)));
        _clock.Advance(TimeSpan.FromHours(25));
        _history.Trim();

        Assert.False(Directory.Exists(_history.FolderOf(id)));
    }

    [Fact]
    public async Task The_lock_is_one_jobs_and_says_whose()
    {
        using IDisposable held = await _history.LockAsync(Cancel);
        JobRecord running = Record(JobState.InProgress);
        _history.Write(running);

        BackupException refused = await Assert.ThrowsAsync<BackupException>(() => _history.LockAsync(Cancel));

        Assert.Equal(BackupErrorId.JobInProgress, refused.Id);
        Assert.StartsWith("The job could not be started as another job was in progress", refused.Message, StringComparison.Ordinal);
        Assert.All([running.Id.ToString(), "12345", "backup"], part => Assert.Contains(part, refused.Message, StringComparison.Ordinal));
        Assert.Contains(running.Id.ToString(), refused.RecommendedAction, StringComparison.Ordinal);
        Assert.Equal(running.Id.ToString(), refused.Target);
    }

    [Fact]
    public async Task A_lock_held_by_somebody_without_a_job_is_refused_after_a_while()
    {
        var history = new JobHistory(_state, new FakeClock { SkipsWaits = true });
        using IDisposable held = _state.TryLock("jobs.lock")!;

        BackupException refused = await Assert.ThrowsAsync<BackupException>(() => history.LockAsync(Cancel));

        Assert.Equal(BackupErrorId.JobInProgress, refused.Id);
    }

    [Fact]
    public async Task A_job_whose_process_was_killed_is_lost_and_the_next_one_runs()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Uses flock(1).");
        using Process owner = Process.Start(
            new ProcessStartInfo("flock", ["--no-fork", "--nonblock", _state.PathOf("jobs.lock"), "sleep", "600"]) { RedirectStandardOutput = true })!;
        while (_state.TryLock("jobs.lock") is { } free)
        {
            free.Dispose();
            await Task.Delay(10, Cancel);
        }

        JobRecord running = Record(JobState.InProgress) with { Sources = [new JobSourceStatus("/a", JobState.InProgress, 1, 1, 2, 1, 1, 2)] };
        _history.Write(running);
        Assert.Equal(JobState.InProgress, _history.Get(running.Id).State);
        Assert.Equal(BackupErrorId.JobInProgress, (await Assert.ThrowsAsync<BackupException>(() => _history.LockAsync(Cancel))).Id);

        owner.Kill();
        await owner.WaitForExitAsync(Cancel);
        JobRecord lost = _history.Get(running.Id);

        Assert.Equal((JobState.Failed, "JobLost", JobState.Failed), (lost.State, lost.Error!.Id, lost.Sources[0].State));
        Assert.Equal(lost, _history.Read(running.Id)! with { Sources = lost.Sources });
        (await _history.LockAsync(Cancel)).Dispose();
    }

    [Fact]
    public async Task The_next_job_settles_what_a_killed_one_left_open()
    {
        JobRecord left = Record(JobState.InProgress);
        _history.Write(left);

        using IDisposable held = await _history.LockAsync(Cancel);

        Assert.Equal("JobLost", _history.Read(left.Id)!.Error!.Id);
    }

    [Fact]
    public async Task A_job_that_shows_no_life_for_ten_minutes_is_listed_as_lost_though_its_process_is_there()
    {
        using IDisposable held = await _history.LockAsync(Cancel);
        JobRecord running = Record(JobState.InProgress);
        _history.Write(running);

        _clock.Advance(JobHistory.StaleAfter);
        Assert.Equal(JobState.InProgress, _history.Get(running.Id).State);
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("JobLost", _history.Get(running.Id).Error?.Id);

        // It was only suspended: its next sign of life says so.
        _history.Write(running with { Heartbeat = _clock.GetUtcNow() });
        Assert.Equal(JobState.InProgress, _history.Get(running.Id).State);
    }

    [Fact]
    public async Task A_clock_that_was_set_back_loses_no_job()
    {
        using IDisposable held = await _history.LockAsync(Cancel);
        JobRecord running = Record(JobState.InProgress);
        _history.Write(running);

        _clock.JumpTo(_clock.GetUtcNow().AddDays(-1));

        Assert.Equal(JobState.InProgress, _history.Get(running.Id).State);
    }

    [Fact]
    public void Skipped_items_come_back_up_to_their_bound_and_without_a_torn_line()
    {
        Guid id = JobHistory.NewId();
        Directory.CreateDirectory(_history.FolderOf(id));
        using (var list = new SkippedList(_history.FileOf(id, SkippedList.FileName)))
        {
            for (int i = 0; i < JobHistory.MaxSkipped + 5; i++)
            {
                list.Add(new SkippedItem($"/é\n{i}", BackupErrorId.SourceItemUnreadable, "why"));
                if (i == 10)
                {
                    list.Flush();
                    Assert.Equal(11, _history.ReadSkipped(id).Count);
                }
            }

            list.Flush();
        }

        Assert.Equal(JobHistory.MaxSkipped, _history.ReadSkipped(id).Count);
        Assert.Equal(new SkippedItem("/é\n3", BackupErrorId.SourceItemUnreadable, "why"), _history.ReadSkipped(id)[3]);

        using (FileStream file = File.OpenWrite(_history.FileOf(id, SkippedList.FileName)))
        {
            file.SetLength(file.Length - 3);
        }

        Assert.Equal(JobHistory.MaxSkipped - 1, _history.ReadSkipped(id).Count);
    }

    private JobRecord Record(JobState state) => new()
    {
        Id = JobHistory.NewId(),
        Kind = JobKind.Backup,
        State = state,
        Started = _clock.GetUtcNow(),
        Heartbeat = _clock.GetUtcNow(),
        ProcessId = 12345,
    };
}
