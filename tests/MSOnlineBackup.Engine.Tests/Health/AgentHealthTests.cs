using MSOnlineBackup.Agent;
using MSOnlineBackup.Agent.Health;
using MSOnlineBackup.Agent.Installation;
using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Engine.Sources.SystemState;
using MSOnlineBackup.Engine.Tests.Jobs;
using MSOnlineBackup.Engine.Tests.Machine;
using MSOnlineBackup.Platform.Machine;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Storage;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Jobs.JobsFixture;

namespace MSOnlineBackup.Engine.Tests.Health;

/// <summary>Each sabotage flips exactly the check that is meant.</summary>
public sealed class AgentHealthTests : IDisposable
{
    private static readonly Dictionary<string, (HealthCheck Check, HealthVerdict Verdict, Func<HealthFixture, Task> Do)> _sabotages = new()
    {
        ["a process of 32 bits"] = (HealthCheck.Process, HealthVerdict.Fail, Part(parts => parts with { Is64Bit = false })),
        ["another system"] = (HealthCheck.OperatingSystem, HealthVerdict.Fail, Part(parts =>
            parts with { System = new SystemIdentity(SystemFamily.Other, "Plan 9", new Version(4, 0)) })),
        ["a system out of support"] = (
            HealthCheck.EndOfSupport, HealthVerdict.Warning, Part(parts =>
                parts with { System = SystemIdentity.OfLinux(new Version(6, 1), "ID=fedora\nSUPPORT_END=\"2020-01-01\"\n") })),
        ["a restart that is due"] = (HealthCheck.PendingRestart, HealthVerdict.Warning, Touch(machine => machine.Parts.RestartFile)),
        ["an old .NET"] = (HealthCheck.DotNet, HealthVerdict.Fail, Part(parts => parts with { Runtime = new Version(9, 0, 4) })),
        ["an old PowerShell"] = (HealthCheck.PowerShell, HealthVerdict.Fail, Do(machine =>
            machine.Machine.Health = machine.Machine.Health with { PowerShell = new Version(7, 4, 6) })),
        ["no libsodium"] = (HealthCheck.KeyDerivation, HealthVerdict.Warning, Part(parts => parts with { HasArgon2id = false })),
        ["no fusermount3"] = (HealthCheck.Mount, HealthVerdict.Warning, Part(parts => parts with { HasProgram = name => name != "fusermount3" })),
        ["no administrator"] = (HealthCheck.Account, HealthVerdict.Warning, Part(parts => parts with { IsPrivileged = false })),
        ["a time zone that is nowhere"] = (HealthCheck.TimeZone, HealthVerdict.Warning, Part(parts => parts with { ZoneVariable = ":Nowhere/Land" })),
        ["a dead scheduler"] = (HealthCheck.Scheduler, HealthVerdict.Fail, Do(machine => machine.Scheduler.Fault = "It is dead.")),
        ["no scratch folder"] = (HealthCheck.ScratchFolder, HealthVerdict.Fail, Do(machine => Directory.Delete(
            Path.Combine(machine.Machine.State, "scratch"), recursive: true))),
        ["a full scratch volume"] = (HealthCheck.ScratchRoom, HealthVerdict.Fail, Part(parts => parts with { FreeBytes = _ => 149_999 })),
        ["a scratch volume that is nearly full"] = (HealthCheck.ScratchRoom, HealthVerdict.Warning, Part(parts => parts with { FreeBytes = _ => 299_999 })),
        ["a truncated assembly"] = (HealthCheck.ModuleFiles, HealthVerdict.Fail, Do(machine => File.WriteAllText(
            Path.Combine(machine.Module, "module/bin/One.dll"), "o"))),
        ["an assembly that is gone"] = (HealthCheck.ModuleFiles, HealthVerdict.Fail, Do(machine =>
            File.Delete(Path.Combine(machine.Module, "module/bin/One.dll")))),
        ["an assembly that was not shipped"] = (HealthCheck.ModuleFiles, HealthVerdict.Warning,
            Touch(machine => Path.Combine(machine.Module, "module/bin/Three.dll"))),
        ["a damaged list of hashes"] = (HealthCheck.ModuleFiles, HealthVerdict.Fail, Do(machine =>
            File.WriteAllText(Path.Combine(machine.Module, InstalledModule.ListName), "?"))),
        ["damaged settings"] = (HealthCheck.State, HealthVerdict.Fail, Do(machine => File.WriteAllText(
            Path.Combine(machine.Machine.State, "settings.json"), "{"))),
        ["a damaged registration"] = (HealthCheck.State, HealthVerdict.Fail, Do(machine => File.WriteAllText(
            Path.Combine(machine.Machine.State, "machine.json"), "{"))),
        ["no registration"] = (HealthCheck.Registration, HealthVerdict.Fail, LeaveAsync),
        ["a damaged key file"] = (HealthCheck.KeyFile, HealthVerdict.Fail, Do(machine => File.WriteAllText(KeyOf(machine), "OBKEK"))),
        ["no key file"] = (HealthCheck.KeyFile, HealthVerdict.Fail, Do(machine => File.Delete(KeyOf(machine)))),
        ["no vault"] = (HealthCheck.VaultAccess, HealthVerdict.Fail, Do(machine => Directory.Move(machine.Machine.Vault, machine.Machine["elsewhere"]))),
        ["a vault for newer versions"] = (HealthCheck.AgentVersion, HealthVerdict.Fail, RequireNewerAsync),
        ["a subscription that has expired"] = (HealthCheck.Contact, HealthVerdict.Fail, machine => SubscribeAsync(machine, VaultSubscription.Expired)),
        ["a subscription that was given up"] = (HealthCheck.Contact, HealthVerdict.Fail, machine => SubscribeAsync(machine, VaultSubscription.Deprovisioned)),
        ["no policy"] = (HealthCheck.Policy, HealthVerdict.Warning, Policy(agent => agent.Policies.Remove(PolicyKind.Files))),
        ["a paused policy"] = (HealthCheck.Policy, HealthVerdict.Warning, Policy(agent => agent.Policies.Set(
            agent.Policies.Require(PolicyKind.Files) with { IsPaused = true }))),
        ["no source"] = (HealthCheck.Sources, HealthVerdict.Fail, Do(machine => Directory.Move(machine.Machine.Source, machine.Machine["away"]))),
        ["a timer that is gone"] = (HealthCheck.ScheduleRegistered, HealthVerdict.Fail, Do(machine => machine.Scheduler.Tasks.Clear())),
        ["a timer of nobody"] = (HealthCheck.ScheduleAccount, HealthVerdict.Fail, Do(machine => machine.Scheduler.Account = "nobody")),
        ["an old shell for schedules"] = (HealthCheck.ScheduleProgram, HealthVerdict.Fail,
            Do(machine => machine.Commands.Answer = _ => new CommandResult(0, "PowerShell 5.1\n", ""))),
        ["no script for schedules"] = (HealthCheck.ScheduleModulePath, HealthVerdict.Fail, Do(machine => File.Delete(machine.Machine["obengine.ps1"]))),
        ["another backup program"] = (HealthCheck.OtherBackups, HealthVerdict.Warning, Touch(
            machine => Path.Combine(machine.Scheduled, "nightly-restic.timer"))),
        ["a backup that failed"] = (HealthCheck.LastBackup, HealthVerdict.Fail, FailAsync),
        ["no backup for nine days"] = (HealthCheck.LastBackup, HealthVerdict.Fail, Do(machine => machine.Clock.Advance(TimeSpan.FromDays(9)))),
        ["a full folder for temporary files"] = (HealthCheck.TemporaryFiles, HealthVerdict.Warning, Do(machine => MakeTemporary(machine, 60_000))),
        ["a cache that cannot be read"] = (HealthCheck.LocalFiles, HealthVerdict.Warning, Do(BlockCache)),
        ["a snapshot that was left"] = (HealthCheck.Snapshots, HealthVerdict.Warning, Touch(machine =>
            Path.Combine(machine.Machine.State, "snapshots", "one.json"))),
    };

