using MSOnlineBackup.Agent.Access;
using MSOnlineBackup.Agent.Contact;
using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Engine.Sources.Rules;
using MSOnlineBackup.VirtualMachines.Addresses;
using MSOnlineBackup.VirtualMachines.GuestAgent;
using MSOnlineBackup.VirtualMachines.Machines;

namespace MSOnlineBackup.Agent.Jobs;

/// <summary>The machine that a job works for.</summary>
/// <param name="Account">Its registration, key and scratch folder.</param>
/// <param name="Contact">Whether its vault answers.</param>
/// <param name="Policies">Its policies.</param>
/// <param name="Vaults">Opens vaults.</param>
/// <param name="State">Its state.</param>
/// <param name="Limits">The profile of limits that holds for the job.</param>
/// <param name="OwnName">Its name where it is not registered.</param>
/// <param name="Clock">Its clock.</param>
internal sealed record JobMachine(
    MachineAccount Account, VaultContact Contact, PolicyStore Policies, VaultOpener Vaults, StateFolder State, PolicyLimits Limits, string OwnName, TimeProvider Clock)
{
    /// <summary>Opens twins of its vault.</summary>
    public required VaultCopies Copies { get; init; }

    /// <summary>How backups open their sources; null: as the platform does.</summary>
    public Func<BackupSource, ISourceTree>? OpenSource { get; init; }

    /// <summary>Opens virtual machines: from how one is reached, and what it is called in the vault.</summary>
    public required Func<MachineAddress, string?, CancellationToken, Task<IVirtualMachine>> OpenMachine { get; init; }

    /// <summary>What holds guests still.</summary>
    public required IGuestFreezer Freezer { get; init; }

    /// <summary>Whoever is told of its jobs.</summary>
    public IReadOnlyList<IJobObserver> Observers { get; init; } = [];

    /// <summary>Which sources of a policy are taken: by the profile, and what somebody has allowed on this machine. What the program itself has chosen always is.</summary>
    public SourceRules RulesFor(PolicyKind kind) =>
        PolicyScope.Of(kind).NamesFiles ? Limits.Sources with { Allowed = Account.Settings.AllowedSources } : SourceRules.None;

    /// <summary>The folder in which its backups write down their snapshots.</summary>
    public string SnapshotRecords => State.PathOf(StateFolder.Snapshots);

    /// <summary>The name by which the vault knows it.</summary>
    public string Name => Account.Registration?.MachineName ?? OwnName;

    /// <summary>The names of the virtual machines that its policies back up.</summary>
    public IEnumerable<string> VirtualMachines => Policies.List().SelectMany(policy => policy.VirtualMachines).Select(each => each.Name);

    /// <summary>Whether a name, in upper or lower case, is or was its own.</summary>
    public bool IsNamed(string name) =>
        Account.Registration is { } registration ? registration.IsNamed(name) : OwnName.Equals(name, StringComparison.OrdinalIgnoreCase);
}
