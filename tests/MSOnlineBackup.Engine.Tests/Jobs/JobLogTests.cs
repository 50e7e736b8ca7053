using MSOnlineBackup.Agent;
using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.VirtualMachines.GuestAgent;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Jobs;

/// <summary>The log of a job: what it tells, for how long, and never a secret.</summary>
public sealed class JobLogTests : IDisposable
{
    private const string ProxyPassword = "the proxy's own secret";

    private readonly JobsFixture _machine = new();
    private readonly TempFolder _folder = new();

    public void Dispose()
    {
        _machine.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_backup_tells_what_it_goes_by_its_phases_and_what_it_did()
    {
        BackupAgent agent = await _machine.ActivateAsync();
        _machine.Tree.File("a", "content"u8);

        JobRecord job = await JobsFixture.BackUpAsync(agent, new BackupOrder { Compression = Compression.Better });

        IReadOnlyList<JobLogEntry> log = agent.Jobs.ReadLog(job.Id);
        Assert.Equal([JobLogEvent.Started, JobLogEvent.Ended], [log[0].Event, log[^1].Event]);
        Assert.Equal(["Initializing", "Transferring", "Committing", "Finished"], log.Where(entry => entry.Event == JobLogEvent.Phase).Select(entry => entry.Message));
        IReadOnlyDictionary<string, string> settings = log[0].Settings!;
        Assert.Equal(
            ("backup", "Files", "Better", "Auto", "Open", JobsFixture.MachineName, _machine.Vault),
            (settings["order.kind"], settings["order.policy"], settings["order.compression"], settings["snapshots"], settings["profile"], settings["machine"], settings["vault"]));
        IReadOnlyDictionary<string, long> figures = log[^1].Figures!;
        Assert.Equal((1, 7, job.NewBytes, job.StoredBytes), (figures["files"], figures["bytes"], figures["newBytes"], figures["storedBytes"]));
        Assert.Equal(job.Traffic!.Value.Writes, figures["vaultWrites"]);
        Assert.All(log, entry => Assert.InRange(entry.Time, job.Started, job.Ended!.Value.AddMinutes(1)));
    }

    [Fact]
    public async Task What_it_met_is_told_with_its_path_and_id()
    {
        BackupAgent agent = await _machine.ActivateAsync(_machine.Source, _machine["missing"]);
        _machine.Tree.File("a", "content"u8);

        JobRecord job = await JobsFixture.BackUpAsync(agent);

        JobLogEntry lost = Assert.Single(agent.Jobs.ReadLog(job.Id), entry => entry.Event == JobLogEvent.Source);
        Assert.Equal((JobLogLevel.Error, _machine["missing"], nameof(BackupErrorId.SourceNotFound)), (lost.Level, lost.Path, lost.Id));
        JobLogEntry end = agent.Jobs.ReadLog(job.Id)[^1];
        Assert.Equal((JobLogLevel.Warning, nameof(BackupErrorId.SourceNotFound)), (end.Level, end.Id));
    }

    [Fact]
    public async Task A_failure_ends_it_with_its_id_and_what_to_do()
    {
        BackupAgent agent = await _machine.ActivateAsync();
        Directory.Move(_machine.Vault, _machine["elsewhere"]);

        await JobsFixture.FailAsync(() => JobsFixture.BackUpAsync(agent));

        JobLogEntry end = agent.Jobs.ReadLog(agent.Jobs.List()[^1].Id)[^1];
        Assert.Equal((JobLogEvent.Ended, JobLogLevel.Error, nameof(BackupErrorId.VaultNotFound)), (end.Event, end.Level, end.Id));
        Assert.NotEmpty(end.Action!);
    }

    [Fact]
    public async Task A_call_that_is_tried_again_is_told()
    {
        await _machine.ActivateAsync();
        _machine.Tree.File("a", "content"u8);
        var faulty = new List<bool> { true };
        BackupAgent agent = BackupAgent.Open(new AgentOptions
        {
            StateFolder = _machine.State,
            MachineName = JobsFixture.MachineName,
            OpenVault = (location, connection) => new ResilientVaultStore(
                new FailingOnce(new FolderVaultStore(location), faulty), new VaultRetryOptions { FirstWait = TimeSpan.FromMilliseconds(1), Waiting = connection.Waiting }),
            CreateVault = (location, _) => FolderVaultStore.Create(location),
            Limits = PolicyLimits.Open,
            Engine = new VaultOptions { KeyDerivationIterations = 1000 },
        });

        JobRecord job = await JobsFixture.BackUpAsync(agent);

        JobLogEntry retry = Assert.Single(agent.Jobs.ReadLog(job.Id), entry => entry.Event == JobLogEvent.Retry);
        Assert.Equal((JobLogLevel.Warning, nameof(BackupErrorId.VaultUnreachable)), (retry.Level, retry.Id));
        Assert.Equal(1, agent.Jobs.ReadLog(job.Id)[^1].Figures!["retries"]);
    }

    [Fact]
    public async Task No_secret_of_the_machine_or_of_an_order_is_in_it()
    {
        BackupAgent agent = await _machine.ActivateAsync();
        _machine.Tree.File("a", "content"u8);
        agent.Machine.Update(settings => settings with { Proxy = new ProxySetting("proxy.example.org", 3128, "somebody", ProxyPassword) });
        JobRecord backup = await JobsFixture.BackUpAsync(agent);
        var order = new RecoveryOrder
        {
            Vault = new VaultAddress(_machine.Vault),
            MachineName = JobsFixture.MachineName,
            PointId = backup.RecoveryPointId!.Value.ToString(),
            Paths = [],
            TargetFolder = _machine["target"],
            Passphrase = JobsFixture.Passphrase,
        };

        JobRecord recovery = await agent.Jobs.RunAsync(order, _ => { }, JobsFixture.Cancel);

        foreach (JobRecord job in new[] { backup, recovery })
        {
            string file = await File.ReadAllTextAsync(Path.Combine(_machine.State, "jobs", job.Id.ToString(), JobLog.FileName), JobsFixture.Cancel);
            Assert.Contains("proxy.example.org:3128", file, StringComparison.Ordinal);
            Assert.DoesNotContain(ProxyPassword, file, StringComparison.Ordinal);
            Assert.DoesNotContain(JobsFixture.Passphrase, file, StringComparison.Ordinal);
        }

        Assert.Equal(_machine["target"], agent.Jobs.ReadLog(recovery.Id)[0].Settings!["order.targetFolder"]);
    }

    [Fact]
    public void What_stands_in_a_vaults_address_beside_its_place_is_left_out()
    {
        BackupAgent agent = _machine.Open();
        var machine = new JobMachine(agent.Machine, null!, agent.Policies, null!, new StateFolder(_machine.State), PolicyLimits.Open, "ALPHA", TimeProvider.System)
        {
            Copies = agent.Copies, OpenMachine = _machine.Options().OpenMachine, Freezer = new FreezeChild(["nothing"], TimeProvider.System),
        };
        var order = new RecoveryOrder { Vault = "https://me:pass@acct.blob.core.windows.net/vault?sig=abc", MachineName = "B", PointId = "1", Paths = ["/a", "/b"] };

        IReadOnlyDictionary<string, string> settings = JobLogSettings.Of(order, machine);

        Assert.Equal(("https://acct.blob.core.windows.net/vault", "/a, /b"), (settings["order.vault"], settings["order.paths"]));
    }

    [Fact]
    public async Task A_job_whose_process_was_killed_has_what_it_knew_and_its_end_from_the_next()
    {
        BackupAgent agent = await _machine.ActivateAsync();
        var history = new JobHistory(new StateFolder(_machine.State), TimeProvider.System);
        Guid id = JobHistory.NewId();
        history.Write(new JobRecord { Id = id, Kind = JobKind.Backup, State = JobState.InProgress, Started = DateTimeOffset.UtcNow, Heartbeat = DateTimeOffset.UtcNow, ProcessId = 1 });
        using (JobLog log = history.OpenLog(id))
        {
            log.Write(Entry(JobLogEvent.Phase, "Transferring"));
        }

        await File.AppendAllTextAsync(history.FileOf(id, JobLog.FileName), "{\"time\":\"cut", JobsFixture.Cancel);

        Assert.Equal("Transferring", Assert.Single(history.ReadLog(id)).Message);
        Assert.Equal(JobState.Failed, agent.Jobs.Get(id).State);
        JobLogEntry end = agent.Jobs.ReadLog(id)[^1];
        Assert.Equal((JobLogEvent.Ended, nameof(BackupErrorId.JobLost)), (end.Event, end.Id));
    }

    [Fact]
    public async Task A_backup_that_was_not_begun_has_a_log_too()
    {
        BackupAgent agent = await _machine.ActivateAsync();

        await agent.Jobs.RecordSkippedAsync(JobsFixture.Policy(PolicyKind.Files, "/a"), DateTimeOffset.UtcNow, new BackupException(BackupErrorId.ScheduleMissed, "Missed.", "Nothing."), tells: false);

        JobLogEntry end = Assert.Single(agent.Jobs.ReadLog(agent.Jobs.List()[^1].Id));
        Assert.Equal((JobLogEvent.Ended, JobLogLevel.Warning, nameof(BackupErrorId.ScheduleMissed)), (end.Event, end.Level, end.Id));
    }

    [Fact]
    public void It_is_of_bounded_length_and_the_end_finds_room()
    {
        string path = _folder["log.jsonl"];
        using (var log = new JobLog(path, TimeProvider.System))
        {
            for (int i = 0; i < 20_000; i++)
            {
                log.Write(Entry(JobLogEvent.Skipped, new string('x', i % 5000)));
            }

            log.Write(Entry(JobLogEvent.Ended, new string('y', 100_000)));
            Assert.Null(log.Failure);
        }

        Assert.InRange(new FileInfo(path).Length, JobLog.MaxLength / 2, JobLog.MaxLength);
        string[] lines = File.ReadAllLines(path);
        Assert.Single(lines, line => JobLogEntry.TryParse(line)!.Event == JobLogEvent.Full);
        Assert.Equal(JobLogEvent.Ended, JobLogEntry.TryParse(lines[^1])!.Event);
    }

    [Fact]
    public async Task A_log_that_cannot_be_written_is_a_warning_and_no_failure()
    {
        BackupAgent agent = await _machine.ActivateAsync();
        _machine.Tree.File("a", "content"u8);
        _machine.OpeningSource = () => { };
        var history = new JobHistory(new StateFolder(_machine.State), TimeProvider.System);
        Guid id = JobHistory.NewId();
        Directory.CreateDirectory(history.FileOf(id, JobLog.FileName));

        using var runner = new JobReporter(history.OpenLog(id), []);
        runner.Skipped(new SkippedItem("/a", BackupErrorId.SourceItemUnreadable, "why"));
        IReadOnlyList<BackupException> untold = runner.Ended(new JobRecord
        {
            Id = id, Kind = JobKind.Backup, State = JobState.Completed, Started = DateTimeOffset.UtcNow, Heartbeat = DateTimeOffset.UtcNow, ProcessId = 1,
        });

        Assert.Equal(BackupErrorId.JobLogIncomplete, Assert.Single(untold).Id);
    }

    [Fact]
    public async Task It_goes_with_the_record_of_its_job()
    {
        BackupAgent agent = await _machine.ActivateAsync();
        _machine.Tree.File("a", "content"u8);
        JobRecord first = await JobsFixture.BackUpAsync(agent);
        string log = Path.Combine(_machine.State, "jobs", first.Id.ToString(), JobLog.FileName);
        Assert.True(File.Exists(log));
        await JobsFixture.BackUpAsync(agent);

        new JobHistory(new StateFolder(_machine.State), TimeProvider.System).Trim(keep: 1);

        Assert.False(File.Exists(log));
    }

    private static JobLogEntry Entry(JobLogEvent kind, string message) => new() { Time = default, Level = JobLogLevel.Info, Event = kind, Message = message };

    /// <summary>Fails the first listing, as a network does.</summary>
    private sealed class FailingOnce(IVaultStore inner, List<bool> once) : IVaultStore
    {
        public string Location => inner.Location;

        public VaultStoreCapabilities Capabilities => inner.Capabilities;

        public ValueTask<bool> TryCreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken, VaultAccessTier tier = VaultAccessTier.Hot)
        {
            if (once.Count > 0)
            {
                once.Clear();
                throw new BackupException(BackupErrorId.VaultUnreachable, "The network is away.", "Wait.", transient: true);
            }

            return inner.TryCreateAsync(name, content, cancellationToken, tier);
        }

        public ValueTask<int> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
            inner.ReadAsync(name, offset, destination, cancellationToken);

        public ValueTask<StoredObject?> StatAsync(string name, CancellationToken cancellationToken) => inner.StatAsync(name, cancellationToken);

        public IAsyncEnumerable<StoredObject> ListAsync(string prefix, CancellationToken cancellationToken) => inner.ListAsync(prefix, cancellationToken);

        public ValueTask DeleteAsync(string name, CancellationToken cancellationToken) => inner.DeleteAsync(name, cancellationToken);
    }
}
