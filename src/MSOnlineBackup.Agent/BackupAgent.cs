using MSOnlineBackup.Agent.Access;
using MSOnlineBackup.Agent.Contact;
using MSOnlineBackup.Agent.Fleets;
using MSOnlineBackup.Agent.Groups;
using MSOnlineBackup.Agent.Health;
using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Agent.Mounting;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Remote;
using MSOnlineBackup.Agent.Remote.Jobs;
using MSOnlineBackup.Agent.Retention;
using MSOnlineBackup.Agent.Reports;
using MSOnlineBackup.Agent.Schedules;
using MSOnlineBackup.Agent.Watching;
using MSOnlineBackup.Agent.Workloads;
using MSOnlineBackup.Engine.Snapshots;
using MSOnlineBackup.Engine.Sources.Rules;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Alarms;
using MSOnlineBackup.Vaults.Compliance;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Keys;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.Protection;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Repair;
using MSOnlineBackup.Vaults.Statuses;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.VirtualMachines.Addresses;
using MSOnlineBackup.VirtualMachines.GuestAgent;
using MSOnlineBackup.VirtualMachines.Machines;

namespace MSOnlineBackup.Agent;

/// <summary>
/// This machine's agent: its registration, settings, policies and jobs, and its ways into vaults. What needs only a vault and a passphrase is
/// <see cref="UnlockedVault"/>.
/// </summary>
public sealed class BackupAgent
{
    private readonly VaultOpener _opener;
    private readonly TimeProvider _clock;
    private readonly JobMachine _machine;

    private BackupAgent(AgentOptions options)
    {
        var state = new StateFolder(options.StateFolder);
        StateFolder = state.Path;
        _clock = options.Engine.TimeProvider;
        options = options with { Engine = options.Engine with { IndexCacheFolder = options.Engine.IndexCacheFolder ?? state.PathOf("cache"), ReadsLogicalVolumes = options.Limits.ReadsLogicalVolumes } };
        Machine = new MachineAccount(state, options.MachineName, options.OpenVault, options.Limits, options.Engine, options.KeyVaults);
        Policies = new PolicyStore(state, Machine, options.Limits, options.Engine.TimeProvider);
        Vaults = new ClosedVaults(Machine.Vault);
        IVaultStore CreateStore(string location) => options.CreateVault(location, Machine.Connect(location, VaultPatience.Person));
        Ownership = new VaultOwnership(Machine.Vault, Machine.Owners, CreateStore, options.Engine);
        Copies = new VaultCopies(Machine, Vaults, CreateStore, options.Engine, options.Limits, Policies);
        Alarms = new AlarmDesk(state, _clock);
        _opener = new VaultOpener(Machine, CreateStore, options.Engine);
        Secondary = new SecondaryVault(Machine, _opener);
        Contact = new VaultContact(Machine, options.Limits, options.Engine.TimeProvider);
        JobMachine machine = _machine = new JobMachine(Machine, Contact, Policies, _opener, state, options.Limits, options.MachineName, options.Engine.TimeProvider) 
        {
            Copies = Copies,
            OpenSource = options.OpenSource,
            OpenMachine = options.OpenMachine,
            Freezer = options.Freezer ?? new FreezeChild([.. JobHostProcess.Line(ProgramOf(options)), "serve", "thaw"], options.Engine.TimeProvider),
            Observers = [new SystemLogReport(options.SystemLog, Machine, options.Engine.TimeProvider), new MetricsReport(Machine, () => Jobs!.List())],
        };
        Jobs = new AgentJobs(machine, options.JobHost);
        Mounts = new RecoveryMounts(machine, options.JobHost);
        Schedules = new AgentSchedules(
            machine, Jobs, options.SystemScheduler ?? SystemSchedulers.Choose(options.Scheduler), options.ScheduleProgram ?? options.JobHost, options.ScheduleParts);
        Updates = new AgentUpdates(machine, Jobs, Schedules) { Step = options.UpdateStep };
        Remotes = new RemoteAgents(state, options.Installation, options.RemoteShell, _clock);
        RemoteBackups = new RemoteBackups(state, options.RemoteShell, _clock);
        Groups = new ProtectionGroups(Machine, state, CreateStore, options.Engine, options.Limits, RemoteBackups);
        Health = new AgentHealth(machine, Jobs, Schedules, options.Health, options.HealthParts);
    }

