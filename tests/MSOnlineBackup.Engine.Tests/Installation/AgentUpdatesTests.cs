using MSOnlineBackup.Agent;
using MSOnlineBackup.Agent.Installation;
using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Schedules;
using MSOnlineBackup.Engine.Tests.Health;
using MSOnlineBackup.Engine.Tests.Jobs;
using MSOnlineBackup.Engine.Tests.Schedules;
using MSOnlineBackup.Vaults.Errors;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Installation;

public sealed class AgentUpdatesTests : IDisposable
{
    private const string Task = "msonlinebackup-files";

    private readonly ModuleFixture _module = new(isSideBySide: true);
    private readonly FakeScheduler _scheduler = new();
    private readonly JobsFixture _machine;

    public AgentUpdatesTests() => _machine = new JobsFixture { Scheduler = _scheduler, ScheduleProgram = [Shell, "-File", Script("1.2.3")] };

    private static string Shell => Environment.ProcessPath!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private ScheduledTask? Scheduled => _scheduler.Tasks.Values.SingleOrDefault(task => task.Name.StartsWith(Task, StringComparison.Ordinal));

    public void Dispose()
    {
        _machine.Dispose();
        _module.Dispose();
    }

    [Fact]
    public async Task The_next_backup_is_incremental_and_scheduled_by_the_new_version()
    {
        BackupAgent agent = await PrepareAsync();
        _machine.Tree.File("file", 100_000);
        await JobsFixture.BackUpAsync(agent);

        AgentUpdate update = await UpdateAsync(agent, "1.2.4");
        JobRecord job = await JobsFixture.BackUpAsync(_machine.Open());

        Assert.Equal([PolicyKind.Files], update.Schedules);
        Assert.Null(update.Unscheduled);
        Assert.Contains(Script("1.2.4"), Scheduled!.Command);
        Assert.Equal(JobState.Completed, job.State);
        Assert.Equal(0, job.NewBytes);

        // Also in a session that has the version before: it registers what is used now.
        Assert.Equal(ScheduleRegistration.Registered, (await _machine.Open().Schedules.FindAsync(PolicyKind.Files, Cancel)).Registration);
    }

    [Fact]
    public async Task Going_back_takes_schedules_along()
    {
        BackupAgent agent = await PrepareAsync();
        await UpdateAsync(agent, "1.2.4");

        AgentUpdate update = await agent.Updates.RollBackAsync(_module.Folder, Cancel);

        Assert.Equal([PolicyKind.Files], update.Schedules);
        Assert.Contains(Script("1.2.3"), Scheduled!.Command);
        Assert.Equal("1.2.3", await _module.ReadAsync());
    }

    [Fact]
    public async Task Nothing_is_changed_while_a_job_runs_and_no_job_begins_meanwhile()
    {
        BackupAgent agent = await PrepareAsync();
        using (await agent.Jobs.LockAsync(Cancel))
        {
            Assert.Equal(BackupErrorId.JobInProgress, (await Assert.ThrowsAsync<BackupException>(() => UpdateAsync(_machine.Open(), "1.2.4"))).Id);
        }

        Assert.Equal(["1.2.3"], _module.Names);
        bool wasRefused = false;
        agent = Open(step =>
        {
            if (step == "place")
            {
                Task<BackupException> backup = Assert.ThrowsAsync<BackupException>(() => JobsFixture.BackUpAsync(_machine.Open()));
#pragma warning disable VSTHRD002 // Between two steps of an update, which knows no waiting.
                wasRefused = backup.GetAwaiter().GetResult().Id == BackupErrorId.JobInProgress;
#pragma warning restore VSTHRD002
            }
        });
        await UpdateAsync(agent, "1.2.4");
        Assert.True(wasRefused);
    }

    // A schedule names a version that is there, whenever an update or a step back ends.
    [Fact]
    public async Task Whatever_ends_it_the_schedule_names_a_version_that_is_whole()
    {
        for (int kill = 0; ; kill++)
        {
            _scheduler.Tasks.Clear();
            Directory.Delete(_module.Root, recursive: true);
            HealthFixture.MakeModule(_module.Folder);
            BackupAgent agent = Directory.Exists(_machine.State) ? _machine.Open() : await PrepareAsync();
            await agent.Schedules.AlignAsync(PolicyKind.Files, Cancel);
            int passed = 0;
            bool isKilled = false;
            try
            {
                agent = Open(step =>
                {
                    if (passed++ == kill)
                    {
                        throw new KilledException();
                    }
                });
                await UpdateAsync(agent, "1.2.4");
                await agent.Updates.RollBackAsync(_module.InUse, Cancel);
            }
            catch (KilledException)
            {
                isKilled = true;
            }

            Assert.True(File.Exists(Scheduled!.Command[2]), Scheduled.Command[2]);
            await _module.ReadAsync();
            if (!isKilled)
            {
                break;
            }
        }
    }

