using System.Diagnostics;
using MSOnlineBackup.Agent;
using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Reports;
using MSOnlineBackup.Engine.Tests.Jobs;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Reports;

/// <summary>The file of figures for Prometheus.</summary>
public sealed class MetricsReportTests : IDisposable
{
    private const string Of = $"machine=\"{JobsFixture.MachineName}\",policy=\"files\"";

    private readonly JobsFixture _machine = new();

    private string FilePath => _machine["metrics/ob.prom"];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _machine.Dispose();

    [Fact]
    public async Task After_a_backup_it_has_the_figures_of_the_jobs_record()
    {
        BackupAgent agent = await ActivateAsync();
        _machine.Tree.File("a", "content"u8).File("b", "more"u8);
        await JobsFixture.BackUpAsync(agent);
        _machine.Tree.File("b", "changed"u8);

        JobRecord job = await JobsFixture.BackUpAsync(agent);

        ExpositionFormat figures = Read();
        long changed = job.Sources[0].ChangedFiles;
        Assert.Equal((2, 2, changed, 2 - changed), (
            figures[$"msonlinebackup_backup_status{{{Of}}}"],
            figures[$"msonlinebackup_backup_files_processed{{{Of}}}"],
            figures[$"msonlinebackup_backup_files_changed{{{Of}}}"],
            figures[$"msonlinebackup_backup_files_unmodified{{{Of}}}"]));
        Assert.Equal((job.NewBytes, job.StoredBytes), ((long)figures[$"msonlinebackup_backup_data_added_bytes{{{Of}}}"], (long)figures[$"msonlinebackup_backup_data_stored_bytes{{{Of}}}"]));
        Assert.Equal(job.Ended!.Value.ToUnixTimeMilliseconds() / 1000.0, figures[$"msonlinebackup_backup_timestamp_seconds{{{Of}}}"]);
        Assert.Equal(figures[$"msonlinebackup_backup_timestamp_seconds{{{Of}}}"], figures[$"msonlinebackup_backup_success_timestamp_seconds{{{Of}}}"]);
        Assert.Equal(job.Traffic!.Value.Writes, figures[$"msonlinebackup_backup_vault_requests{{{Of},operation=\"write\"}}"]);
        Assert.Equal(14, figures[$"msonlinebackup_source_bytes{{{Of},source=\"{_machine.Source}\"}}"]);
    }

    [Fact]
    public async Task A_failure_is_0_and_the_last_success_stays()
    {
        BackupAgent agent = await ActivateAsync();
        _machine.Tree.File("a", "content"u8);
        JobRecord good = await JobsFixture.BackUpAsync(agent);
        Directory.Move(_machine.Vault, _machine["elsewhere"]);

        await JobsFixture.FailAsync(() => JobsFixture.BackUpAsync(agent));

        ExpositionFormat figures = Read();
        Assert.Equal(0, figures[$"msonlinebackup_backup_status{{{Of}}}"]);
        Assert.Equal(good.Ended!.Value.ToUnixTimeMilliseconds() / 1000.0, figures[$"msonlinebackup_backup_success_timestamp_seconds{{{Of}}}"]);
        Assert.True(figures[$"msonlinebackup_backup_timestamp_seconds{{{Of}}}"] >= figures[$"msonlinebackup_backup_success_timestamp_seconds{{{Of}}}"]);
    }

    [Fact]
    public async Task A_source_that_was_lost_is_told_by_its_name()
    {
        BackupAgent agent = await ActivateAsync(_machine.Source, _machine["missing"]);
        _machine.Tree.File("a", "content"u8);

        await JobsFixture.BackUpAsync(agent);

        ExpositionFormat figures = Read();
        Assert.Equal(
            (1, 2, 0),
            (figures[$"msonlinebackup_backup_status{{{Of}}}"],
                figures[$"msonlinebackup_source_status{{{Of},source=\"{_machine.Source}\"}}"],
                figures[$"msonlinebackup_source_status{{{Of},source=\"{_machine["missing"]}\"}}"]));
    }

    [Fact]
    public async Task A_backup_that_was_missed_is_told_beside_the_last_one()
    {
        BackupAgent agent = await ActivateAsync();
        _machine.Tree.File("a", "content"u8);
        await JobsFixture.BackUpAsync(agent);
        DateTimeOffset due = DateTimeOffset.UtcNow;

        await agent.Jobs.RecordSkippedAsync(JobsFixture.Policy(PolicyKind.Files, _machine.Source), due, new BackupException(BackupErrorId.ScheduleMissed, "Missed.", "Nothing."), tells: false);

        Assert.Equal((2, due.ToUnixTimeMilliseconds() / 1000.0), (Read()[$"msonlinebackup_backup_status{{{Of}}}"], Read()[$"msonlinebackup_backup_missed_timestamp_seconds{{{Of}}}"]));
    }

