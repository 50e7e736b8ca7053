using MSOnlineBackup.Agent;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Schedules;
using MSOnlineBackup.Agent.Schedules.Others;
using MSOnlineBackup.Engine.Sources.SystemState;
using MSOnlineBackup.Engine.Tests.Jobs;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Jobs.JobsFixture;

namespace MSOnlineBackup.Engine.Tests.Schedules;

/// <summary>Other backup products that run by schedules of their own are named.</summary>
public sealed class OtherProductsTests : IDisposable
{
    private readonly FakeCommands _commands = new() { Answer = _ => null };
    private readonly JobsFixture _machine;

    public OtherProductsTests()
    {
        _machine = new JobsFixture
        {
            Scheduler = new FakeScheduler(),
            ScheduleParts = new ScheduleParts(new FakeConditions(), _commands, [Path.Combine(Path.GetTempPath(), "none"), CronFolder]),
        };
        _machine.Tree.Describe("f one 1000");
    }

    private static string CronFolder { get; } = Path.Combine(Path.GetTempPath(), $"cron-{Guid.NewGuid():N}");

    public void Dispose()
    {
        _machine.Dispose();
        if (Directory.Exists(CronFolder))
        {
            Directory.Delete(CronFolder, recursive: true);
        }
    }

    [Theory]
    [InlineData("restic-backup.timer restic-backup.service", "restic")]
    [InlineData("nightly.timer nightly.service ExecStart={ path=/usr/local/bin/kopia ; argv[]=/usr/local/bin/kopia snapshot create /home }", "kopia")]
    [InlineData("0 3 * * * root /usr/bin/borg create ::{now} /home", "borg")]
    [InlineData("30 2 * * * BORG_REPO=/x borgmatic -v 1", "borgmatic")]
    [InlineData("0 1 * * * /usr/bin/duplicity full / file:///backup", "duplicity")]
    [InlineData("10 */4 * * * root /usr/bin/rsnapshot hourly", "rsnapshot")]
    [InlineData("timeshift-hourly", "timeshift")]
    [InlineData("btrbk.timer btrbk.service", "btrbk")]
    [InlineData("snapper-timeline.timer snapper-timeline.service", "snapper")]
    [InlineData("*/15 * * * * root which zfs-auto-snapshot > /dev/null || exit 0 ; zfs-auto-snapshot --quiet", "zfs-auto-snapshot")]
    [InlineData("5 4 * * * /usr/sbin/SANOID --cron", "sanoid")]
    public void A_product_is_known_by_the_name_of_its_program_or_unit(string text, string product) =>
        Assert.Equal([new OtherBackup(product, "here")], OtherProducts.Find([new SystemJob("here", text)]));

    [Theory]
    [InlineData("# 0 3 * * * restic backup /home")]
    [InlineData("5 4 * * * /usr/bin/theirs")]
    [InlineData("0 3 * * * /opt/borgia/bin/run")]
    [InlineData("0 3 * * * /usr/bin/resticker")]
    [InlineData("10 * * * * '/opt/obengine' 'schedule' 'run' '--state' '/srv/restic' # msonlinebackup-files")]
    [InlineData("msonlinebackup-files.timer msonlinebackup-files.service ExecStart={ path=/opt/restic/pwsh }")]
    [InlineData("apt-daily.timer apt-daily.service")]
    [InlineData("")]
    public void What_is_commented_out_ours_or_only_looks_like_one_is_none(string text) => Assert.Empty(OtherProducts.Find([new SystemJob("here", text)]));

    [Fact]
    public async Task All_that_the_schedulers_run_is_looked_through_and_others_are_a_warning_with_their_names()
    {
        if (!OperatingSystem.IsLinux())
        {
            Assert.Skip("Linux only.");
        }

        _machine.ScheduleProgram = [_machine.JobHost];
        BackupAgent agent = await _machine.ActivateAsync();
        await agent.Schedules.AlignAsync(PolicyKind.Files, Cancel);
        Assert.Equal(ScheduleVerdict.Pass, (await FindAsync(agent)).Verdict);

        Directory.CreateDirectory(CronFolder);
        await File.WriteAllTextAsync(Path.Combine(CronFolder, "rsnapshot"), "#!/bin/sh\nexec something\n", Cancel);
        await File.WriteAllTextAsync(Path.Combine(CronFolder, "mine"), "# restic is gone\n0 4 * * * root /usr/bin/duplicity incr / file:///b\n", Cancel);
        _commands.Answer = line => line switch
        {
            "crontab -l" => new CommandResult(0, "0 3 * * * borg create\n", ""),
            _ when line.StartsWith("systemctl list-timers", StringComparison.Ordinal) => new CommandResult(
                0, "Mon 2026-11-30 00:00:00 UTC 30min left Sun 2026-11-29 00:00:04 UTC 23h ago nightly.timer nightly.service\n- - - - apt-daily.timer apt-daily.service\n", ""),
            _ when line.EndsWith("-- nightly.service apt-daily.service", StringComparison.Ordinal) => new CommandResult(
                0, "Id=nightly.service\nExecStart={ path=/usr/bin/kopia ; argv[]=/usr/bin/kopia }\n\nId=apt-daily.service\nExecStart={ path=/usr/lib/apt }\n", ""),
            _ => null,
        };

        ScheduleFinding finding = await FindAsync(agent);

        Assert.Equal(ScheduleVerdict.Warning, finding.Verdict);
        Assert.Contains("kopia (nightly.timer), borg (the crontab of ", finding.Cause, StringComparison.Ordinal);
        Assert.Contains($"duplicity ({Path.Combine(CronFolder, "mine")}), rsnapshot ({Path.Combine(CronFolder, "rsnapshot")})", finding.Cause, StringComparison.Ordinal);
        Assert.DoesNotContain("restic", finding.Cause, StringComparison.Ordinal);
        Assert.NotEmpty(finding.Fix);
    }

    private static async Task<ScheduleFinding> FindAsync(BackupAgent agent) => Assert.Single(await agent.Schedules.TestAsync(Cancel), finding => finding.Check == ScheduleCheck.OtherProducts);
}
