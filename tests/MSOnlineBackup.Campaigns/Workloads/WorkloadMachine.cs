using MSOnlineBackup.Agent;
using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Workloads;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Campaigns.Workloads;

/// <summary>A machine with a vault in a folder, and a policy that has nothing but workloads.</summary>
public sealed class WorkloadMachine : IDisposable
{
    private const string Passphrase = "a passphrase for tests";

    public TempFolder Folder { get; } = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public BackupAgent Agent => BackupAgent.Open(new AgentOptions
    {
        StateFolder = Folder["state"],
        MachineName = "db1",
        OpenVault = (location, _) => new FolderVaultStore(location),
        CreateVault = (location, _) => FolderVaultStore.Create(location),
        JobHost = [Obengine.BuiltProgram],
        Limits = PolicyLimits.Open,
        Engine = new VaultOptions { Workers = 2 },
    });

    /// <summary>Registers the machine, and saves a policy.</summary>
    public async Task PrepareAsync(params WorkloadSettings[] workloads)
    {
        BackupAgent agent = Agent;
        await agent.Ownership.CreateVaultAsync(Folder["vault"], "vault", Cancel);
        string file = (await agent.Ownership.IssueCredentialAsync(Folder["vault"], Directory.CreateDirectory(Folder["files"]).FullName, null, null, owner: null, Cancel)).File;
        await agent.Machine.RegisterAsync(file, Cancel);
        await agent.Machine.Key.SetPassphraseAsync(Passphrase, Cancel);
        await SaveAsync(workloads);
    }

    /// <summary>Saves a policy of workloads.</summary>
    public Task<BackupPolicy> SaveAsync(params WorkloadSettings[] workloads) => Agent.SavePolicyAsync(
        new BackupPolicy
        {
            Workloads = workloads,
            Schedule = new BackupSchedule([.. Enum.GetValues<DayOfWeek>()], [], 1) { EveryMinutes = 15 },
            Retention = new RetentionPolicy(10),
        },
        consent: null,
        Cancel);

    public Task<JobRecord> BackUpAsync() => Agent.Jobs.RunAsync(new BackupOrder { Policy = PolicyKind.Files, Only = [] }, _ => { }, Cancel);

    /// <summary>The workload as the vault has it.</summary>
    public async Task<WorkloadState> FindAsync() => Assert.Single(await Agent.ListWorkloadsAsync(Cancel));

    public Task<JobRecord> RecoverAsync(string name, DateTimeOffset? moment, string target) =>
        Agent.Jobs.RunAsync(new WorkloadRecoveryOrder { Workload = name, ToTime = moment, TargetFolder = target, MachineName = "db1" }, _ => { }, Cancel);

    public void Dispose() => Folder.Dispose();
}
