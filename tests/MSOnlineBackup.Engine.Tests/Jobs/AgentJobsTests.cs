using MSOnlineBackup.Agent;
using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Engine.Tests.Backup;
using MSOnlineBackup.Engine.Tests.Cryptography;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Jobs.JobsFixture;

namespace MSOnlineBackup.Engine.Tests.Jobs;

/// <summary>Jobs of a machine in the foreground, with a real vault.</summary>
public sealed class AgentJobsTests : IDisposable
{
    private readonly JobsFixture _machine = new();

    public void Dispose() => _machine.Dispose();

    [Fact]
    public async Task A_backup_by_policy_makes_a_point_and_leaves_a_truthful_record()
    {
        _machine.Fakes["/a"] = new FakeSourceTree("/a").Folder("").File("one", TestKeys.Bytes(1, 1000)).File("two", TestKeys.Bytes(2, 204_800));
        _machine.Fakes["/b"] = new FakeSourceTree("/b").Folder("").File("three", TestKeys.Bytes(3, 30));
        BackupAgent agent = await _machine.ActivateAsync("/a", "/b");

        JobRecord job = await BackUpAsync(agent);

        Assert.Equal((JobKind.Backup, JobState.Completed, null, 0L), (job.Kind, job.State, job.Error, job.Skipped));
        Assert.Equal(
            [
                new JobSourceStatus("/a", JobState.Completed, 205_800, 205_800, 205_800, 2, 2, 2),
                new JobSourceStatus("/b", JobState.Completed, 30, 30, 30, 1, 1, 1),
            ],
            job.Sources);
        Assert.Equal(205_830, job.NewBytes);
        Assert.True(job.Traffic is { Writes: > 0, Lists: > 0, Reads: > 0 });
        Assert.True(job.Traffic!.Value.SentBytes >= job.StoredBytes);
        RecoveryPoint point = await PointAsync(agent, job);
        Assert.Equal(MachineName, point.MachineName);
        Assert.StartsWith("retain:files:daily:", Assert.Single(point.Tags), StringComparison.Ordinal);

        // Another process sees the same.
        JobRecord read = Assert.Single(_machine.Open().Jobs.List());
        Assert.Equal(job.Sources, read.Sources);
        Assert.Equal(job, read with { Sources = job.Sources });

        JobRecord second = await BackUpAsync(agent);
        Assert.Equal((0L, 0L), (second.Sources[0].ChangedBytes, second.Sources[1].ChangedFiles));
        Assert.Equal([job.Id, second.Id], agent.Jobs.List().Select(listed => listed.Id));
    }

    [Theory]
    [InlineData("Mars", false)]
    [InlineData("Mars", true)]
    [InlineData("Open", false)]
    public async Task A_scratch_volume_too_small_for_the_data_stops_a_backup_where_the_limits_say_so_in_the_background_too(string profile, bool background)
    {
        Assert.SkipUnless(Shell.IsLinuxRoot, "Needs root on Linux to mount.");
        using var machine = new JobsFixture { Limits = profile == "Mars" ? PolicyLimits.Mars : PolicyLimits.Open };
        machine.Tree.File("data", 1000);
        using (FileStream sparse = File.Create(Path.Combine(machine.Source, "sparse")))
        {
            sparse.SetLength(4L << 30);
        }

        BackupAgent agent = await machine.ActivateAsync();
        using MountedFileSystem mounted = MountedFileSystem.InMemory(machine["small"], "64m");
        await agent.Machine.Scratch.MoveAsync(machine["small"], Cancel);

        if (profile == "Open")
        {
            Assert.Equal(JobState.Completed, (await BackUpAsync(agent)).State);
            return;
        }

        if (background)
        {
            await EndAsync(agent, (await agent.Jobs.StartAsync(new BackupOrder(), Cancel)).Id);
        }
        else
        {
            BackupException failure = await FailAsync(() => BackUpAsync(agent));
            Assert.Equal((BackupErrorId.ScratchFull, "SalLowDiskSpace"), (failure.Id, failure.ErrorCode));
        }

        JobRecord job = Assert.Single(agent.Jobs.List());
        Assert.Equal((JobState.Failed, "SalLowDiskSpace", 0L), (job.State, job.Error!.ErrorCode, job.StoredBytes));
    }