    private readonly HealthFixture _machine = new();

    public static TheoryData<string> Sabotages => [.. _sabotages.Keys];

    public void Dispose() => _machine.Dispose();

    [Fact]
    public async Task A_machine_that_lacks_nothing_has_each_check_once_in_order_and_none_that_fails()
    {
        await _machine.PrepareAsync();

        IReadOnlyList<HealthFinding> findings = await _machine.Machine.Open().Health.TestAsync(Cancel);

        Assert.Equal(Enum.GetValues<HealthCheck>(), findings.Select(finding => finding.Check));
        Assert.All(findings, finding => Assert.True(finding.Verdict is HealthVerdict.Pass or HealthVerdict.NotApplicable && finding.Cause.Length > 0,
            finding.ToString()));
        Assert.Equal(
            [HealthCheck.Network, HealthCheck.Proxy, HealthCheck.Clock, HealthCheck.ScheduleExecutionPolicy],
            findings.Where(finding => finding.Verdict == HealthVerdict.NotApplicable).Select(finding => finding.Check));
    }

    [Theory]
    [MemberData(nameof(Sabotages))]
    public async Task A_sabotage_flips_exactly_one_check(string name)
    {
        (HealthCheck check, HealthVerdict verdict, Func<HealthFixture, Task> sabotage) = _sabotages[name];
        await _machine.PrepareAsync();
        Assert.Empty(await _machine.FindFaultsAsync());

        await sabotage(_machine);

        HealthFinding fault = Assert.Single(await _machine.FindFaultsAsync());
        Assert.Equal((check, verdict), (fault.Check, fault.Verdict));
        Assert.NotEmpty(fault.Cause);
        Assert.NotEmpty(fault.Fix);
        Assert.Matches("^[ADEV][0-9]+(, [ADEV][0-9]+)*$", fault.Row);
    }