    /// <summary>Which sources backups by a policy for files take.</summary>
    /// <exception cref="BackupException">StateInvalid, StateAccessDenied.</exception>
    public SourceRules SourceRules => _machine.RulesFor(PolicyKind.Files);

    /// <summary>Where this machine's state lies, files that its owner puts there included.</summary>
    public string StateFolder { get; }

    /// <summary>Registration, passphrase and settings.</summary>
    public MachineAccount Machine { get; }

    /// <summary>Whether its vault answers, and what follows from that.</summary>
    public VaultContact Contact { get; }

    /// <summary>The policies.</summary>
    public PolicyStore Policies { get; }

    /// <summary>The jobs.</summary>
    public AgentJobs Jobs { get; }

    /// <summary>The recovery points that are mounted.</summary>
    public RecoveryMounts Mounts { get; }

    /// <summary>When the jobs run by themselves.</summary>
    public AgentSchedules Schedules { get; }

    /// <summary>How its module comes to another version.</summary>
    public AgentUpdates Updates { get; }

    /// <summary>The agents that it has put on other machines.</summary>
    public RemoteAgents Remotes { get; }

    /// <summary>Backups of other machines that are started from this one.</summary>
    public RemoteBackups RemoteBackups { get; }

    /// <summary>The machines that it backs up as their server.</summary>
    public ProtectionGroups Groups { get; }

    /// <summary>Whether this machine can back up, and does.</summary>
    public AgentHealth Health { get; }

    /// <summary>Where alarms go.</summary>
    public AlarmDesk Alarms { get; }

    /// <summary>What this machine can see of vaults without a key.</summary>
    public ClosedVaults Vaults { get; }

    /// <summary>What the owner of a vault does from this machine.</summary>
    public VaultOwnership Ownership { get; }

    /// <summary>Twins of vaults, and copying to them.</summary>
    public VaultCopies Copies { get; }

    /// <summary>The copy of this machine's vault that recoveries may read instead.</summary>
    public SecondaryVault Secondary { get; }

    /// <summary>Opens the state of this machine; makes nothing yet.</summary>
    public static BackupAgent Open(AgentOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new BackupAgent(options);
    }