    [Fact]
    public async Task Where_the_scheduler_refuses_the_version_that_it_names_stays()
    {
        BackupAgent agent = await PrepareAsync();
        _scheduler.Refuses = new BackupException(BackupErrorId.ScheduleNotRegistered, "No.", "Wait.", "");
        AgentUpdate update = await UpdateAsync(agent, "1.2.4");
        Assert.Equal(BackupErrorId.ScheduleNotRegistered, update.Unscheduled!.Id);
        _scheduler.Refuses = null;
        await _machine.Open().Schedules.AlignAsync(PolicyKind.Files, Cancel);
        _scheduler.Refuses = new BackupException(BackupErrorId.ScheduleNotRegistered, "No.", "Wait.", "");

        Assert.Equal(BackupErrorId.ScheduleNotRegistered, (await Assert.ThrowsAsync<BackupException>(() => _machine.Open().Updates.RollBackAsync(_module.InUse, Cancel))).Id);

        Assert.Equal("1.2.4", await _module.ReadAsync());
        Assert.True(File.Exists(Scheduled!.Command[2]));
    }

    [Fact]
    public async Task A_schedule_that_was_switched_off_stays_so()
    {
        BackupAgent agent = await PrepareAsync();
        _scheduler.IsEnabled = false;

        Assert.Empty((await UpdateAsync(agent, "1.2.4")).Schedules);
        Assert.False(_scheduler.IsEnabled);
    }

    [Fact]
    public async Task A_schedule_of_a_version_that_is_gone_is_found()
    {
        BackupAgent agent = await PrepareAsync();
        HealthFixture.MakeModule(_module.FolderOf("1.2.4"), "1.2.4");
        await File.WriteAllTextAsync(Script("1.2.4"), "", Cancel);
        Assert.Contains("was changed", (await FindingAsync(agent)).Cause, StringComparison.Ordinal);
        Directory.Delete(_module.Folder, recursive: true);

        ScheduleFinding finding = await FindingAsync(_machine.Open());
        Assert.Equal(ScheduleVerdict.Fail, finding.Verdict);
        Assert.Contains("version 1.2.3 of the module, which is not there", finding.Cause, StringComparison.Ordinal);
        await _machine.Open().Schedules.AlignAsync(PolicyKind.Files, Cancel);
        Assert.Equal(ScheduleVerdict.Pass, (await FindingAsync(_machine.Open())).Verdict);
    }

    [Fact]
    public async Task A_machine_that_is_not_set_up_gets_no_state_by_an_update()
    {
        await UpdateAsync(_machine.Open(), "1.2.4");

        Assert.Equal("1.2.4", await _module.ReadAsync());
        Assert.False(Directory.Exists(_machine.State));
    }

    private static async Task<ScheduleFinding> FindingAsync(BackupAgent agent) => Assert.Single(
        await agent.Schedules.TestAsync(Cancel), finding => finding is { Policy: PolicyKind.Files, Check: ScheduleCheck.Registered });

    private string Script(string version) => Path.Combine(_module.FolderOf(version), "module", "bin", "One.dll");

    private async Task<BackupAgent> PrepareAsync()
    {
        _machine.Tree.File("small", 1000);
        BackupAgent agent = await _machine.ActivateAsync();
        await agent.Schedules.AlignAsync(PolicyKind.Files, Cancel);
        Assert.Contains(Script("1.2.3"), Scheduled!.Command);
        return agent;
    }

    private BackupAgent Open(Action<string> step) => BackupAgent.Open(_machine.Options() with { UpdateStep = step });

    private async Task<AgentUpdate> UpdateAsync(BackupAgent agent, string version)
    {
        using ModulePackage package = await _module.PackAsync(version);
        return await agent.Updates.UpdateAsync(_module.InUse, package, allowDowngrade: false, Cancel);
    }

    private sealed class KilledException : Exception;
}
