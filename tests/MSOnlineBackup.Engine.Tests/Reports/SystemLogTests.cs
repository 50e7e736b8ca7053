using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using MSOnlineBackup.Agent;
using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Reports;
using MSOnlineBackup.Engine.Tests.Jobs;
using MSOnlineBackup.Platform.SystemLogs;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Reports;

/// <summary>What the system's log is told of jobs, over real sockets.</summary>
public sealed class SystemLogTests : IDisposable
{
    private static readonly DateTimeOffset _time = new(2026, 3, 7, 4, 5, 6, TimeSpan.FromHours(1));

    private readonly TempFolder _folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Beginning_and_end_of_a_job_go_to_syslog()
    {
        using var socket = new ListeningSocket(_folder["log"]);
        using var machine = new JobsFixture { SystemLog = SystemLogChoice.Read(socket.Path) };
        BackupAgent agent = await machine.ActivateAsync();
        machine.Tree.File("a", "content"u8);

        JobRecord job = await JobsFixture.BackUpAsync(agent);

        string began = socket.Receive();
        string ended = socket.Receive();
        Assert.Matches($@"^<30>[A-Z][a-z]{{2}} [ 0-9][0-9] \d\d:\d\d:\d\d msonlinebackup\[{Environment.ProcessId}\]: Backup of \S+ began\. event=100 job={job.Id} ", began);
        Assert.Contains($"<30>", ended, StringComparison.Ordinal);
        Assert.Contains($"completed. event=101 job={job.Id} kind=Backup state=Completed machine={JobsFixture.MachineName} seconds=", ended, StringComparison.Ordinal);
        Assert.False(socket.HasMore);
    }