    [Fact]
    public async Task Under_Mars_the_65th_point_beside_a_twin_is_refused_and_one_without_a_twin_is_not()
    {
        using var machine = new JobsFixture { Limits = PolicyLimits.Mars };
        machine.Tree.File("data", 1000);
        BackupAgent agent = await machine.ActivateAsync();
        await agent.Copies.CreateTwinAsync(machine["twin"], machine.Vault, Cancel);
        BackupPolicy policy = Policy(PolicyKind.Files, machine.Source);
        agent.Policies.Set(policy with { CopyTo = [machine["twin"]] });
        Vault vault = await Vault.OpenAsync(new FolderVaultStore(machine.Vault), new VaultOptions(), Cancel);
        using (UnlockedVault unlocked = await vault.UnlockAsync(Passphrase, Cancel))
        {
            for (int made = 0; made < 63; made++)
            {
                await unlocked.BackUpAsync(new BackupRequest { MachineName = MachineName, Sources = [new BackupSource.Tree(machine.Source, SourceSelection.Everything)] }, new JobMonitor(), Cancel);
            }
        }

        Assert.Equal(JobState.Completed, (await BackUpAsync(agent)).State);
        BackupException refusal = await FailAsync(() => BackUpAsync(agent));
        Assert.Equal(BackupErrorId.PolicyLimitExceeded, refusal.Id);
        Assert.Contains("0 to 64", refusal.Message, StringComparison.Ordinal);

        agent.Policies.Set(policy);
        Assert.Equal(JobState.Completed, (await BackUpAsync(agent)).State);
    }

    [Fact]
    public async Task A_lost_source_is_an_error_of_the_job_that_backed_up_the_others()
    {
        _machine.Tree.Describe("f a/one 1000\nf b/three 30");
        BackupAgent agent = await _machine.ActivateAsync(_machine.Source + "/a", _machine.Source + "/b");
        Directory.Move(_machine.Source + "/a", _machine.Source + "/renamed");

        JobRecord job = await BackUpAsync(agent);

        JobRecord kept = agent.Jobs.Get(job.Id);
        Assert.Equal((JobState.CompletedWithWarnings, nameof(BackupErrorId.SourceNotFound)), (kept.State, kept.Error!.Id));
        Assert.Contains(_machine.Source + "/a", kept.Error.Message, StringComparison.Ordinal);
        Assert.Equal([JobState.Failed, JobState.Completed], kept.Sources.Select(source => source.State));
    }

    [Fact]
    public async Task A_source_that_has_shrunk_is_measured_anew_before_its_backup_is_refused()
    {
        Assert.SkipUnless(Shell.IsLinuxRoot, "Needs root on Linux to mount.");
        using var machine = new JobsFixture { Limits = PolicyLimits.Mars };
        machine.Tree.Describe("d large");
        MakeSparse(machine.Source + "/large/file", 1L << 30);
        BackupAgent agent = await machine.ActivateAsync(machine.Source + "/large");
        Assert.Equal(JobState.Completed, (await BackUpAsync(agent)).State);
        using MountedFileSystem mounted = MountedFileSystem.InMemory(machine["small"], "16m");
        await agent.Machine.Scratch.MoveAsync(machine["small"], Cancel);
        Assert.Equal(BackupErrorId.ScratchFull, (await FailAsync(() => BackUpAsync(agent))).Id);

        MakeSparse(machine.Source + "/large/file", 1L << 20);

        Assert.Equal(JobState.Completed, (await BackUpAsync(agent)).State);
    }

    [Fact]
    public async Task What_the_scratch_volume_needs_goes_by_the_sources_of_the_job_and_not_by_whatever_was_backed_up_last()
    {
        Assert.SkipUnless(Shell.IsLinuxRoot, "Needs root on Linux to mount.");
        using var machine = new JobsFixture { Limits = PolicyLimits.Mars };
        machine.Tree.Describe("f small/one 1000\nd low\nd large");
        MakeSparse(machine.Source + "/low/file", 1L << 30);
        MakeSparse(machine.Source + "/large/file", 4L << 30);
        BackupAgent agent = await machine.ActivateAsync(machine.Source + "/small");
        using MountedFileSystem mounted = MountedFileSystem.InMemory(machine["small"], "64m");
        await agent.Machine.Scratch.MoveAsync(machine["small"], Cancel);
        Assert.Null((await BackUpAsync(agent)).Warnings);

        agent.Policies.Set(Policy(PolicyKind.Files, machine.Source + "/small", machine.Source + "/low"));
        JobRecord low = await BackUpAsync(agent);
        agent.Policies.Set(Policy(PolicyKind.Files, machine.Source + "/small", machine.Source + "/large"));
        BackupException full = await FailAsync(() => BackUpAsync(agent));

        Assert.Equal((JobState.Completed, "ScratchFull", "SalLowDiskSpace"), (low.State, Assert.Single(low.Warnings!).Id, low.Warnings![0].ErrorCode));
        Assert.Contains("10 %", low.Warnings[0].Message, StringComparison.Ordinal);
        Assert.Equal(BackupErrorId.ScratchFull, full.Id);
    }