    /// <summary>
    /// Leaves the vault that this machine is registered with. Everything in the vault stays, and so do policies and settings; the vault counts the machine until its owner
    /// unregisters it.
    /// </summary>
    /// <returns>The registration that was.</returns>
    /// <exception cref="BackupException">MachineNotRegistered, JobInProgress, StateInvalid, StateAccessDenied.</exception>
    public async Task<MachineRegistration> LeaveVaultAsync(CancellationToken cancellationToken)
    {
        using IDisposable _ = await Jobs.LockAsync(cancellationToken).ConfigureAwait(false);
        return await Machine.LeaveAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Gives this machine another name in its vault. Its recovery points stay its own, and the next backup goes on from them; the name that it had stays its own, too. No job of
    /// this machine runs meanwhile.
    /// </summary>
    /// <param name="newName">1 to 255 characters, none of them a control character.</param>
    /// <param name="cancellationToken">Stops it. Where it was interrupted, doing it again does the rest.</param>
    /// <exception cref="BackupException">ArgumentInvalid, MachineNotRegistered, MachineNotActivated, JobInProgress; MachineNameTaken where another machine has the new name, had it,
    /// or left recovery points under it; VaultUnreachable, …</exception>
    public async Task<MachineRegistration> RenameMachineAsync(string newName, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(newName);
        using IDisposable _ = await Jobs.LockAsync(cancellationToken).ConfigureAwait(false);
        Machine.RequireActivated();
        using UnlockedVault vault = await OpenEngineAsync(cancellationToken).ConfigureAwait(false);
        await vault.RenameMachineAsync(NameInVault, newName, cancellationToken).ConfigureAwait(false);
        return Machine.NoteName(newName);
    }

    /// <summary>Saves a policy in the place of the one there was of its kind. Where it keeps points for a shorter time than that, the vault may ask for consent, or refuse it.</summary>
    /// <param name="policy">The policy.</param>
    /// <param name="consent">What the vault asks for, see <see cref="GuardedOperation.ShortenRetention"/>; null for nothing.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>The policy as it was saved.</returns>
    /// <exception cref="BackupException">Those of <see cref="PolicyStore.Set"/>; VaultImmutable (810001), SecurityPinRejected (100130), ApprovalRejected; VaultUnreachable, … where the vault
    /// has to be asked and cannot be.</exception>
    public async Task<BackupPolicy> SavePolicyAsync(BackupPolicy policy, Consent? consent, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(policy);
        Policies.Check(policy);
        
        // Null where the policy before cannot be read: setting it again is what puts that right, and needs the same consent.
        bool? shortens = Policies.Shortens(policy);
        if (shortens != false)
        {
            VaultGuard guard = (await Machine.Vault.OpenAsync(cancellationToken).ConfigureAwait(false)).Guard;
            VaultSettings settings = await guard.ReadSettingsAsync(cancellationToken).ConfigureAwait(false);
            if (shortens == true && settings.ImmutableTime is not null)
            {
                throw guard.Immutable("The retention of the policy is not shortened", settings);
            }

            await guard.RequireAsync(settings, GuardedOperation.ShortenRetention, consent, cancellationToken).ConfigureAwait(false);
        }

        return Policies.Set(policy);
    }

    /// <summary>Rotates the master key of this machine's chunk store, while no job of this machine runs: see <see cref="MachineKey"/>.</summary>
    /// <param name="passphrase">What opens the store from now on: a new passphrase, or the one that it has.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="consent">What the vault asks for before this, see <see cref="GuardedOperation.ChangePassphrase"/>; null for nothing.</param>
    /// <returns>The key slots that lead to earlier master keys only, and have to be added again.</returns>
    /// <exception cref="BackupException">JobInProgress, PassphraseInvalid, MachineNotRegistered, MachineNotActivated, KeyEpochOutdated, ActivationFailed, …</exception>
    public async Task<IReadOnlyList<KeySlotInfo>> RotateKeyAsync(string passphrase, CancellationToken cancellationToken, Consent? consent = null)
    {
        using IDisposable _ = await Jobs.LockAsync(cancellationToken).ConfigureAwait(false);
        await Machine.Key.RotateAsync(passphrase, consent, cancellationToken).ConfigureAwait(false);
        using UnlockedVault vault = await OpenEngineAsync(cancellationToken).ConfigureAwait(false);
        return [.. (await vault.ListKeysAsync(cancellationToken).ConfigureAwait(false)).Where(slot => slot.IsOutdated)];
    }

    /// <summary>What somebody should see to: brakes on deletion of this machine, damage that is on record in its vault, and a retention that was shortened. The latest first.</summary>
    /// <exception cref="BackupException">MachineNotRegistered, MachineNotActivated, StateInvalid; VaultUnreachable, …: then only this machine's own are known, see
    /// <see cref="FindLocalAlarms"/>.</exception>
    public async Task<IReadOnlyList<VaultAlarm>> ReadAlarmsAsync(CancellationToken cancellationToken)
    {
        using UnlockedVault vault = await OpenEngineAsync(cancellationToken).ConfigureAwait(false);
        IReadOnlyList<VaultAlarm> alarms = await vault.ReadAlarmsAsync(NameInVault, cancellationToken).ConfigureAwait(false);
        List<VaultAlarm> local = [.. FindLocalAlarms()];
        if (local.Count == 0)
        {
            return alarms;
        }

        VaultSettings settings = await vault.Vault.ReadSettingsAsync(cancellationToken).ConfigureAwait(false);
        VaultRecords records = await VaultRecords.ReadAllAsync(vault.Vault.Known, cancellationToken).ConfigureAwait(false);
        DateTimeOffset? released = records.LastRelease(await vault.FindMachineAsync(NameInVault, cancellationToken).ConfigureAwait(false));
        var time = TimeSpan.FromDays(settings.UndeleteDays + settings.BrakeDays);
        local.RemoveAll(alarm => released >= alarm.Since || _clock.GetUtcNow() - alarm.Since > time);

        // This machine knows what its policies kept; by the vault it shows what went by it.
        return [.. alarms.Concat(local).OrderByDescending(alarm => alarm.Since)];
    }

    /// <summary>Of these alarms those that this machine knows without its vault.</summary>
    /// <exception cref="BackupException">StateInvalid, StateAccessDenied.</exception>
    public IEnumerable<VaultAlarm> FindLocalAlarms() => PolicyScope.All.Select(scope => Policies.FindShortened(scope.Kind)?.ToAlarm(NameInVault)).OfType<VaultAlarm>();

    /// <summary>Looks once whether the backups of a vault's machines come as expected. Needs no passphrase; of its own vault this machine reads by its own key, where it has one.</summary>
    /// <param name="vault">The vault.</param>
    /// <param name="credentialFiles">Monitoring credentials of chunk stores, see <see cref="Vault.Watch"/>.</param>
    /// <param name="maxAge">See <see cref="Vault.Watch"/>.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">MonitoringCredentialInvalid; VaultNotFound, VaultUnreachable, …</exception>
    public async Task<VaultCompliance> WatchAsync(VaultAddress vault, IReadOnlyList<string> credentialFiles, TimeSpan? maxAge, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        ArgumentNullException.ThrowIfNull(credentialFiles);
        IReadOnlyList<MonitoringCredential> credentials = await MonitoringCredential.ReadAllAsync(credentialFiles, cancellationToken).ConfigureAwait(false);
        Vault known = await Vaults.OpenAsync(vault, cancellationToken).ConfigureAwait(false);
        if (await FindOwnCredentialAsync(known, cancellationToken).ConfigureAwait(false) is { } own)
        {
            credentials = [.. credentials, own];
        }

        return await known.Watch(credentials, maxAge).LookAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Looks once over the machines of several vaults, as <see cref="WatchAsync"/> over those of one. A vault that cannot be read keeps nothing of the others from being told.</summary>
    /// <exception cref="BackupException">MonitoringCredentialInvalid.</exception>
    public async Task<Fleet> LookOverAsync(
        IReadOnlyList<VaultAddress> vaults, IReadOnlyList<string> credentialFiles, TimeSpan? maxAge, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vaults);
        ArgumentNullException.ThrowIfNull(credentialFiles);
        IReadOnlyList<MonitoringCredential> credentials = await MonitoringCredential.ReadAllAsync(credentialFiles, cancellationToken).ConfigureAwait(false);
        return await FleetReader.ReadAsync(
            [.. vaults.Select(vault => (vault.Location, (Func<CancellationToken, Task<Vault>>)(stop => Vaults.OpenAsync(vault, stop))))],
            credentials,
            FindOwnCredentialAsync,
            maxAge,
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The workloads that this machine has backed up, by its points in its vault.</summary>
    /// <exception cref="BackupException">MachineNotRegistered, MachineNotActivated, StateInvalid; VaultNotFound, …</exception>
    public async Task<IReadOnlyList<WorkloadState>> ListWorkloadsAsync(CancellationToken cancellationToken)
    {
        using UnlockedVault vault = await OpenEngineAsync(cancellationToken).ConfigureAwait(false);
        return WorkloadState.Find(await vault.ListPointsAsync(NameInVault, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>Opens a virtual machine.</summary>
    /// <param name="address">How it is reached.</param>
    /// <param name="name">What it is called in the vault; null for the name that it has itself.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">VirtualMachineUnreachable, VirtualMachineBusy, VirtualMachineCommandFailed, VirtualMachineUnfit.</exception>
    public Task<IVirtualMachine> OpenVirtualMachineAsync(MachineAddress address, string? name, CancellationToken cancellationToken) => _machine.OpenMachine(address, name, cancellationToken);

    /// <summary>What becomes of this machine's recovery points by the policies in force, with the next maintenance, and how many bytes go with them.</summary>
    /// <exception cref="BackupException">MachineNotRegistered, MachineNotActivated, StateInvalid, VaultNotFound, …</exception>
    public async Task<RetentionPlan> PlanRetentionAsync(CancellationToken cancellationToken)
    {
        using UnlockedVault vault = await OpenEngineAsync(cancellationToken).ConfigureAwait(false);
        VaultRetention retention = Retention(vault);
        return await retention.MeasureAsync(await retention.PlanAsync(NameInVault, _machine.VirtualMachines, _machine.IsNamed, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Puts the retention of this machine's policies into force, and frees what the vault needs no more. While it lets go of points no job of this machine runs; while it frees,
    /// all may. Where a point of this machine cannot be read, none is let go of.
    /// </summary>
    /// <param name="request">What it may do.</param>
    /// <param name="monitor">Is told how far it is.</param>
    /// <param name="planned">Told of what was let go of, before anything is freed; null for nobody.</param>
    /// <param name="cancellationToken">Stops it; the next run goes on.</param>
    /// <exception cref="BackupException">JobInProgress; MachineNotRegistered, StateInvalid, …; VaultAccessDenied where this machine may not delete: then nothing was done.</exception>
    public async Task<MachineMaintenance> MaintainAsync(
        MaintenanceRequest request, JobMonitor monitor, Action<int>? planned, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        using UnlockedVault vault = await _opener.OpenAsync(monitor, VaultPatience.Job, cancellationToken).ConfigureAwait(false);
        if (!request.IsRehearsal)
        {
            await vault.RequireDeletionAsync(cancellationToken).ConfigureAwait(false);
        }

        VaultRetention retention = Retention(vault);
        if (request.IsRehearsal)
        {
            RetentionPlan foreseen = await retention.PlanAsync(NameInVault, _machine.VirtualMachines, _machine.IsNamed, cancellationToken).ConfigureAwait(false);
            foreseen = await retention.MeasureAsync(foreseen, cancellationToken).ConfigureAwait(false);
            planned?.Invoke(foreseen.Expiring.Count());
            return new MachineMaintenance(foreseen, foreseen.Expiring.Count(), await vault.MaintainAsync(request, monitor, cancellationToken).ConfigureAwait(false));
        }

        try
        {
            (RetentionPlan plan, int deleted) = await ExpireAsync().ConfigureAwait(false);
            planned?.Invoke(deleted);
            return new MachineMaintenance(plan, deleted, await vault.MaintainAsync(request, monitor, cancellationToken).ConfigureAwait(false));
        }
        catch (BackupException e) when (e.Id == BackupErrorId.VaultFull)
        {
            // Nothing can be let go of where that cannot be written down: first what nothing needs makes room.
            MaintenanceReport collection = await vault.MaintainAsync(request, monitor, cancellationToken).ConfigureAwait(false);
            (RetentionPlan plan, int deleted) = await ExpireAsync().ConfigureAwait(false);
            planned?.Invoke(deleted);
            return new MachineMaintenance(plan, deleted, collection);
        }

        async Task<(RetentionPlan Plan, int Deleted)> ExpireAsync()
        {
            using IDisposable _ = await Jobs.LockAsync(cancellationToken).ConfigureAwait(false);
            RetentionPlan plan = await retention.PlanAsync(NameInVault, _machine.VirtualMachines, _machine.IsNamed, cancellationToken).ConfigureAwait(false);
            return (plan, await retention.ApplyAsync(plan, cancellationToken).ConfigureAwait(false));
        }
    }

    /// <summary>Mends what is damaged or missing in this machine's vault. All jobs may run meanwhile.</summary>
    /// <exception cref="BackupException">MachineNotRegistered, StateInvalid, …; SessionFenced where others condemned packs all the time: then it is run again.</exception>
    public async Task<RepairReport> RepairAsync(RepairRequest request, JobMonitor monitor, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        using UnlockedVault vault = await _opener.OpenAsync(monitor, VaultPatience.Job, cancellationToken).ConfigureAwait(false);
        return await vault.RepairAsync(request, monitor, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Deletes all recovery points of this machine that were made by the policy of a kind, the newest included. They can be brought back for the vault's undelete time.</summary>
    /// <param name="policy">The kind of the policy, whether it is still there or not.</param>
    /// <param name="reason">Why: at most 1,024 characters.</param>
    /// <param name="cancellationToken">Stops it. Then some are deleted, and doing it again goes on.</param>
    /// <param name="consent">What the vault asks for before this; null for nothing.</param>
    /// <returns>How many were deleted.</returns>
    /// <exception cref="BackupException">MachineNotRegistered, MachineNotActivated, SecurityPinRejected, ApprovalRejected, VaultImmutable, VaultAccessDenied, …</exception>
    public async Task<int> DeletePointsAsync(PolicyKind policy, string reason, CancellationToken cancellationToken, Consent? consent = null)
    {
        using UnlockedVault vault = await OpenEngineAsync(cancellationToken).ConfigureAwait(false);
        List<RecoveryPoint> points =
        [
            .. (await vault.ListPointsAsync(NameInVault, cancellationToken).ConfigureAwait(false)).Where(point =>
                point.Tags.Any(text => RetentionTag.TryParse(text, out RetentionTag? tag) && tag.Policy == policy)),
        ];
        return (await vault.Deletions.DeleteManyAsync(points, reason, evenNewest: true, cancellationToken, consent).ConfigureAwait(false)).Count;
    }

    /// <summary>The points whose snapshots stay on this machine, newest first. Needs neither the vault nor a key.</summary>
    public Task<IReadOnlyList<LocalPoint>> ListLocalPointsAsync(CancellationToken cancellationToken) => LocalPoints.ListAsync(_machine.SnapshotRecords, cancellationToken);

    /// <summary>Removes snapshots that stayed on this machine; the vault keeps what it has.</summary>
    /// <param name="policy">Those of backups by the policy of this kind; null for all.</param>
    /// <param name="note">Told why something is still there.</param>
    /// <param name="cancellationToken">Stops it between two points.</param>
    /// <returns>Of how many points.</returns>
    public Task<int> RemoveLocalPointsAsync(PolicyKind? policy, Action<string> note, CancellationToken cancellationToken) =>
        LocalPoints.RemoveAsync(_machine.SnapshotRecords, point => policy is null || point.Series == policy.ToString(), note, cancellationToken);

    /// <summary>Opens this machine's vault by its key file, for somebody who waits for it.</summary>
    /// <exception cref="BackupException">MachineNotRegistered, MachineNotActivated, KeyFileInvalid, ActivationDamaged, VaultNotFound, …</exception>
    public Task<UnlockedVault> OpenEngineAsync(CancellationToken cancellationToken) => OpenEngineAsync(VaultPatience.Person, cancellationToken);

    /// <summary>Opens this machine's vault by its key file, with the patience of whoever waits for it.</summary>
    public Task<UnlockedVault> OpenEngineAsync(VaultPatience patience, CancellationToken cancellationToken) =>
        _opener.OpenAsync(new JobMonitor(), patience, cancellationToken);

    /// <summary>Opens a vault by a passphrase, for somebody who waits for it.</summary>
    /// <exception cref="BackupException">VaultNotFound, PassphraseRejected, …</exception>
    public Task<UnlockedVault> OpenEngineAsync(VaultAddress vault, string passphrase, CancellationToken cancellationToken) =>
        OpenEngineAsync(vault, passphrase, VaultPatience.Person, cancellationToken);

    /// <summary>Opens a vault by a passphrase, with the patience of whoever waits for it.</summary>
    public Task<UnlockedVault> OpenEngineAsync(VaultAddress vault, string passphrase, VaultPatience patience, CancellationToken cancellationToken) =>
        _opener.OpenAsync(vault, passphrase, new JobMonitor(), patience, cancellationToken);

    private string NameInVault => Machine.Registration?.MachineName ?? Machine.Name;

    private VaultRetention Retention(UnlockedVault vault) => VaultRetention.ByPolicies(vault, _clock, Policies.List(), kind => Policies.FindShortened(kind)?.Since);

    // Null where it is neither this machine's vault nor a twin of it, or this machine has no key for it.
    private async Task<MonitoringCredential?> FindOwnCredentialAsync(Vault vault, CancellationToken cancellationToken)
    {
        if (Machine is not { HasPassphrase: true } || Machine.Registration?.VaultId != vault.VaultId || Machine.Key.FindFault() is not null)
        {
            return null;
        }

        // The same key opens a twin, too, and the registered vault need not be there for that.
        using UnlockedKey key = Machine.Key.Read();
        using UnlockedVault own = await vault.UnlockAsync(key, cancellationToken).ConfigureAwait(false);
        return own.CreateMonitoringCredential();
    }

    // What runs by itself; where there is nothing of that kind, the program by its name.
    private static IReadOnlyList<string> ProgramOf(AgentOptions options) =>
        new[] { options.ScheduleProgram, options.JobHost }.FirstOrDefault(command => command is { Count: > 0 }) ?? ["obengine"];
}
