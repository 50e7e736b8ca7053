using System.Diagnostics;
using MSOnlineBackup.Agent;
using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Campaigns.Schedulers;

/// <summary>systemd as process 1, in namespaces of its own: with its own units, times of timers and control groups, and nothing of the machine's.</summary>
public sealed class SystemdTests : IDisposable
{
    private const string Manager = "/lib/systemd/systemd";
    private const string MachineName = "ALPHA";

    // What it keeps of units and of when timers fired lies in the test's folder, so that it can be started again. A control group hierarchy of another name is as good as its own.
    private const string Boot = """
        set -e
        mount -t tmpfs none /run
        mkdir /run/lock
        mount --bind "$0/units" /etc/systemd/system
        mount --bind "$0/lib" /var/lib/systemd
        mount -t tmpfs none /sys/fs/cgroup
        mkdir /sys/fs/cgroup/systemd
        mount -t cgroup -o none,name=msonlinebackup none /sys/fs/cgroup/systemd
        export container=other SYSTEMD_UNIT_PATH=/etc/systemd/system
        exec /lib/systemd/systemd --system --unit=start.target --log-target=console --log-level=notice --show-status=no
        """;

    private readonly TempFolder _folder = new();
    private Process? _manager;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        Stop();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_schedule_fires_a_missed_run_is_caught_up_after_the_start_and_a_paused_policy_backs_nothing_up()
    {
        Assert.SkipUnless(
            OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess && File.Exists(Manager) && File.Exists("/usr/bin/unshare") && File.Exists("/usr/bin/nsenter"),
            "It takes root, systemd, unshare and nsenter.");
        BackupAgent agent = await ActivateAsync();
        await StartAsync();

        DateTimeOffset due = Set(agent, TimeProvider.System.GetUtcNow().AddMinutes(2));
        await RunAsync("schedule", "install");
        Assert.Contains("\"Registered\"", await RunAsync("schedule", "show", "--json"), StringComparison.Ordinal);
        JobRecord fired = await JobAsync(agent, 1);
        Assert.Equal(JobState.Completed, fired.State);
        Assert.True(fired.Started >= due, $"{fired.Started:O} is before {due:O}");

        due = Set(agent, TimeProvider.System.GetUtcNow().AddMinutes(2));
        await RunAsync("schedule", "install");
        Stop();
        TimeSpan left = due - TimeProvider.System.GetUtcNow();
        await Task.Delay(left > TimeSpan.Zero ? left : TimeSpan.Zero, Cancel);
        Assert.Single(agent.Jobs.List());
        await StartAsync();
        JobRecord caughtUp = await JobAsync(agent, 2);
        Assert.Equal(JobState.Completed, caughtUp.State);
        Assert.True(caughtUp.Started >= due, $"{caughtUp.Started:O} is before {due:O}");

        string service = Path.GetFileName(Assert.Single(Directory.GetFiles(_folder["units"], "msonlinebackup-*.service")));
        agent.Policies.Set(agent.Policies.Require(PolicyKind.Files) with { IsPaused = true });
        await EnterAsync("systemctl", "start", service);
        Assert.Equal(2, agent.Jobs.List().Count);
        await RunAsync("schedule", "install");
        Assert.Empty(Directory.GetFiles(_folder["units"], "msonlinebackup-*"));
        Assert.DoesNotContain("msonlinebackup", await EnterAsync("systemctl", "list-timers", "--all", "--no-legend"), StringComparison.Ordinal);
    }

    private async Task<BackupAgent> ActivateAsync()
    {
        var builder = new SourceTreeBuilder(_folder["source"]);
        builder.Describe("f one 1000");
        foreach (string name in new[] { "units", "lib" })
        {
            Directory.CreateDirectory(_folder[name]);
        }

        // No more of a system than has to be there for timers.
        await File.WriteAllTextAsync(_folder["units/start.target"], "[Unit]\nWants=timers.target\nDefaultDependencies=no\n", Cancel);
        foreach (string target in new[] { "timers", "basic", "sysinit", "shutdown", "time-set", "time-sync", "network-online", "umount" })
        {
            await File.WriteAllTextAsync(_folder[$"units/{target}.target"], "[Unit]\nDefaultDependencies=no\n", Cancel);
        }

        BackupAgent owner = Open("OWNER", "owner");
        await owner.Ownership.CreateVaultAsync(_folder["vault"], "Office", Cancel);
        string credential = (await owner.Ownership.IssueCredentialAsync(_folder["vault"], _folder.Path, null, null, null, Cancel)).File;
        BackupAgent agent = Open(MachineName, "state");
        await agent.Machine.RegisterAsync(credential, Cancel);
        await agent.Machine.Key.SetPassphraseAsync("a passphrase for tests", Cancel);
        return agent;
    }