    [Fact]
    public async Task A_first_backup_and_one_after_a_stop_say_how_much_there_is_to_do()
    {
        _machine.Fakes["/data"] = new FakeSourceTree("/data").Folder("").File("one", TestKeys.Bytes(1, 300_000)).File("two", [1, 2, 3]);
        BackupAgent agent = await _machine.ActivateAsync("/data");
        using var read = new ManualResetEventSlim();
        _machine.Fakes["/data"]["one"].Reading = _ => read.Wait(Cancel);
        JobSourceStatus? told = null;
        long? total = null;

        // The job reads on when a record with the totals has come.
        JobRecord job = await agent.Jobs.RunAsync(
            new BackupOrder(),
            record =>
            {
                if (record is { State: JobState.InProgress, Sources: [{ TotalBytes: > 0 } source] })
                {
                    (told, total) = (source, source.TotalBytes);
                    read.Set();
                }
            },
            Cancel);

        Assert.Equal((JobState.Completed, 300_003L, 2L), (job.State, total, told!.TotalFiles));
    }

    [Fact]
    public async Task A_history_that_cannot_be_listed_is_an_error_and_no_empty_list()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Makes a link that leads to itself.");
        BackupAgent agent = await _machine.ActivateAsync();
        File.CreateSymbolicLink(Path.Combine(_machine.State, "jobs"), Path.Combine(_machine.State, "jobs"));

