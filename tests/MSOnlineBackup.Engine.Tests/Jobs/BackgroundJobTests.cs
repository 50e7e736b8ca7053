using System.Diagnostics;
using MSOnlineBackup.Agent;
using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Jobs.JobsFixture;

namespace MSOnlineBackup.Engine.Tests.Jobs;

/// <summary>Jobs in processes of their own: the built program.</summary>
public sealed class BackgroundJobTests : IDisposable
{
    private readonly JobsFixture _machine = new();
    private int _mebibytes = 16;

    public BackgroundJobTests() => Assert.SkipWhen(OperatingSystem.IsWindows(), "Uses signals.");

    public void Dispose() => _machine.Dispose();

    [Fact]
    public async Task A_background_backup_goes_through_in_a_session_of_its_own()
    {
        BackupAgent agent = await ActivateAsync();

        JobRecord begun = await StartPausedAsync(agent);
        Assert.Equal(begun.ProcessId.ToString(), Shell.RunChecked("ps", "-o", "sid=", "-p", $"{begun.ProcessId}").Trim());
        Assert.Equal(begun.Id, agent.Jobs.Running!.Id);
        Continue(begun);
        JobRecord ended = await EndAsync(_machine.Open(), begun.Id);

        Assert.True(ended.State == JobState.Completed, Log(begun));
        Assert.Equal(((long)_mebibytes << 20, 1L), (ended.Sources[0].Bytes, ended.Sources[0].Files));
        Assert.NotNull(await (await agent.OpenEngineAsync(Cancel)).GetPointAsync($"{ended.RecoveryPointId}", MachineName, Cancel));
    }

    [Fact]
    public async Task It_outlives_the_process_that_started_it()
    {
        BackupAgent agent = await ActivateAsync();
        Guid id = JobHistory.NewId();
        Order(id);

        // A shell that starts the program as the agent does, and ends at once; its terminal's signals go to its own group.
        using Process starter = Process.Start(new ProcessStartInfo(
            "/bin/sh", ["-c", $"dotnet '{Obengine.BuiltProgram}' job run {id} --state '{_machine.State}' >'{_machine["log"]}' 2>&1 </dev/null &"]))!;
        await starter.WaitForExitAsync(Cancel);
        JobRecord? begun;
        while ((begun = agent.Jobs.List().FirstOrDefault(job => job.Id == id)) is null)
        {
            await Task.Delay(20, Cancel);
        }

        Assert.True(starter.HasExited);
        Assert.Equal(JobState.Completed, (await EndAsync(agent, begun.Id)).State);
    }

    [Fact]
    public async Task While_one_runs_a_second_is_refused_and_a_killed_one_is_lost_and_blocks_nobody()
    {
        BackupAgent agent = await ActivateAsync();
        JobRecord begun = await StartPausedAsync(agent);

        BackupException inBackground = await FailAsync(() => agent.Jobs.StartAsync(new BackupOrder(), Cancel));
        BackupException inForeground = await FailAsync(() => BackUpAsync(agent));
        Assert.All([inBackground, inForeground], refused =>
        {
            Assert.Equal(BackupErrorId.JobInProgress, refused.Id);
            Assert.Contains($"{begun.Id} of process {begun.ProcessId}", refused.Message, StringComparison.Ordinal);
        });

        using (Process process = Process.GetProcessById(begun.ProcessId))
        {
            process.Kill();
            await process.WaitForExitAsync(Cancel);
        }

        JobRecord lost = agent.Jobs.Get(begun.Id);
        Assert.Equal((JobState.Failed, "JobLost"), (lost.State, lost.Error!.Id));
        Assert.Equal(JobState.Completed, (await BackUpAsync(agent)).State);
    }