    [Fact]
    public async Task The_vault_is_asked_nothing_for_it()
    {
        var asked = new List<MeteredVaultStore>();
        _machine.Between = store =>
        {
            asked.Add(new MeteredVaultStore(store));
            return asked[^1];
        };
        BackupAgent agent = await ActivateAsync();
        _machine.Tree.File("a", "content"u8);
        JobRecord job = await JobsFixture.BackUpAsync(agent);
        (int opened, VaultTraffic before) = (asked.Count, Sum());
        File.Delete(FilePath);

        new MetricsReport(agent.Machine, agent.Jobs.List).Ended(job);

        Assert.True(File.Exists(FilePath));
        Assert.True(before.Writes > 0);
        Assert.Equal((opened, before), (asked.Count, Sum()));

        VaultTraffic Sum() => asked.Aggregate(default(VaultTraffic), (sum, store) => sum + store.Traffic!.Value);
    }

    [Fact]
    public async Task Others_can_read_it_and_nothing_else_is_left_in_its_folder()
    {
        BackupAgent agent = await ActivateAsync();

        await JobsFixture.BackUpAsync(agent);

        Assert.Equal([FilePath], Directory.GetFiles(_machine["metrics"]));
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead, File.GetUnixFileMode(FilePath));
        }
    }

    [Fact]
    public async Task Where_it_cannot_be_written_the_job_warns_and_the_old_one_stays()
    {
        BackupAgent agent = await ActivateAsync();
        _machine.Tree.File("a", "content"u8);
        await JobsFixture.BackUpAsync(agent);
        byte[] old = await File.ReadAllBytesAsync(FilePath, Cancel);
        Directory.CreateDirectory(FilePath + ".new/in the way");

        JobRecord job = await JobsFixture.BackUpAsync(agent);

        Assert.Equal(JobState.Completed, job.State);
        Assert.Equal(nameof(BackupErrorId.MetricsFileUnwritable), Assert.Single(agent.Jobs.Get(job.Id).Warnings!).Id);
        Assert.Equal(old, await File.ReadAllBytesAsync(FilePath, Cancel));
    }

    [Theory]
    [InlineData("metrics.txt")]
    [InlineData("relative.prom")]
    public async Task A_file_that_no_collector_reads_is_refused(string name)
    {
        BackupAgent agent = await ActivateAsync();
        string path = name.EndsWith(".txt", StringComparison.Ordinal) ? _machine[name] : name;

        BackupException failure = Assert.Throws<BackupException>(() => agent.Machine.Update(settings => settings with { MetricsFile = path }));

        Assert.Equal(BackupErrorId.ArgumentInvalid, failure.Id);
        Assert.Equal(FilePath, agent.Machine.Settings.MetricsFile);
    }

    [Fact]
    public void Names_with_any_characters_are_written_as_the_format_wants_them()
    {
        var text = new MetricsText();
        text.Gauge("a_bytes", "Bytes\nof \\ all.", 1.5, ("source", "C:\\a \"b\"\n"));
        text.Gauge("a_bytes", "Bytes\nof \\ all.", 2.5, ("source", "C:\\a \"b\"\n"));
        text.Gauge("a_bytes", "Bytes\nof \\ all.", 1e18, ("source", "ä"));

        ExpositionFormat read = ExpositionFormat.Parse(text.Encode());

        Assert.Equal((1.5, 1e18), (read["a_bytes{source=\"C:\\\\a \\\"b\\\"\\n\"}"], read["a_bytes{source=\"ä\"}"]));
    }

    [Fact]
    public async Task Promtool_has_nothing_to_say_against_it()
    {
        string? promtool = Environment.GetEnvironmentVariable("PATH")!.Split(Path.PathSeparator).Select(folder => Path.Combine(folder, "promtool")).FirstOrDefault(File.Exists);
        Assert.SkipWhen(promtool is null, "There is no promtool.");
        BackupAgent agent = await ActivateAsync(_machine.Source, _machine["missing \"one\""]);
        _machine.Tree.File("a", "content"u8);
        JobRecord backup = await JobsFixture.BackUpAsync(agent);
        await agent.Jobs.RecordSkippedAsync(JobsFixture.Policy(PolicyKind.SystemState), DateTimeOffset.UtcNow, new BackupException(BackupErrorId.ScheduleMissed, "Missed.", "Nothing."), tells: false);
        await agent.Jobs.RunAsync(
            new RecoveryOrder { MachineName = JobsFixture.MachineName, PointId = backup.RecoveryPointId!.Value.ToString(), Paths = [], TargetFolder = _machine["target"] }, _ => { }, Cancel);

        using var check = Process.Start(new ProcessStartInfo(promtool!, ["check", "metrics"]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
        await check.StandardInput.WriteAsync(await File.ReadAllTextAsync(FilePath, Cancel));
        check.StandardInput.Close();
        string said = await check.StandardOutput.ReadToEndAsync(Cancel) + await check.StandardError.ReadToEndAsync(Cancel);
        await check.WaitForExitAsync(Cancel);

        Assert.Equal((0, ""), (check.ExitCode, said));
        Assert.Contains("msonlinebackup_recovery_status", Read().Names);
    }

    private ExpositionFormat Read() => ExpositionFormat.Parse(File.ReadAllBytes(FilePath));

    private async Task<BackupAgent> ActivateAsync(params string[] sources)
    {
        BackupAgent agent = await _machine.ActivateAsync(sources);
        Directory.CreateDirectory(_machine["metrics"]);
        agent.Machine.Update(settings => settings with { MetricsFile = FilePath });
        return agent;
    }
}
