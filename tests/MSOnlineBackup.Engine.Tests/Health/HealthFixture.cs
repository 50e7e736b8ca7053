using System.Security.Cryptography;
using MSOnlineBackup.Agent;
using MSOnlineBackup.Agent.Health;
using MSOnlineBackup.Agent.Installation;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Schedules;
using MSOnlineBackup.Engine.Sources.SystemState;
using MSOnlineBackup.Engine.Tests.Jobs;
using MSOnlineBackup.Engine.Tests.Schedules;
using MSOnlineBackup.Platform.Machine;
using MSOnlineBackup.Testing;
using static MSOnlineBackup.Engine.Tests.Jobs.JobsFixture;

namespace MSOnlineBackup.Engine.Tests.Health;

/// <summary>A machine that lacks nothing: registered, scheduled, backed up, with a module whose files are as they were shipped.</summary>
internal sealed class HealthFixture : IDisposable
{
    private readonly List<string> _scheduled = [];

    public HealthFixture(PolicyLimits? limits = null)
    {
        Machine = new JobsFixture { Limits = limits ?? PolicyLimits.Open, Clock = Clock, Scheduler = Scheduler, ScheduleParts = new ScheduleParts(new FakeConditions(), Commands, _scheduled) };
        Machine.Tree.Describe("f one 3000000");
        Machine.ScheduleProgram = [Touch("pwsh"), "-NoProfile", "-NonInteractive", "-File", Touch("obengine.ps1")];
        MakeModule(Module);
        Directory.CreateDirectory(Temporary);
        _scheduled.Add(Directory.CreateDirectory(Scheduled).FullName);
        Machine.Health = new HealthContext { PowerShell = new Version(7, 6), ModuleFolder = Module };
        Machine.HealthParts = new HealthParts
        {
            System = SystemIdentity.OfLinux(new Version(6, 1), "ID=fedora\nPRETTY_NAME=\"Fedora\"\nSUPPORT_END=2199-01-01\n"),
            Is64Bit = true,
            IsPrivileged = true,
            HasArgon2id = true,
            HasProgram = _ => true,
            RestartFile = Machine["reboot-required"],
            TemporaryFolder = Temporary,
            ZoneVariable = null,
            FreeBytes = _ => long.MaxValue,
        };
    }

    /// <summary>A day ahead of the files, so that none of them has changed just now.</summary>
    public FakeClock Clock { get; } = new(TimeProvider.System.GetUtcNow().AddDays(1));

    public FakeScheduler Scheduler { get; } = new();

    public FakeCommands Commands { get; } = new() { Answer = _ => new CommandResult(0, "PowerShell 7.6.1\n", "") };

    public JobsFixture Machine { get; }

    public string Module => Machine["module"];

    public string Temporary => Machine["temporary"];

    public string Scheduled => Machine["scheduled"];

    public HealthParts Parts
    {
        get => Machine.HealthParts;
        set => Machine.HealthParts = value;
    }

    /// <summary>Sets the machine up, and backs it up once.</summary>
    public async Task PrepareAsync()
    {
        BackupAgent agent = await Machine.ActivateAsync();
        await agent.Schedules.AlignAsync(PolicyKind.Files, Cancel);
        await BackUpAsync(agent);
    }

    /// <summary>What is amiss, by a process of its own.</summary>
    public async Task<IReadOnlyList<HealthFinding>> FindFaultsAsync() =>
        [.. (await Machine.Open().Health.TestAsync(Cancel)).Where(finding => finding.Verdict is HealthVerdict.Fail or HealthVerdict.Warning)];

    /// <summary>A folder as a module is installed, with a list of its files.</summary>
    public static void MakeModule(string folder, string version = "1.2.3")
    {
        Write("MSOnlineBackup.psd1", $"@{{\n    ModuleVersion        = '{version}'\n    GUID                 = '{InstalledModule.Identity}'\n}}\n");
        Write("module/bin/One.dll", "one");
        Write("module/bin/runtimes/linux-x64/lib/Two.dll", "two");
        File.WriteAllLines(
            Path.Combine(folder, InstalledModule.ListName),
            Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
                .Where(file => Path.GetFileName(file) != InstalledModule.ListName)
                .Select(file => $"{Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file)))}  {Path.GetRelativePath(folder, file).Replace('\\', '/')}"));

        void Write(string name, string text)
        {
            string path = Path.Combine(folder, name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, text);
        }
    }

    public void Dispose() => Machine.Dispose();

    private string Touch(string name)
    {
        File.WriteAllText(Machine[name], "");
        return Machine[name];
    }
}
