using System.Diagnostics;
using MSOnlineBackup.Agent.Schedules;
using MSOnlineBackup.Engine.Sources.SystemState;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Schedules;

public sealed class CronSchedulerTests : IDisposable
{
    private const string Foreign = "# a remark\nMAILTO=root\n\n5 4 * * * /usr/bin/theirs # msonlinebackup-files-of-theirs\n";
    private static readonly ScheduledTask _task = new("msonlinebackup-files", "the backup", ["/opt/ob engine/obengine", "schedule", "run", "--state", "/a'b/%c"], [0, 30]);

    private readonly TempFolder _folder = new();
    private readonly FakeCommands _commands = new();
    private string? _crontab;

    public CronSchedulerTests() => _commands.Answer = Crontab;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task One_line_comes_and_goes_and_no_other_is_touched()
    {
        _crontab = Foreign;
        CronScheduler scheduler = New();

        await scheduler.InstallAsync(_task, Cancel);
        await scheduler.InstallAsync(_task with { Minutes = [15] }, Cancel);

        Assert.Equal($"{Foreign}15 * * * * '/opt/ob engine/obengine' 'schedule' 'run' '--state' '/a'\\''b/\\%c' # msonlinebackup-files\n", _crontab);
        Assert.Equal(new InstalledTask(true, true, Environment.UserName), await scheduler.FindAsync(_task with { Minutes = [15] }, Cancel));
        Assert.False((await scheduler.FindAsync(_task, Cancel))!.IsCurrent);

        await scheduler.RemoveAsync(_task.Name, Cancel);

        Assert.Equal(Foreign, _crontab);
        Assert.Null(await scheduler.FindAsync(_task, Cancel));
        Assert.Empty(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public async Task A_crontab_that_was_not_there_is_not_there_again()
    {
        CronScheduler scheduler = New();
        await scheduler.RemoveAsync(_task.Name, Cancel);
        await scheduler.InstallAsync(_task, Cancel);
        Assert.NotNull(_crontab);

        await scheduler.RemoveAsync(_task.Name, Cancel);

        Assert.Null(_crontab);
    }

    [Fact]
    public async Task A_line_that_somebody_has_commented_out_is_switched_off_and_is_replaced()
    {
        CronScheduler scheduler = New();
        _crontab = $"# {CronScheduler.LineOf(_task)}\n";

        Assert.Equal(new InstalledTask(true, false, Environment.UserName), await scheduler.FindAsync(_task, Cancel));
        await scheduler.InstallAsync(_task, Cancel);

        Assert.Equal($"{CronScheduler.LineOf(_task)}\n", _crontab);
    }

    [Fact]
    public async Task Where_the_crontab_cannot_be_read_nothing_is_written()
    {
        _commands.Answer = _ => new CommandResult(1, "", "You (nobody) are not allowed to use this program (crontab)");

        BackupException refused = await Assert.ThrowsAsync<BackupException>(() => New().InstallAsync(_task, Cancel));

        Assert.Equal(BackupErrorId.ScheduleNotRegistered, refused.Id);
        Assert.Equal(["crontab -l"], _commands.Asked);
        Assert.Throws<BackupException>(() => CronScheduler.LineOf(_task with { Command = ["/a\nb"] }));
    }

    [Fact]
    public async Task Where_cron_is_not_installed_nothing_can_be_brought_in_and_nothing_has_to_be_taken_out()
    {
        _commands.Answer = _ => null;

        await New().RemoveAsync(_task.Name, Cancel);
        Assert.Null(await New().FindAsync(_task, Cancel));
        Assert.Equal(BackupErrorId.SchedulerUnavailable, (await Assert.ThrowsAsync<BackupException>(() => New().InstallAsync(_task, Cancel))).Id);
    }

    [Fact]
    public async Task That_no_daemon_reads_crontabs_is_a_fault()
    {
        Assert.Contains("No cron daemon", await new CronScheduler(_folder.Path, () => false, _commands).FindFaultAsync(Cancel), StringComparison.Ordinal);
        Assert.Null(await New().FindFaultAsync(Cancel));
    }

    [Fact]
    public void The_shell_gets_the_command_as_it_is_meant()
    {
        Assert.SkipUnless(!OperatingSystem.IsWindows(), "There is no sh.");
        ScheduledTask task = _task with { Command = ["/usr/bin/printf", "%s|", "a b", "it's", "$HOME", "`x`", "\\"] };

        // As cron does with what follows the times.
        string command = CronScheduler.LineOf(task).Split(' ', 6)[5].Replace("\\%", "%", StringComparison.Ordinal);
        using Process process = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", command]) { RedirectStandardOutput = true })!;

        Assert.Equal("a b|it's|$HOME|`x`|\\|", process.StandardOutput.ReadToEnd());
    }

    private CommandResult Crontab(string line)
    {
        switch (line)
        {
            case "crontab -l":
                return _crontab is null ? new CommandResult(1, "", "no crontab for root") : new CommandResult(0, _crontab, "");
            case "crontab -r":
                _crontab = null;
                return new CommandResult(0, "", "");
            default:
                _crontab = File.ReadAllText(line["crontab ".Length..]);
                return new CommandResult(0, "", "");
        }
    }

    private CronScheduler New() => new(_folder.Path, () => true, _commands);
}