    // The way to a vault has tests of its own, and so has the schedule's execution policy, which is of Windows.
    [Fact]
    public void Every_check_is_sabotaged() => Assert.Equal(
        [HealthCheck.Passphrase, HealthCheck.MachineName, HealthCheck.Network, HealthCheck.Proxy, HealthCheck.Clock, HealthCheck.ScheduleExecutionPolicy],
        Enum.GetValues<HealthCheck>().Except(_sabotages.Values.Select(sabotage => sabotage.Check)));

    [Theory]
    [InlineData("Mars", HealthVerdict.Fail)]
    [InlineData("Open", HealthVerdict.Warning)]
    public async Task Contact_that_is_lost_stops_backups_or_not_by_profile_and_a_shorter_silence_is_none(string profile, HealthVerdict expected)
    {
        using var machine = new HealthFixture(PolicyLimits.Find(profile));
        await machine.PrepareAsync();
        Directory.Move(machine.Machine.Vault, machine.Machine["elsewhere"]);

        machine.Clock.Advance(TimeSpan.FromDays(15) - TimeSpan.FromMinutes(1));
        Assert.Equal(HealthVerdict.Pass, (await ContactAsync()).Verdict);
        machine.Clock.Advance(TimeSpan.FromMinutes(2));
        HealthFinding lost = await ContactAsync();
        Assert.Equal(expected, lost.Verdict);
        Assert.Contains("no contact with its vault", lost.Cause);

        Directory.Move(machine.Machine["elsewhere"], machine.Machine.Vault);
        Assert.Equal(HealthVerdict.Pass, (await ContactAsync()).Verdict);

        async Task<HealthFinding> ContactAsync() =>
            Assert.Single(await machine.Machine.Open().Health.TestAsync(Cancel), finding => finding.Check == HealthCheck.Contact);
    }

    [Fact]
    public async Task Fewer_temporary_files_are_no_matter()
    {
        MakeTemporary(_machine, 59_999);

        Assert.Contains(await _machine.Machine.Open().Health.TestAsync(Cancel), finding =>
            finding is { Check: HealthCheck.TemporaryFiles, Verdict: HealthVerdict.Pass });
    }

    [Fact]
    public async Task A_registration_without_a_passphrase_is_incomplete()
    {
        using var machines = new AgentFixture();
        BackupAgent agent = await machines.RegisterAsync();

        Assert.Contains(await agent.Health.TestAsync(Cancel), finding => finding is { Check: HealthCheck.Passphrase, Verdict: HealthVerdict.Fail });
    }

    [Fact]
    public async Task A_machine_that_the_system_calls_otherwise_is_told()
    {
        await _machine.PrepareAsync();
        BackupAgent renamed = _machine.Machine.Open("BETA");
        await renamed.Schedules.AlignAsync(PolicyKind.Files, Cancel);

        HealthFinding fault = Assert.Single(await renamed.Health.TestAsync(Cancel), finding => finding.Verdict is HealthVerdict.Fail or HealthVerdict.Warning);

        Assert.Equal(HealthCheck.MachineName, fault.Check);
    }

    [Fact]
    public async Task A_vault_far_away_is_reached_as_jobs_reach_it()
    {
        using var machines = new AgentFixture();
        const string Location = "https://example.blob.core.windows.net/vault";
        BackupAgent agent = machines.Open();
        await agent.Machine.RegisterAsync(await machines.IssueAsync(vault: Location), Cancel);
        string? asked = null;
        machines.Health = new HealthContext
        {
            TestWay = async (location, connection, authorise, limit, stop) =>
            {
                asked = location;
                Assert.True(limit <= TimeSpan.FromSeconds(30));
                await authorise(stop);
                return [new HealthFinding(HealthCheck.Clock, HealthVerdict.Warning, "It is late.", "Set it.")];
            },
        };

        IReadOnlyList<HealthFinding> findings = await machines.Open().Health.TestAsync(Cancel);

        Assert.Equal(Location, asked);
        Assert.Contains(findings, finding => finding is { Check: HealthCheck.Clock, Verdict: HealthVerdict.Warning });
        Assert.Contains(findings, finding => finding is { Check: HealthCheck.AgentVersion, Verdict: HealthVerdict.Pass });
    }