    private BackupAgent Open(string machine, string state) => BackupAgent.Open(new AgentOptions
    {
        StateFolder = _folder[state],
        MachineName = machine,
        OpenVault = (location, _) => new FolderVaultStore(location),
        CreateVault = (location, _) => FolderVaultStore.Create(location),
        JobHost = [Obengine.BuiltProgram],
        Limits = PolicyLimits.Open,
        Engine = new VaultOptions { KeyDerivationIterations = 1000, Workers = 2 },
    });

    private DateTimeOffset Set(BackupAgent agent, DateTimeOffset at)
    {
        DateTimeOffset local = at.ToLocalTime();
        var time = new TimeSpan(local.Hour, local.Minute, 0);
        agent.Policies.Set(new BackupPolicy
        {
            Id = agent.Policies.Get(PolicyKind.Files)?.Id,
            Kind = PolicyKind.Files,
            Files = [new FileSpecification(_folder["source"])],
            Schedule = new BackupSchedule(Enum.GetValues<DayOfWeek>(), [time]),
            Retention = new RetentionPolicy(30),
        });
        return new DateTimeOffset(local.Date + time, local.Offset);
    }

    private async Task StartAsync()
    {
        var start = new ProcessStartInfo(
            "/usr/bin/unshare", ["--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child", "--mount-proc", "/bin/bash", "-c", Boot, _folder.Path]);
        _manager = Process.Start(start)!;
        while (true)
        {
            Assert.False(_manager.HasExited, "systemd has ended");
            if (ProcessOne is not null && Shell.Run("nsenter", [.. Inside, "systemctl", "is-active", "timers.target"]).ExitCode == 0)
            {
                return;
            }

            await Task.Delay(100, Cancel);
        }
    }

    // As by a power cut: with process 1 go all others of its namespace.
    private void Stop()
    {
        if (_manager is { } manager)
        {
            manager.Kill();
            manager.WaitForExit();
            manager.Dispose();
            _manager = null;
        }
    }

    private string? ProcessOne => File.ReadAllText($"/proc/{_manager!.Id}/task/{_manager.Id}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault();

    private string[] Inside => ["--target", ProcessOne!, "--mount", "--pid", "--uts", "--ipc"];

    private async Task<string> EnterAsync(params string[] line)
    {
        var start = new ProcessStartInfo("/usr/bin/nsenter", [.. Inside, .. line]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["MSONLINEBACKUP_SCHEDULER"] = "Systemd";
        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync(Cancel);
        string output = await process.StandardOutput.ReadToEndAsync(Cancel);
        await process.WaitForExitAsync(Cancel);
        Assert.True(process.ExitCode == 0, $"{string.Join(' ', line)} ended with {process.ExitCode}: {output}{await error}");
        return output;
    }

    private Task<string> RunAsync(params string[] command)
    {
        string runtime = Path.Combine(Path.GetDirectoryName(Environment.ProcessPath)!, "dotnet");
        string dotnet = File.Exists(runtime) ? runtime : Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "/usr/bin/dotnet";
        return EnterAsync([dotnet, Obengine.BuiltProgram, .. command, "--policy", "files", "--state", _folder["state"], "--machine", MachineName]);
    }

    // However long the machine takes: the runner's own limit ends what never comes.
    private async Task<JobRecord> JobAsync(BackupAgent agent, int count)
    {
        while (agent.Jobs.List() is var jobs && (jobs.Count < count || jobs[^1].State == JobState.InProgress))
        {
            Assert.False(_manager!.HasExited, "systemd has ended");
            await Task.Delay(250, Cancel);
        }

        return agent.Jobs.List()[^1];
    }
}
