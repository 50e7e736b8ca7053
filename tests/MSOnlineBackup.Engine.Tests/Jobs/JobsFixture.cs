using MSOnlineBackup.Agent;
using MSOnlineBackup.Agent.Health;
using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Reports;
using MSOnlineBackup.Agent.Schedules;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Engine.Tests.Backup;
using MSOnlineBackup.Engine.Tests.Schedules;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.VirtualMachines.Machines;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Jobs;

/// <summary>A machine that is registered with a vault in a real folder, at the real time unless another clock is given, with folders to back up.</summary>
internal sealed class JobsFixture : IDisposable
{
    public const string Passphrase = "a passphrase for tests";
    public const string MachineName = "ALPHA";

    private readonly TempFolder _folder = new();

    public JobsFixture() => Tree = new SourceTreeBuilder(Source);

    public static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public SourceTreeBuilder Tree { get; }

    public string Source => _folder["source"];

    public string State => _folder["state"];

    public string Vault => _folder["vault"];

    public string JobHost { get; init; } = Obengine.BuiltProgram;

    public PolicyLimits Limits { get; init; } = PolicyLimits.Open;

    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>What runs schedules; null for nothing.</summary>
    public ISystemScheduler? Scheduler { get; init; }

    /// <summary>Which log of the system is told of jobs.</summary>
    public SystemLogChoice SystemLog { get; init; } = SystemLogChoice.None;

    /// <summary>What schedules run; null for the program for background jobs.</summary>
    public IReadOnlyList<string>? ScheduleProgram { get; set; }

    /// <summary>What schedules take from the machine around them.</summary>
    public ScheduleParts ScheduleParts { get; init; } = new(new FakeConditions(), new FakeCommands());

    /// <summary>What checks of health have to be told.</summary>
    public HealthContext Health { get; set; } = new();

    /// <summary>What checks of health take from the machine around them.</summary>
    public HealthParts HealthParts { get; set; } = HealthParts.OfMachine;

    /// <summary>Sources by the path that is asked for, in place of real ones.</summary>
    public Dictionary<string, FakeSourceTree> Fakes { get; } = [];

    /// <summary>Comes between the jobs and the vault's folder.</summary>
    public Func<IVaultStore, IVaultStore> Between { get; set; } = store => store;

    /// <summary>Virtual machines by their names, in place of those that are reached by their addresses.</summary>
    public Dictionary<string, IVirtualMachine> Machines { get; } = [];

    /// <summary>Called before a source is opened.</summary>
    public Action OpeningSource { get; set; } = () => { };

    public string this[string name] => _folder[name];

    /// <summary>The agent of a machine, opened anew as another process would.</summary>
    public BackupAgent Open(string machine = MachineName, string? state = null) => BackupAgent.Open(Options(machine, state));

    /// <summary>What such an agent takes from outside.</summary>
    public AgentOptions Options(string machine = MachineName, string? state = null) => new()
    {
        StateFolder = state ?? State,
        MachineName = machine,
        OpenVault = (location, _) => new MeteredVaultStore(Between(new FolderVaultStore(location))),
        CreateVault = (location, _) => FolderVaultStore.Create(location),
        JobHost = [JobHost],
        SystemScheduler = Scheduler,
        ScheduleProgram = ScheduleProgram,
        ScheduleParts = ScheduleParts,
        Health = Health,
        HealthParts = HealthParts,
        SystemLog = SystemLog,
        Limits = Limits,
        Engine = new VaultOptions { TimeProvider = Clock, KeyDerivationIterations = 1000, Workers = 2 },
        OpenSource = OpenSource,
        OpenMachine = (address, name, stop) => name is not null && Machines.TryGetValue(name, out IVirtualMachine? machine) ? Task.FromResult(machine) : address.OpenAsync(name, stop),
    };

    /// <summary>A machine whose policy names these sources; without any, the real folder.</summary>
    public async Task<BackupAgent> ActivateAsync(params string[] sources)
    {
        BackupAgent agent = await ActivateAsync(MachineName, State, Passphrase);
        agent.Policies.Set(Policy(PolicyKind.Files, sources.Length == 0 ? [Source] : sources));
        return agent;
    }

    public async Task<BackupAgent> ActivateAsync(string machine, string state, string passphrase)
    {
        BackupAgent agent = Open(machine, state);
        BackupAgent owner = Open("OWNER", _folder["owner"]);
        if (!Directory.Exists(Vault))
        {
            await owner.Ownership.CreateVaultAsync(Vault, "Office", Cancel);
        }

        string credential = (await owner.Ownership.IssueCredentialAsync(Vault, _folder.Path, null, null, null, Cancel)).File;
        await agent.Machine.RegisterAsync(credential, Cancel);
        File.Delete(credential);
        await agent.Machine.Key.SetPassphraseAsync(passphrase, Cancel);
        return agent;
    }

    public static BackupPolicy Policy(PolicyKind kind, params string[] sources) => new()
    {
        Kind = kind,
        Files = [.. sources.Select(source => new FileSpecification(source))],
        Schedule = new BackupSchedule([DayOfWeek.Sunday], [TimeSpan.FromHours(21)]),
        Retention = new RetentionPolicy(30),
    };

    public static Task<JobRecord> BackUpAsync(BackupAgent agent, BackupOrder? order = null) =>
        agent.Jobs.RunAsync(order ?? new BackupOrder(), _ => { }, Cancel);

    public static async Task<BackupException> FailAsync(Func<Task> job) => await Assert.ThrowsAsync<BackupException>(job);

    /// <summary>Waits until a job has ended, in whatever process.</summary>
    public static async Task<JobRecord> EndAsync(BackupAgent agent, Guid id)
    {
        while (agent.Jobs.Get(id) is { State: JobState.InProgress })
        {
            await Task.Delay(20, Cancel);
        }

        return agent.Jobs.Get(id);
    }

    public void Dispose() => _folder.Dispose();

    private ISourceTree OpenSource(BackupSource source)
    {
        OpeningSource();
        string path = ((BackupSource.Tree)source).Path;
        return Fakes.TryGetValue(path, out FakeSourceTree? fake) ? fake : SourceTrees.Open(path, ((BackupSource.Tree)source).Selection);
    }
}