    [Fact]
    public async Task Before_anything_is_set_up_only_what_the_machine_has_is_checked()
    {
        string[] before = Directory.GetFileSystemEntries(_machine.Machine["."], "*", SearchOption.AllDirectories);

        IReadOnlyList<HealthFinding> findings = await _machine.Machine.Open().Health.TestPrerequisitesAsync(null, Cancel);

        Assert.Equal(Enum.GetValues<HealthCheck>().TakeWhile(check => check <= HealthCheck.ScratchRoom), findings.Select(finding => finding.Check));
        Assert.DoesNotContain(findings, finding => finding.Verdict is HealthVerdict.Fail or HealthVerdict.Warning);
        Assert.Equal(before, Directory.GetFileSystemEntries(_machine.Machine["."], "*", SearchOption.AllDirectories));
    }

    [Theory]
    [InlineData("there", 10, HealthCheck.ScratchRoom)]
    [InlineData("missing", long.MaxValue, HealthCheck.ScratchFolder)]
    public async Task A_scratch_folder_that_does_not_serve_is_told_before_it_is_used(string folder, long free, HealthCheck expected)
    {
        Directory.CreateDirectory(_machine.Machine["there"]);
        _machine.Parts = _machine.Parts with { FreeBytes = _ => free };

        HealthFinding fault = Assert.Single(
            await _machine.Machine.Open().Health.TestPrerequisitesAsync(_machine.Machine[folder], Cancel), finding => finding.Verdict == HealthVerdict.Fail);

        Assert.Equal(expected, fault.Check);
    }

    [Fact]
    public async Task A_check_changes_nothing()
    {
        await _machine.PrepareAsync();
        Dictionary<string, string> before = Snapshot();

        await _machine.Machine.Open().Health.TestAsync(Cancel);

        Assert.Equal(before, Snapshot());
    }

    private Dictionary<string, string> Snapshot() => Directory.EnumerateFiles(_machine.Machine["."], "*", SearchOption.AllDirectories)
        .ToDictionary(file => file, file => Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(file))));

    private static Func<HealthFixture, Task> Do(Action<HealthFixture> action) => machine =>
    {
        action(machine);
        return Task.CompletedTask;
    };

    private static Func<HealthFixture, Task> Part(Func<HealthParts, HealthParts> change) => Do(machine => machine.Parts = change(machine.Parts));

    private static Func<HealthFixture, Task> Touch(Func<HealthFixture, string> path) => Do(machine =>
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path(machine))!);
        File.WriteAllText(path(machine), "{}");
    });

    private static Func<HealthFixture, Task> Policy(Action<BackupAgent> change) => async machine =>
    {
        BackupAgent agent = machine.Machine.Open();
        change(agent);
        await agent.Schedules.AlignAsync(PolicyKind.Files, Cancel);
    };

    private static string KeyOf(HealthFixture machine) => Path.Combine(machine.Machine.State, "scratch", KeyFile.Name);

    private static async Task LeaveAsync(HealthFixture machine)
    {
        BackupAgent agent = machine.Machine.Open();
        await agent.LeaveVaultAsync(Cancel);
        await agent.Schedules.AlignAsync(PolicyKind.Files, Cancel);
    }

    // Made by a version that does not exist yet.
    private static async Task RequireNewerAsync(HealthFixture machine)
    {
        Vault vault = await Vault.OpenAsync(new FolderVaultStore(machine.Machine.Vault), new VaultOptions(), Cancel);
        using OwnerKey owner = machine.Machine.Open("OWNER", machine.Machine["owner"]).Machine.Owners.Find(vault.VaultId)!;
        await VaultRecords.AppendAsync(vault.Known, owner, new VaultRecord { Kind = VaultRecord.MinAgent, Version = "99.0.0",
            NeededTo = ["write", "collect"] }, Cancel);
    }

    private static Task<VaultSettings> SubscribeAsync(HealthFixture machine, VaultSubscription state) => machine.Machine.Open("OWNER", machine.Machine["owner"]).Ownership
        .ChangeSettingsAsync(machine.Machine.Vault, settings => settings with { Subscription = state }, null, Cancel);

    private static async Task FailAsync(HealthFixture machine)
    {
        Directory.Move(machine.Machine.Vault, machine.Machine["elsewhere"]);
        machine.Clock.Advance(TimeSpan.FromMinutes(1));
        await JobsFixture.FailAsync(() => BackUpAsync(machine.Machine.Open(), new BackupOrder()));
        Directory.Move(machine.Machine["elsewhere"], machine.Machine.Vault);
    }

    private static void MakeTemporary(HealthFixture machine, int count)
    {
        for (int number = 0; number < count; number++)
        {
            File.Create(Path.Combine(machine.Temporary, $"{number}.tmp")).Dispose();
        }
    }

    private static void BlockCache(HealthFixture machine)
    {
        string cache = Path.Combine(machine.Machine.State, "cache");
        if (Directory.Exists(cache))
        {
            Directory.Delete(cache, recursive: true);
        }

        File.WriteAllText(cache, "");
    }
}