    [Fact]
    public async Task Of_several_starts_at_once_exactly_one_runs()
    {
        BackupAgent agent = await ActivateAsync();

        Task<JobRecord>[] starts = [.. Enumerable.Range(0, 3).Select(_ => Task.Run(() => _machine.Open().Jobs.StartAsync(new BackupOrder(), Cancel)))];
        var begun = new List<JobRecord>();
        foreach (Task<JobRecord> start in starts)
        {
            try
            {
                begun.Add(await start);
            }
            catch (BackupException refused)
            {
                Assert.Equal(BackupErrorId.JobInProgress, refused.Id);
            }
        }

        JobRecord ran = Assert.Single(begun);
        Assert.Equal(JobState.Completed, (await EndAsync(agent, ran.Id)).State);
        Assert.All(agent.Jobs.List().Where(job => job.Id != ran.Id), job => Assert.Equal("JobInProgress", job.Error!.Id));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task It_is_stopped_in_order_by_a_wish_and_by_a_signal(bool bySignal)
    {
        BackupAgent agent = await ActivateAsync();
        JobRecord begun = await StartPausedAsync(agent);
        Task<JobRecord> stopping;
        if (bySignal)
        {
            Shell.RunChecked("kill", "-TERM", $"{begun.ProcessId}");
            stopping = EndAsync(agent, begun.Id);
        }
        else
        {
            stopping = agent.Jobs.StopAsync(begun.Id, Cancel);
        }

        Continue(begun);
        JobRecord ended = await stopping;

        // Where the wish came too late the backup is whole; it is never neither.
        Assert.True(ended.State is JobState.Aborted or JobState.Completed, Log(begun));
        Assert.Equal(ended.State == JobState.Completed, ended.RecoveryPointId is not null);
        Assert.Equal(JobState.Completed, (await BackUpAsync(agent)).State);
    }

    [Fact]
    public async Task The_passphrase_of_a_background_recovery_is_handed_over_and_never_on_disk()
    {
        _machine.Tree.Describe("f one 1000");
        BackupAgent agent = await _machine.ActivateAsync();
        JobRecord backup = await BackUpAsync(agent);
        BackupAgent other = await _machine.ActivateAsync("BETA", _machine["beta"], "a different passphrase");

        JobRecord begun = await other.Jobs.StartAsync(
            new RecoveryOrder
            {
                Vault = _machine.Vault,
                MachineName = MachineName,
                PointId = $"{backup.RecoveryPointId}",
                Paths = [_machine.Source + "/one"],
                TargetFolder = _machine["target"],
                Passphrase = Passphrase,
            },
            Cancel);
        JobRecord ended = await EndAsync(other, begun.Id);

        Assert.Equal((JobKind.Recovery, JobState.Completed), (ended.Kind, ended.State));
        Assert.Equal(1000, new FileInfo(_machine["target"] + "/one").Length);
        Assert.All(
            Directory.GetFiles(_machine["beta"] + "/jobs", "*", SearchOption.AllDirectories),
            file => Assert.DoesNotContain(Passphrase, File.ReadAllText(file), StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_failure_is_in_the_record_for_there_is_nobody_to_tell()
    {
        BackupAgent agent = await _machine.ActivateAsync(_machine.Source + "/missing");

        JobRecord begun = await agent.Jobs.StartAsync(new BackupOrder(), Cancel);
        JobRecord ended = await EndAsync(agent, begun.Id);

        Assert.Equal((JobState.Failed, "SourceNotFound"), (ended.State, ended.Error!.Id));
    }

    [Theory]
    [InlineData("/nowhere/obengine")]
    [InlineData("/bin/false")]
    public async Task Without_the_program_nothing_begins(string program)
    {
        using var machine = new JobsFixture { JobHost = program };
        machine.Tree.Describe("f one 1000");
        BackupAgent agent = await machine.ActivateAsync();

        BackupException failure = await FailAsync(() => agent.Jobs.StartAsync(new BackupOrder(), Cancel));

        Assert.Equal(BackupErrorId.JobHostMissing, failure.Id);
        Assert.Contains(program, failure.Message, StringComparison.Ordinal);
        Assert.Empty(agent.Jobs.List());
    }

    [Fact]
    public async Task An_order_is_carried_out_once()
    {
        BackupAgent agent = await ActivateAsync();
        JobRecord job = await BackUpAsync(agent);

        foreach (Guid id in (Guid[])[job.Id, JobHistory.NewId()])
        {
            BackupException refused = await FailAsync(() => agent.Jobs.RunStartedAsync(id, _ => Task.FromResult<string?>(null), Cancel));
            Assert.Equal(BackupErrorId.JobNotFound, refused.Id);
        }
    }

    private Task<BackupAgent> ActivateAsync()
    {
        _machine.Tree.File("large", _mebibytes << 20);
        return _machine.ActivateAsync();
    }

    // Stopped in its midst: one that is over before is followed by one that has twice as much to do.
    private async Task<JobRecord> StartPausedAsync(BackupAgent agent)
    {
        while (true)
        {
            JobRecord begun = await agent.Jobs.StartAsync(new BackupOrder(), Cancel);
            await Shell.HoldAsync(begun.ProcessId);
            if (agent.Jobs.Get(begun.Id).State == JobState.InProgress)
            {
                return begun;
            }

            Shell.Run("kill", "-CONT", $"{begun.ProcessId}");
            _mebibytes *= 2;
            _machine.Tree.File("large", _mebibytes << 20, seed: _mebibytes);
        }
    }

    private void Order(Guid id)
    {
        string folder = Directory.CreateDirectory(Path.Combine(_machine.State, "jobs", id.ToString())).FullName;
        File.WriteAllText(Path.Combine(folder, "order.json"), """{"version":3,"limits":"Open","machineName":"ALPHA","secrets":[],"order":{"kind":"backup","policy":"Files","only":[]}}""");
    }

    private static void Continue(JobRecord job) => Shell.RunChecked("kill", "-CONT", $"{job.ProcessId}");

    private string Log(JobRecord job) => File.ReadAllText(Path.Combine(_machine.State, "jobs", job.Id.ToString(), "log.txt"));
}