    [Fact]
    public async Task A_failure_is_an_error_with_its_id_and_a_backup_that_was_not_begun_a_warning()
    {
        using var socket = new ListeningSocket(_folder["log"]);
        using var machine = new JobsFixture { SystemLog = SystemLogChoice.Read(socket.Path) };
        BackupAgent agent = await machine.ActivateAsync();
        Directory.Move(machine.Vault, machine["elsewhere"]);

        await JobsFixture.FailAsync(() => JobsFixture.BackUpAsync(agent));
        await agent.Jobs.RecordSkippedAsync(JobsFixture.Policy(PolicyKind.Files, "/a"), _time, new BackupException(BackupErrorId.ScheduleMissed, "Missed.", "Nothing."), tells: false);

        Assert.Contains("event=100", socket.Receive(), StringComparison.Ordinal);
        string failed = socket.Receive();
        Assert.StartsWith("<27>", failed, StringComparison.Ordinal);
        Assert.Contains("event=103", failed, StringComparison.Ordinal);
        Assert.Contains("error=VaultNotFound", failed, StringComparison.Ordinal);
        string skipped = socket.Receive();
        Assert.StartsWith("<28>", skipped, StringComparison.Ordinal);
        Assert.Contains("event=105", skipped, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_job_whose_process_was_killed_is_told_as_failed_by_whoever_finds_it()
    {
        using var socket = new ListeningSocket(_folder["log"]);
        using var machine = new JobsFixture { SystemLog = SystemLogChoice.Read(socket.Path) };
        BackupAgent agent = machine.Open();
        var history = new JobHistory(new StateFolder(machine.State), TimeProvider.System);
        history.Write(new JobRecord { Id = JobHistory.NewId(), Kind = JobKind.Backup, State = JobState.InProgress, Started = _time, Heartbeat = _time, ProcessId = 1 });

        agent.Jobs.List();
        agent.Jobs.List();

        Assert.Contains("error=JobLost", socket.Receive(), StringComparison.Ordinal);
        Assert.False(socket.HasMore);
        await Task.CompletedTask;
    }

    [Fact]
    public async Task Nothing_is_told_where_the_machine_does_not_want_it_or_has_no_log()
    {
        using var socket = new ListeningSocket(_folder["log"]);
        using var machine = new JobsFixture { SystemLog = SystemLogChoice.Read(socket.Path) };
        BackupAgent agent = await machine.ActivateAsync();
        agent.Machine.Update(settings => settings with { SystemLog = SystemLogMode.Off });

        JobRecord job = await JobsFixture.BackUpAsync(agent);

        Assert.False(socket.HasMore);
        Assert.Null(job.Warnings);
        Assert.Empty(SystemLogs.Find(_folder["journal"], _folder["none"]));
        Assert.IsType<SyslogLog>(Assert.Single(SystemLogs.Find(_folder["journal"], socket.Path)));
        Assert.IsType<JournaldLog>(SystemLogs.Find(socket.Path, socket.Path)[0]);
    }

    [Fact]
    public async Task A_log_that_nobody_reads_is_a_warning_of_the_job()
    {
        using (new ListeningSocket(_folder["log"]))
        {
            // Gone with its reader, the socket's name stays.
        }

        using var machine = new JobsFixture { SystemLog = SystemLogChoice.Read(_folder["log"]) };
        BackupAgent agent = await machine.ActivateAsync();
        machine.Tree.File("a", "content"u8);

        JobRecord job = await JobsFixture.BackUpAsync(agent);

        Assert.Equal(JobState.Completed, job.State);
        Assert.All(job.Warnings!, warning => Assert.Equal(nameof(BackupErrorId.SystemLogUnwritable), warning.Id));
        Assert.Equal(2, agent.Jobs.Get(job.Id).Warnings!.Count);
    }

    [Fact]
    public void A_log_that_is_full_does_not_hold_a_job_for_ever()
    {
        using var socket = new ListeningSocket(_folder["log"]);
        var log = new SyslogLog(socket.Path);

        Exception? failure = null;
        for (int i = 0; i < 10_000 && failure is null; i++)
        {
            failure = Record.Exception(() => log.Write(Entry(new string('x', 1000))));
        }

        Assert.IsType<IOException>(failure);
    }

    [Fact]
    public async Task The_next_log_takes_what_the_first_does_not()
    {
        using var socket = new ListeningSocket(_folder["log"]);
        using var machine = new JobsFixture { SystemLog = SystemLogChoice.Of(new JournaldLog(_folder["gone"]), new SyslogLog(socket.Path)) };
        BackupAgent agent = await machine.ActivateAsync();

        JobRecord job = await JobsFixture.BackUpAsync(agent);

        Assert.Null(job.Warnings);
        Assert.Contains("event=100", socket.Receive(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_socket_that_is_a_stream_gets_the_same_with_its_end()
    {
        using var socket = new ListeningSocket(_folder["log"], SocketType.Stream);
        Task<string> received = Task.Run(socket.AcceptAll, Cancel);

        new SyslogLog(socket.Path).Write(Entry("Backup of /a began."));

        string message = await received;
        Assert.EndsWith("\0", message, StringComparison.Ordinal);
        Assert.Contains("Backup of /a began.", message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_journal_gets_fields()
    {
        using var socket = new ListeningSocket(_folder["journal"]);

        new JournaldLog(socket.Path).Write(Entry("Backup failed.", new("JOB", "1"), new("TEXT", "two\nlines")));

        byte[] message = socket.ReceiveBytes();
        Assert.Equal(
            $"MESSAGE=Backup failed.\nPRIORITY=4\nSYSLOG_IDENTIFIER=msonlinebackup\nSYSLOG_PID={Environment.ProcessId}\nMSONLINEBACKUP_EVENT=102\n"
                + "MSONLINEBACKUP_JOB=1\nMSONLINEBACKUP_TEXT\n\u0009\0\0\0\0\0\0\0two\nlines\n",
            Encoding.UTF8.GetString(message));
    }

    [Fact]
    public void A_name_with_line_ends_forges_no_line()
    {
        string line = Encoding.UTF8.GetString(SyslogLog.Encode(Entry("Backup of /a\n<0>forged\u001b[2J", new KeyValuePair<string, string>("ERROR", "a \"b\"\nc"))));

        Assert.Equal(
            $"<28>Mar  7 04:05:06 msonlinebackup[{Environment.ProcessId}]: Backup of /a\uFFFD<0>forged\uFFFD[2J event=102 error=\"a \\\"b\\\"\uFFFDc\"", line);
    }

    [Theory]
    [InlineData("dev/log")]
    [InlineData("syslog")]
    public void A_choice_that_means_nothing_is_refused(string value) =>
        Assert.Equal(BackupErrorId.ArgumentInvalid, Assert.Throws<BackupException>(() => SystemLogChoice.Read(value)).Id);

    [Fact]
    public async Task Rsyslog_reads_it_as_it_is_meant()
    {
        Assert.SkipUnless(File.Exists("/usr/sbin/rsyslogd"), "There is no rsyslogd.");
        string config = _folder["rsyslog.conf"];
        await File.WriteAllTextAsync(
            config,
            $$"""
            global(workDirectory="{{_folder.Path}}")
            module(load="imuxsock" SysSock.Use="off")
            input(type="imuxsock" Socket="{{_folder["log"]}}")
            template(name="t" type="string" string="%syslogfacility-text%|%syslogseverity-text%|%programname%|%procid%|%msg%\n")
            action(type="omfile" file="{{_folder["out"]}}" template="t")
            """,
            Cancel);
        using var daemon = Process.Start(new ProcessStartInfo("/usr/sbin/rsyslogd", ["-n", "-f", config, "-i", _folder["pid"]]) { RedirectStandardError = true })!;
        try
        {
            while (!File.Exists(_folder["log"]))
            {
                Assert.False(daemon.HasExited, daemon.HasExited ? await daemon.StandardError.ReadToEndAsync(Cancel) : "");
                await Task.Delay(20, Cancel);
            }

            new SyslogLog(_folder["log"]).Write(Entry("Backup of /home failed: The vault is full.", new KeyValuePair<string, string>("ERROR", "VaultFull")));
            while (!File.Exists(_folder["out"]) || new FileInfo(_folder["out"]).Length == 0)
            {
                await Task.Delay(20, Cancel);
            }

            Assert.Contains(
                $"daemon|warning|msonlinebackup|{Environment.ProcessId}| Backup of /home failed: The vault is full. event=102 error=VaultFull\n",
                await File.ReadAllTextAsync(_folder["out"], Cancel),
                StringComparison.Ordinal);
        }
        finally
        {
            daemon.Kill();
            await daemon.WaitForExitAsync(Cancel);
        }
    }

    private static SystemLogEntry Entry(string message, params KeyValuePair<string, string>[] fields) => new(_time, SystemLogLevel.Warning, 102, message, fields);
}
