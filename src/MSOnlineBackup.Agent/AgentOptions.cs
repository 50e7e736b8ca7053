using MSOnlineBackup.Agent.Health;
using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Remote;
using MSOnlineBackup.Agent.Reports;
using MSOnlineBackup.Agent.Schedules;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Snapshots;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Platform.Machine;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.VirtualMachines.Addresses;
using MSOnlineBackup.VirtualMachines.GuestAgent;
using MSOnlineBackup.VirtualMachines.Machines;


namespace MSOnlineBackup.Agent;

/// <summary>What an agent takes from outside.</summary>
public sealed record AgentOptions
{
    /// <summary>Where the state of this machine's agent lies if nobody says otherwise.</summary>
    public static string DefaultStateFolder => new StateFolder(null).Path;

    /// <summary>How a backup takes snapshots that are written down in a machine's state.</summary>
    /// <param name="stateFolder">Where that lies.</param>
    /// <param name="mode">Whether it does.</param>
    public static SnapshotOptions SnapshotsIn(string stateFolder, SnapshotMode mode) => new(mode, Path.Combine(stateFolder, Agent.Machine.StateFolder.Snapshots));

    /// <summary>Where the machine's state lies; null: where <c>MSONLINEBACKUP_STATE</c> points, else the platform's place.</summary>
    public string? StateFolder { get; init; }

    /// <summary>The name of this machine.</summary>
    public string MachineName { get; init; } = HostName.Current;

    /// <summary>From a vault's location, and how it is reached, to the store of an existing vault: the composition's choice of stores and retries.</summary>
    public required Func<string, VaultConnection, IVaultStore> OpenVault { get; init; }

    /// <summary>From a vault's location, and how it is reached, to the store of a vault that is to be created.</summary>
    public required Func<string, VaultConnection, IVaultStore> CreateVault { get; init; }

    /// <summary>How Azure Key Vaults are come by; null where none are used.</summary>
    public KeyVaultAccess? KeyVaults { get; init; }

    /// <summary>
    /// The command that runs background jobs: a program, and arguments before <c>job run ID --state FOLDER</c>; null where there is none.
    /// The program is an executable, or a .dll that the current runtime runs.
    /// </summary>
    public IReadOnlyList<string>? JobHost { get; init; }

    /// <summary>Which scheduler of the system runs this machine's schedules. None unless somebody says so: a test must not change the machine that it runs on.</summary>
    public SchedulerChoice Scheduler { get; init; }

    /// <summary>The command that schedules run: a program, and arguments before <c>schedule run</c>; null for <see cref="JobHost"/>.</summary>
    public IReadOnlyList<string>? ScheduleProgram { get; init; }

    /// <summary>What checks of this machine's health have to be told.</summary>
    public HealthContext Health { get; init; } = new();

    /// <summary>To which log of the system beginnings and ends of jobs go. To none unless somebody says so: a test must not tell the machine that it runs on.</summary>
    public SystemLogChoice SystemLog { get; init; } = SystemLogChoice.None;

    /// <summary>What policies are held to.</summary>
    public required PolicyLimits Limits { get; init; }

    /// <summary>The clock, and how vaults' keys are treated.</summary>
    public VaultOptions Engine { get; init; } = new();

    /// <summary>Logs in to other machines on which agents are put; null where that is not done.</summary>
    public IRemoteShell? RemoteShell { get; init; }

    /// <summary>Finds what is put on other machines where nobody names a package.</summary>
    public Func<RemoteInstallation> Installation { get; init; } = RemoteInstallation.Find;

    /// <summary>Opens virtual machines: from how one is reached, and what it is called in the vault (null for the name that it has itself).</summary>
    public Func<MachineAddress, string?, CancellationToken, Task<IVirtualMachine>> OpenMachine { get; init; } = static (address, name, stop) => address.OpenAsync(name, stop);

    /// <summary>What holds guests still; null: a child of the program that runs background jobs or schedules.</summary>
    internal IGuestFreezer? Freezer { get; init; }

    /// <summary>The scheduler itself, in place of <see cref="Scheduler"/>; null for that.</summary>
    internal ISystemScheduler? SystemScheduler { get; init; }

    /// <summary>What schedules take from the machine around them.</summary>
    internal ScheduleParts ScheduleParts { get; init; } = ScheduleParts.OfMachine;

    /// <summary>What checks of this machine's health take from the machine around them.</summary>
    internal HealthParts HealthParts { get; init; } = HealthParts.OfMachine;

    /// <summary>Called between the steps of an update; null for nobody.</summary>
    internal Action<string>? UpdateStep { get; init; }

    /// <summary>How backups open their sources; null: as the platform does.</summary>
    internal Func<BackupSource, ISourceTree>? OpenSource { get; init; }
}