        Assert.Equal(BackupErrorId.StateAccessDenied, Assert.Throws<BackupException>(agent.Jobs.List).Id);
        Assert.Equal(BackupErrorId.StateAccessDenied, Assert.Throws<BackupException>(() => agent.Jobs.Running).Id);
    }

    [Fact]
    public async Task What_was_asked_to_be_left_as_it_is_is_no_reason_for_a_warning()
    {
        _machine.Tree.Describe("f a/one 1000\nf a/two 20");
        BackupAgent agent = await _machine.ActivateAsync();
        JobRecord backup = await BackUpAsync(agent);
        await File.WriteAllTextAsync(_machine.Source + "/a/one", "newer", Cancel);
        RecoveryOrder order = Order(backup, _machine.Source + "/a/one") with { Conflict = RestoreConflict.Skip };

        JobRecord job = await agent.Jobs.RunAsync(order, _ => { }, Cancel);

        Assert.Equal((JobState.Completed, JobState.Completed), (job.State, job.Sources[0].State));
        Assert.Equal("newer", await File.ReadAllTextAsync(_machine.Source + "/a/one", Cancel));
    }

    [Fact]
    public async Task A_schedule_runs_when_a_backup_began_within_the_hour_after_its_last_time()
    {
        var clock = new FakeClock();
        using var machine = new JobsFixture { Clock = clock };
        machine.Tree.Describe("f one 1000");
        BackupAgent agent = await machine.ActivateAsync();
        DateTime now = clock.GetUtcNow().UtcDateTime;
        BackupPolicy Scheduled(DateTime at) => Policy(PolicyKind.Files, machine.Source) with
        {
            Schedule = new BackupSchedule([at.DayOfWeek], [new TimeSpan(at.Hour, at.Minute, 0)]),
        };
        Assert.False(agent.Jobs.RunsBySchedule(Scheduled(now)));

        await BackUpAsync(agent);

        Assert.True(agent.Jobs.RunsBySchedule(Scheduled(now)));
        Assert.False(agent.Jobs.RunsBySchedule(Scheduled(now.AddHours(-2))));
        Assert.False(agent.Jobs.RunsBySchedule(Scheduled(now) with { Kind = PolicyKind.SystemState }));
    }

    [Fact]
    public async Task Progress_is_told_while_it_runs_and_at_its_end()
    {
        _machine.Tree.Describe("f one 1000");
        BackupAgent agent = await _machine.ActivateAsync();
        var told = new List<JobRecord>();

        JobRecord job = await agent.Jobs.RunAsync(new BackupOrder(), told.Add, Cancel);

        Assert.Equal((JobState.InProgress, job.Id), (told[0].State, told[0].Id));
        Assert.Equal(job, told[^1]);
        Assert.Null(agent.Jobs.Running);
    }

    [Fact]
    public async Task Only_some_sources_can_be_backed_up_and_the_point_kept_for_longer()
    {
        _machine.Tree.Describe("f a/one 1000\nf b/three 30");
        BackupAgent agent = await _machine.ActivateAsync(_machine.Source + "/a", _machine.Source + "/b");

        JobRecord job = await BackUpAsync(agent, new BackupOrder
        {
            Only = [_machine.Source + "/b"],
            RetainUntil = new DateTimeOffset(2040, 1, 2, 3, 4, 5, TimeSpan.Zero),
        });

        Assert.Equal([_machine.Source + "/b"], job.Sources.Select(source => source.Name));
        IReadOnlyList<string> tags = (await PointAsync(agent, job)).Tags;
        Assert.Contains(tags, tag => tag.StartsWith("retain:files:partial:", StringComparison.Ordinal));
        Assert.Contains("retain:files:asked:2040-01-02T03:04:05Z", tags);
    }

    [Fact]
    public async Task What_cannot_begin_leaves_no_record()
    {
        BackupAgent agent = await _machine.ActivateAsync(MachineName, _machine.State, Passphrase);
        Assert.Equal(BackupErrorId.PolicyNotFound, (await FailAsync(() => BackUpAsync(agent))).Id);
        agent.Policies.Set(Policy(PolicyKind.Files, _machine.Source));

        Assert.Equal(BackupErrorId.ArgumentInvalid, (await FailAsync(() => BackUpAsync(agent, new BackupOrder { Only = ["/elsewhere"] }))).Id);

        Assert.Empty(agent.Jobs.List());
    }

    [Fact]
    public async Task A_missing_source_fails_alone_and_the_others_are_backed_up()
    {
        _machine.Tree.Describe("f a/one 1000");
        BackupAgent agent = await _machine.ActivateAsync(_machine.Source + "/missing", _machine.Source + "/a");

        JobRecord job = await BackUpAsync(agent);

        Assert.Equal(JobState.CompletedWithWarnings, job.State);
        Assert.Equal([JobState.Failed, JobState.Completed], job.Sources.Select(source => source.State));
        Assert.Equal("SourceNotFound", job.Sources[0].Error!.Id);
        Assert.Equal([(_machine.Source + "/missing", BackupErrorId.SourceNotFound)], agent.Jobs.ListSkipped(job.Id).Select(item => (item.Path, item.Id)));
    }

    [Fact]
    public async Task Without_any_source_the_job_fails_and_says_why()
    {
        BackupAgent agent = await _machine.ActivateAsync(_machine.Source + "/missing");

        BackupException failure = await FailAsync(() => BackUpAsync(agent));

        JobRecord job = Assert.Single(agent.Jobs.List());
        Assert.Equal((JobState.Failed, "SourceNotFound", failure.Message), (job.State, job.Error!.Id, job.Error.Message));
        Assert.Equal(JobState.Failed, job.Sources[0].State);
        Assert.Null(job.RecoveryPointId);
    }

    [Fact]
    public async Task What_cannot_be_read_is_listed_with_its_reason()
    {
        _machine.Fakes["/data"] = new FakeSourceTree("/data").Folder("").File("good", [1]).File("secret", [1]);
        _machine.Fakes["/data"]["secret"].RefusesOpen = FakeSourceTree.Unreadable("/data/secret");
        BackupAgent agent = await _machine.ActivateAsync("/data");

        JobRecord job = await BackUpAsync(agent);

        Assert.Equal((JobState.CompletedWithWarnings, JobState.CompletedWithWarnings, 1L), (job.State, job.Sources[0].State, job.Skipped));
        Assert.Equal([new SkippedItem("/data/secret", BackupErrorId.SourceItemUnreadable, "'/data/secret' cannot be read.")], agent.Jobs.ListSkipped(job.Id));
    }

    [Fact]
    public async Task Stopped_before_anything_is_read_it_ends_in_order_without_a_point()
    {
        _machine.Tree.Describe("f one 1000");
        BackupAgent agent = await _machine.ActivateAsync();
        using var gate = new StopGate(_machine);
        _machine.OpeningSource = gate.Pass;

        JobRecord stopped = await gate.StopAsync(agent);

        Assert.Equal((JobState.Aborted, JobState.Aborted, null), (stopped.State, stopped.Sources[0].State, stopped.RecoveryPointId));
        _machine.OpeningSource = () => { };
        Assert.Equal(JobState.Completed, (await BackUpAsync(agent)).State);
        Assert.Single(await (await agent.OpenEngineAsync(Cancel)).ListPointsAsync(null, Cancel));
    }

    [Fact]
    public async Task Stopped_while_it_transfers_it_keeps_what_arrived_and_the_next_run_goes_on_there()
    {
        const int Size = 24 << 20;
        _machine.Fakes["/data"] = new FakeSourceTree("/data").Folder("").File("large", TestKeys.Bytes(1, Size)).File("small", [1, 2, 3]);
        BackupAgent agent = await _machine.ActivateAsync("/data");
        using var gate = new StopGate(_machine);
        _machine.Fakes["/data"]["large"].Reading = offset =>
        {
            if (offset > Size / 2)
            {
                gate.Pass();
            }
        };

        JobRecord stopped = await gate.StopAsync(agent);

        Assert.Equal(JobState.Aborted, stopped.State);
        Assert.InRange(stopped.Sources[0].Bytes, Size / 2, Size - 1);
        Assert.Empty(await (await agent.OpenEngineAsync(Cancel)).ListPointsAsync(null, Cancel));

        _machine.Fakes["/data"]["large"].Reading = null;
        JobRecord next = await BackUpAsync(agent);
        Assert.Equal((JobState.Completed, Size + 3L), (next.State, next.Sources[0].Bytes));
        Assert.InRange(next.Sources[0].ChangedBytes, 1, (Size / 2) + (8 << 20));
    }

    [Fact]
    public async Task A_job_that_has_ended_is_returned_as_it_is_when_stopped_and_an_unknown_one_is_an_error()
    {
        _machine.Tree.Describe("f one 1000");
        BackupAgent agent = await _machine.ActivateAsync();
        JobRecord job = await BackUpAsync(agent);

        Assert.Equal(JobState.Completed, (await agent.Jobs.StopAsync(job.Id, Cancel)).State);
        Assert.Equal(BackupErrorId.JobNotFound, (await FailAsync(() => agent.Jobs.StopAsync(JobHistory.NewId(), Cancel))).Id);
        Assert.Equal(BackupErrorId.JobNotFound, Assert.Throws<BackupException>(() => agent.Jobs.ListSkipped(JobHistory.NewId())).Id);
    }

    [Fact]
    public async Task Of_two_backups_at_once_one_runs()
    {
        _machine.Tree.Describe("f one 1000");
        BackupAgent agent = await _machine.ActivateAsync();
        using var gate = new StopGate(_machine);
        _machine.OpeningSource = gate.Pass;
        BackupException? refused = null;

        await gate.StopAsync(agent, async () => refused = await FailAsync(() => BackUpAsync(_machine.Open())));

        Assert.Equal(BackupErrorId.JobInProgress, refused!.Id);
        Assert.Single(agent.Jobs.List());
    }

    [Fact]
    public async Task Items_are_recovered_into_a_folder_by_their_own_name_and_copies_are_dated()
    {
        _machine.Tree.Describe("f a/deep/one 1000\nf a/two 20");
        BackupAgent agent = await _machine.ActivateAsync();
        JobRecord backup = await BackUpAsync(agent);
        RecoveryOrder order = Order(backup, _machine.Source + "/a/deep", _machine.Source + "/a/two") with { TargetFolder = _machine["target"] };

        JobRecord job = await agent.Jobs.RunAsync(order, _ => { }, Cancel);

        Assert.Equal((JobKind.Recovery, JobState.Completed, backup.RecoveryPointId), (job.Kind, job.State, job.RecoveryPointId));
        Assert.Equal(
            new JobSourceStatus($"{_machine.Source}/a/deep and 1 more", JobState.Completed, 1020, job.Sources[0].ChangedBytes, 1020, 2, 2, 2), job.Sources[0]);
        Assert.Empty(TreeComparer.Compare(_machine.Source + "/a/deep", _machine["target"] + "/deep"));

        // What is the same gets no copy.
        await agent.Jobs.RunAsync(order, _ => { }, Cancel);
        Assert.Empty(Directory.GetFiles(_machine["target"], "*Copy of*", SearchOption.AllDirectories));
        await File.WriteAllTextAsync(_machine["target"] + "/two", "another", Cancel);
        await File.WriteAllTextAsync(_machine["target"] + "/deep/one", "another", Cancel);
        await agent.Jobs.RunAsync(order, _ => { }, Cancel);
        Assert.Single(Directory.GetFiles(_machine["target"], "????-??-?? ??-?? Copy of two"));
        Assert.Single(Directory.GetFiles(_machine["target"] + "/deep", "????-??-?? ??-?? Copy of one"));
    }

    [Fact]
    public async Task Items_of_one_name_go_by_their_full_paths_and_the_job_tells_it()
    {
        _machine.Tree.Describe("f a/one 1000\nf b/one 20\nf b/two 20");
        BackupAgent agent = await _machine.ActivateAsync();
        JobRecord backup = await BackUpAsync(agent);
        RecoveryOrder order = Order(backup, _machine.Source + "/a/one", _machine.Source + "/b/two") with { TargetFolder = _machine["target"] };
        Assert.Null((await agent.Jobs.RunAsync(order, _ => { }, Cancel)).Warnings);

        JobRecord job = await agent.Jobs.RunAsync(order with { Paths = [.. order.Paths, _machine.Source + "/b/one"] }, _ => { }, Cancel);

        JobError warning = Assert.Single(job.Warnings!);
        Assert.Equal((nameof(BackupErrorId.RestoredByFullPath), JobState.Completed), (warning.Id, job.State));
        Assert.Contains(_machine["target"], warning.Message, StringComparison.Ordinal);
        Assert.True(File.Exists(_machine["target"] + _machine.Source + "/b/one"));
    }

    [Fact]
    public async Task Items_come_back_to_where_they_were()
    {
        _machine.Tree.Describe("f a/one 1000 640\nd a/empty 700\nf other 20");
        BackupAgent agent = await _machine.ActivateAsync();
        JobRecord backup = await BackUpAsync(agent);
        Shell.RunChecked("cp", "-a", _machine.Source, _machine["copy"]);
        Directory.Delete(_machine.Source + "/a", recursive: true);

        JobRecord job = await agent.Jobs.RunAsync(Order(backup, _machine.Source + "/a") with { Verify = true }, _ => { }, Cancel);

        Assert.Equal(JobState.Completed, job.State);
        Assert.Empty(TreeComparer.Compare(_machine["copy"] + "/a", _machine.Source + "/a"));
    }

    [Fact]
    public async Task Another_machines_items_need_a_folder_and_its_passphrase()
    {
        _machine.Tree.Describe("f one 1000");
        JobRecord backup = await BackUpAsync(await _machine.ActivateAsync());
        BackupAgent other = await _machine.ActivateAsync("BETA", _machine["beta"], "a different passphrase");
        RecoveryOrder order = Order(backup, _machine.Source + "/one") with { Vault = _machine.Vault, Passphrase = Passphrase };

        Assert.Equal(BackupErrorId.RecoveryOptionMissing, (await FailAsync(() => other.Jobs.RunAsync(order, _ => { }, Cancel))).Id);
        Assert.Equal(
            BackupErrorId.RecoveryOptionMissing,
            (await FailAsync(() => other.Jobs.RunAsync(order with { TargetFolder = _machine["t"], Passphrase = null, Vault = "/other" }, _ => { }, Cancel))).Id);
        Assert.Empty(other.Jobs.List());
        JobRecord job = await other.Jobs.RunAsync(order with { TargetFolder = _machine["target"] }, _ => { }, Cancel);

        Assert.Equal(JobState.Completed, job.State);
        Assert.Equal(1000, new FileInfo(_machine["target"] + "/one").Length);
    }

    [Fact]
    public async Task A_backup_of_another_kind_does_not_hide_how_the_last_of_a_kind_ended()
    {
        _machine.Tree.Describe("f one 1000");
        BackupAgent agent = await _machine.ActivateAsync();
        Assert.Null(agent.Jobs.LastBackup(PolicyKind.Files));
        JobRecord files = await BackUpAsync(agent);
        var history = new JobHistory(new StateFolder(_machine.State), TimeProvider.System);
        JobRecord failed = files with { Id = JobHistory.NewId(), State = JobState.Failed, Started = files.Started.AddHours(1) };
        JobRecord state =
            files with { Id = JobHistory.NewId(), Started = files.Started.AddHours(2), Sources = [files.Sources[0] with { Name = "System State" }] };
        JobRecord recovery = files with { Id = JobHistory.NewId(), Started = files.Started.AddHours(3), Kind = JobKind.Recovery };
        history.Write(failed);
        history.Write(state);
        history.Write(recovery);

        Assert.Equal(failed.Id, agent.Jobs.LastBackup(PolicyKind.Files)!.Id);
        Assert.Equal(state.Id, agent.Jobs.LastBackup(PolicyKind.SystemState)!.Id);
    }

    [Fact]
    public async Task The_state_of_a_Linux_system_is_one_source_and_comes_back_into_a_folder()
    {
        Assert.SkipUnless(Shell.IsLinuxRoot, "Backs up /etc.");
        BackupAgent agent = await _machine.ActivateAsync(MachineName, _machine.State, Passphrase);
        agent.Policies.Set(Policy(PolicyKind.SystemState));

        JobRecord backup = await BackUpAsync(agent, new BackupOrder { Policy = PolicyKind.SystemState });

        JobSourceStatus source = Assert.Single(backup.Sources);
        Assert.Equal("System State", source.Name);
        Assert.Equal((source.Files, source.Bytes), (source.TotalFiles, source.TotalBytes));
        Assert.StartsWith("retain:system-state:", (await PointAsync(agent, backup)).Tags[0], StringComparison.Ordinal);
        string descriptions = _machine.State + "/system-state";
        await agent.Jobs.RunAsync(Order(backup, "/etc/passwd", descriptions) with { TargetFolder = _machine["target"] }, _ => { }, Cancel);
        Assert.Equal(await File.ReadAllBytesAsync("/etc/passwd", Cancel), await File.ReadAllBytesAsync(_machine["target"] + "/passwd", Cancel));
        Assert.Equal(Shell.RunChecked("uname", "-a"), await File.ReadAllTextAsync(_machine["target"] + "/system-state/kernel.txt", Cancel));
    }

    private static void MakeSparse(string path, long length)
    {
        using FileStream file = File.Create(path);
        file.SetLength(length);
    }

    private static RecoveryOrder Order(JobRecord backup, params string[] paths) => new()
    {
        MachineName = MachineName,
        PointId = $"{backup.RecoveryPointId}",
        Paths = paths,
    };

    private static async Task<RecoveryPoint> PointAsync(BackupAgent agent, JobRecord job) =>
        await (await agent.OpenEngineAsync(Cancel)).GetPointAsync($"{job.RecoveryPointId}", null, Cancel);

    /// <summary>Holds a backup at a place until the wish to stop has reached it.</summary>
    private sealed class StopGate(JobsFixture machine) : IDisposable
    {
        private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly ManualResetEventSlim _open = new();
        private int _beats;

        public void Pass()
        {
            _reached.TrySetResult();
            _open.Wait(Cancel);
        }

        /// <summary>Runs a backup to the gate, does something, and stops it as another process would.</summary>
        public async Task<JobRecord> StopAsync(BackupAgent agent, Func<Task>? meanwhile = null)
        {
            Task<JobRecord> job = Task.Run(() => agent.Jobs.RunAsync(new BackupOrder(), _ => Interlocked.Increment(ref _beats), Cancel), Cancel);
            await _reached.Task.WaitAsync(Cancel);
            await (meanwhile?.Invoke() ?? Task.CompletedTask);
            BackupAgent other = machine.Open();
            Guid id = other.Jobs.Running!.Id;
            Task<JobRecord> stopping = other.Jobs.StopAsync(id, Cancel);

            // Two beats after the wish is there, it is heard.
            while (!File.Exists(Path.Combine(machine.State, "jobs", id.ToString(), "stop")))
            {
                await Task.Delay(5, Cancel);
            }

            int seen = Volatile.Read(ref _beats);
            while (Volatile.Read(ref _beats) < seen + 2)
            {
                await Task.Delay(5, Cancel);
            }

            _open.Set();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => job);
            return await stopping;
        }

        public void Dispose() => _open.Dispose();
    }
}
