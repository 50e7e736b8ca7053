using System.Diagnostics;
using MSOnlineBackup.Agent.Schedules;
using MSOnlineBackup.Engine.Sources.SystemState;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Schedules;

public sealed class SystemdSchedulerTests : IDisposable
{
    private static readonly ScheduledTask _task = new("msonlinebackup-files", "the backup by the policy for 100 % of it", ["/bin/true", "schedule", "run", "--state", "/a b/$c/%d/\"e\\"], [0, 30]);

    private readonly TempFolder _folder = new();
    private readonly FakeCommands _commands = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Units_are_written_switched_on_found_and_removed_without_a_trace()
    {
        SystemdScheduler scheduler = New();
        await File.WriteAllTextAsync(_folder["foreign.timer"], "theirs", Cancel);

        await scheduler.InstallAsync(_task, Cancel);

        Assert.Equal(["systemctl daemon-reload", "systemctl enable msonlinebackup-files.timer", "systemctl restart msonlinebackup-files.timer"], _commands.Asked);
        Assert.Equal(new InstalledTask(true, true, "root"), await scheduler.FindAsync(_task, Cancel));
        Assert.False((await scheduler.FindAsync(_task with { Minutes = [1] }, Cancel))!.IsCurrent);
        Assert.Null(await scheduler.FindAsync(_task with { Name = "another" }, Cancel));

        await scheduler.RemoveAsync(_task.Name, Cancel);
        await scheduler.RemoveAsync(_task.Name, Cancel);

        Assert.Contains("systemctl disable --now msonlinebackup-files.timer", _commands.Asked);
        Assert.Null(await scheduler.FindAsync(_task, Cancel));
        Assert.Equal(["foreign.timer"], Directory.GetFiles(_folder.Path).Select(Path.GetFileName));
    }

    [Fact]
    public async Task A_timer_that_is_switched_off_or_runs_as_somebody_else_is_seen()
    {
        SystemdScheduler scheduler = New();
        await scheduler.InstallAsync(_task, Cancel);

        _commands.Answer = line => new CommandResult(line.Contains("is-enabled", StringComparison.Ordinal) ? 1 : 0, line.Contains("User", StringComparison.Ordinal) ? "nobody\n" : "", "");

        Assert.Equal(new InstalledTask(true, false, "nobody"), await scheduler.FindAsync(_task, Cancel));
    }

    [Fact]
    public async Task What_systemd_refuses_is_an_error_with_what_it_says()
    {
        _commands.Answer = _ => new CommandResult(1, "", "Failed to connect to bus");

        BackupException refused = await Assert.ThrowsAsync<BackupException>(() => New().InstallAsync(_task, Cancel));
        string? fault = await New().FindFaultAsync(Cancel);
        _commands.Answer = _ => null;
        BackupException absent = await Assert.ThrowsAsync<BackupException>(() => New().InstallAsync(_task, Cancel));

        Assert.Equal(BackupErrorId.ScheduleNotRegistered, refused.Id);
        Assert.Contains("Failed to connect to bus", refused.Message, StringComparison.Ordinal);
        Assert.Contains("Failed to connect to bus", fault, StringComparison.Ordinal);
        Assert.Equal(BackupErrorId.SchedulerUnavailable, absent.Id);
    }

    [Fact]
    public async Task Systemd_itself_finds_nothing_amiss_with_the_units()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && File.Exists("/usr/bin/systemd-analyze"), "systemd-analyze is not installed.");
        await New().InstallAsync(_task, Cancel);

        (int exitCode, string said) = Run("verify", _folder["msonlinebackup-files.service"], _folder["msonlinebackup-files.timer"]);

        Assert.Equal((0, ""), (exitCode, said));
    }

    [Fact]
    public void Systemd_fires_at_the_minutes_that_are_meant()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && File.Exists("/usr/bin/systemd-analyze"), "systemd-analyze is not installed.");

        (int exitCode, string said) = Run("calendar", "--base-time=2026-06-10 20:59:00", "--iterations=3", SystemdScheduler.CalendarOf(_task));

        Assert.Equal(0, exitCode);
        Assert.Contains("21:00:00", said, StringComparison.Ordinal);
        Assert.Contains("21:30:00", said, StringComparison.Ordinal);
        Assert.Contains("22:00:00", said, StringComparison.Ordinal);
    }

    private static (int ExitCode, string Said) Run(params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo("/usr/bin/systemd-analyze", arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        string said = process.StandardOutput.ReadToEnd() + process.StandardError.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, said.Trim());
    }

    private SystemdScheduler New() => new(_folder.Path, isUser: false, _commands);
}
