using MSOnlineBackup.Agent.Health;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Reports;
using MSOnlineBackup.Agent.Schedules;
using MSOnlineBackup.Agent;
using MSOnlineBackup.Composition.Ssh;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Storage;


namespace MSOnlineBackup.Composition;

/// <summary>This machine's agent, put together from its parts: stores, retries, Key Vaults, a clock.</summary>
public static class MachineAgent
{
    /// <summary>Opens it.</summary>
    /// <param name="machineName">The name of this machine.</param>
    /// <param name="limits">What policies are held to.</param>
    /// <param name="waiting">Told, from any thread, before each wait for a vault that is away.</param>
    /// <param name="stateFolder">Where its state lies; null: where <c>MSONLINEBACKUP_STATE</c> points, else the platform's place.</param>
    /// <param name="jobHost">The command that runs background jobs, without <c>job run</c>; null where there is none.</param>
    /// <param name="clock">The clock; the system's if it is not given.</param>
    /// <param name="scheduler">Which scheduler of the system runs its schedules.</param>
    /// <param name="scheduleProgram">The command that schedules run, without <c>schedule run</c>; null for that of background jobs.</param>
    /// <param name="health">What checks of this machine's health have to be told; null for nothing.</param>
    /// <param name="systemLog">To which log of the system beginnings and ends of jobs go; null for none.</param>
    public static BackupAgent Open(
        string machineName,
        PolicyLimits limits,
        Action<VaultWait> waiting,
        string? stateFolder = null,
        IReadOnlyList<string>? jobHost = null,
        TimeProvider? clock = null,
        SchedulerChoice scheduler = SchedulerChoice.None,
        IReadOnlyList<string>? scheduleProgram = null,
        HealthContext? health = null,
        SystemLogChoice? systemLog = null) => BackupAgent.Open(new AgentOptions
        {
            StateFolder = stateFolder,
            MachineName = machineName,
            OpenVault = (location, connection) => VaultStores.Open(location, connection, waiting),
            CreateVault = (location, connection) => VaultStores.Create(location, connection, waiting),
            KeyVaults = KeyVaults.Access,
            JobHost = jobHost,
            RemoteShell = new SshShell(),
            Limits = limits,
            Scheduler = scheduler,
            ScheduleProgram = scheduleProgram,
            Health = (health ?? new HealthContext()) with { TestWay = TestWayAsync },
            SystemLog = systemLog ?? SystemLogChoice.None,
            Engine = new VaultOptions { TimeProvider = clock ?? TimeProvider.System },
        });

    // What a folder needs loads nothing of Azure, and whoever only names a method has its class loaded.
    private static Task<IReadOnlyList<HealthFinding>> TestWayAsync(
        string location, VaultConnection connection, Func<CancellationToken, Task> authorise, TimeSpan limit, CancellationToken cancellationToken) =>
        VaultWays.TestAsync(location, connection, authorise, limit, cancellationToken);
}
