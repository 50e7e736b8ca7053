using System.Diagnostics;
using MSOnlineBackup.Agent;
using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Engine.Tests.Jobs;
using MSOnlineBackup.Testing;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Jobs.JobsFixture;

namespace MSOnlineBackup.Engine.Tests.Schedules;

/// <summary>A cron daemon, in namespaces of its own: with a spool, a process table and nothing of the machine's own tables.</summary>
public sealed class RealCronTests
{
    // It ends with its input, and the daemon with it. Each line has the schedules registered as the policies are then. Cron looks at tables anew where the second of the
    // last change is another one than that of what it has read.
    private const string Script = """
        set -e
        mount -t tmpfs none /var/spool/cron
        mkdir -m 1730 /var/spool/cron/crontabs
        chgrp crontab /var/spool/cron/crontabs
        mount -t tmpfs none /run
        for own in /etc/cron.d /etc/cron.hourly /etc/cron.daily; do [ ! -d $own ] || mount -t tmpfs none $own; done
        mount --bind /dev/null /etc/crontab
        export MSONLINEBACKUP_SCHEDULER=Cron
        echo '59 23 31 12 * /usr/bin/theirs' | crontab -
        sleep 2
        cron -f &
        while read -r line; do
            "$@" schedule install --policy files --state "$0/state" --quiet --machine ALPHA
            crontab -l > "$0/crontab.new"
            "$@" schedule show --policy files --state "$0/state" --json --machine ALPHA > "$0/shown.new"
            mv "$0/shown.new" "$0/shown"
            mv "$0/crontab.new" "$0/crontab"
        done
        """;

    [Fact]
    public async Task A_missed_backup_is_made_up_for_the_next_one_fires_at_its_time_and_a_paused_policy_has_nothing_that_fires()
    {
        Assert.SkipUnless(
            OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess && File.Exists("/usr/sbin/cron") && File.Exists("/usr/bin/crontab") && File.Exists("/usr/bin/unshare"),
            "It takes root, cron (the package of Debian) and unshare.");
        using var machine = new JobsFixture();
        machine.Tree.Describe("f one 1000");
        BackupAgent agent = await machine.ActivateAsync();
        string folder = Path.GetDirectoryName(machine.State)!;
        string runtime = Path.Combine(Path.GetDirectoryName(Environment.ProcessPath)!, "dotnet");
        string[] program = [File.Exists(runtime) ? runtime : Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "/usr/bin/dotnet", Obengine.BuiltProgram];
        var start = new ProcessStartInfo("/usr/bin/unshare", ["--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "/bin/sh", "-c", Script, folder, .. program])
        {
            RedirectStandardInput = true,
            RedirectStandardError = true,
        };
        using Process cron = Process.Start(start)!;
        Task<string> said = cron.StandardError.ReadToEndAsync(Cancel);
        try
        {
            // Its time was an hour ago, and nothing is on record of what was done: it is missed, and made up for when cron asks next.
            DateTimeOffset due = await RegisterAsync(TimeSpan.FromHours(-1));
            string[] lines = await File.ReadAllLinesAsync(Path.Combine(folder, "crontab"), Cancel);
            Assert.Equal("59 23 31 12 * /usr/bin/theirs", lines[0]);
            Assert.StartsWith($"{due.ToLocalTime().Minute} * * * * ", lines[1], StringComparison.Ordinal);
            File.Delete(Path.Combine(machine.State, "schedule-files.json"));
            JobRecord caughtUp = await JobAsync(1);
            Assert.Equal(JobState.Completed, caughtUp.State);

            due = await RegisterAsync(TimeSpan.Zero);
            JobRecord punctual = await JobAsync(2);
            Assert.Equal(JobState.Completed, punctual.State);
            Assert.True(punctual.Started >= due, $"{punctual.Started:O} is before {due:O}");

            agent.Policies.Set(agent.Policies.Require(PolicyKind.Files) with { IsPaused = true });
            await RegisterAgainAsync();
            Assert.Equal(["59 23 31 12 * /usr/bin/theirs"], await File.ReadAllLinesAsync(Path.Combine(folder, "crontab"), Cancel));
            Assert.Contains("\"Resting\"", await File.ReadAllTextAsync(Path.Combine(folder, "shown"), Cancel), StringComparison.Ordinal);
        }
        finally
        {
            cron.StandardInput.Close();
            await cron.WaitForExitAsync(CancellationToken.None);
            TestContext.Current.TestOutputHelper?.WriteLine(await said);
        }

        // Whoever registers too late for the minute that cron is to ask at waits for an hour, so it is done again.
        async Task<DateTimeOffset> RegisterAsync(TimeSpan shift)
        {
            while (true)
            {
                DateTimeOffset asks = TimeProvider.System.GetUtcNow().AddMinutes(2);
                asks = Set(agent, machine.Source, asks + shift) - shift;
                await RegisterAgainAsync();
                if (TimeProvider.System.GetUtcNow() < asks.AddSeconds(-10))
                {
                    return asks;
                }
            }
        }

        async Task RegisterAgainAsync()
        {
            string crontab = Path.Combine(folder, "crontab");
            File.Delete(crontab);
            await cron.StandardInput.WriteLineAsync("again");
            await cron.StandardInput.FlushAsync(Cancel);
            while (!File.Exists(crontab))
            {
                Assert.False(cron.HasExited, "cron's namespace has ended");
                await Task.Delay(100, Cancel);
            }
        }

        async Task<JobRecord> JobAsync(int count)
        {
            var waiting = Stopwatch.StartNew();
            while (agent.Jobs.List() is var jobs && (jobs.Count < count || jobs[^1].State == JobState.InProgress))
            {
                Assert.False(cron.HasExited, "cron's namespace has ended");
                Assert.True(waiting.Elapsed < TimeSpan.FromMinutes(10), $"no job {count} for ten minutes");
                await Task.Delay(250, Cancel);
            }

            return agent.Jobs.List()[^1];
        }
    }

    private static DateTimeOffset Set(BackupAgent agent, string source, DateTimeOffset at)
    {
        DateTimeOffset local = at.ToLocalTime();
        var time = new TimeSpan(local.Hour, local.Minute, 0);
        agent.Policies.Set(Policy(PolicyKind.Files, source) with
        {
            Id = agent.Policies.Get(PolicyKind.Files)?.Id,
            Schedule = new BackupSchedule(Enum.GetValues<DayOfWeek>(), [time]),
        });
        return new DateTimeOffset(local.Date + time, local.Offset);
    }
}
