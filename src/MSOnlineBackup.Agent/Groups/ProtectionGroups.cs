using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Remote;
using MSOnlineBackup.Agent.Remote.Jobs;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Groups;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Agent.Groups;

/// <summary>
/// The protection groups that this machine is the server of. There is no database: each group is a sealed record in all of its places, and this machine keeps nothing but which
/// vaults it knows, and the keys that open them. What is lost here, <see cref="SyncAsync"/> finds again.
/// </summary>
public sealed class ProtectionGroups
{
    private const string LockFolder = "groups";

    private readonly StateFolder _state;
    private readonly RemoteBackups _backups;
    private readonly ServerVaults _vaults;
    private readonly GroupPlaces _places;
    private readonly GroupBooks _books;
    private readonly GroupMachines _machines;
    private readonly ServerSync _sync;
    private readonly PolicyLimits _limits;
    private readonly TimeProvider _clock;

    internal ProtectionGroups(MachineAccount machine, StateFolder state, Func<string, IVaultStore> createStore, VaultOptions options, PolicyLimits limits, RemoteBackups backups)
    {
        _state = state;
        _backups = backups;
        _vaults = new ServerVaults(state, new MachineSecret(state, ISecretProtection.Current));
        _places = new GroupPlaces(machine, _vaults, options);
        _books = new GroupBooks(_places, _vaults);
        _machines = new GroupMachines(new RemoteAgentRecords(state));
        _sync = new ServerSync(_vaults, _places, _books, _machines, createStore);
        _limits = limits;
        _clock = options.TimeProvider;
    }

    /// <summary>The groups, by name.</summary>
    /// <exception cref="BackupException">StateInvalid, StateAccessDenied. What cannot be reached or read otherwise is in the overview.</exception>
    public Task<GroupOverview> ListAsync(CancellationToken cancellationToken) => _books.ReadAsync(cancellationToken);

    /// <summary>The group of a name, in upper or lower case.</summary>
    /// <exception cref="BackupException">GroupNotFound, StateInvalid, StateAccessDenied.</exception>
    public async Task<ProtectionGroup> GetAsync(string name, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(name);
        GroupOverview known = await ListAsync(cancellationToken).ConfigureAwait(false);
        return Find(known.Groups, name) ?? throw GroupErrors.NotFound(name, known.Problems);
    }

    /// <summary>Whether this machine has a key for the vault in a place; whether it still opens it is not tried.</summary>
    /// <exception cref="BackupException">VaultNotFound, VaultUnreachable, StateInvalid, …</exception>
    public Task<bool> HasKeyAsync(string place, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(place);
        return _places.HasKeyAsync(place, cancellationToken);
    }

    /// <summary>The error for a name that no group has.</summary>
    /// <param name="name">The name.</param>
    /// <param name="problems">What kept more from being known.</param>
    public static BackupException NotFound(string name, IReadOnlyList<BackupException> problems) => GroupErrors.NotFound(name, problems);

    /// <summary>What a group keeps of machines on which this one has put agents.</summary>
    /// <exception cref="BackupException">AgentNotInstalled, ArgumentInvalid, StateInvalid, StateAccessDenied.</exception>
    public IReadOnlyList<GroupMachine> Describe(IEnumerable<string> hosts) => _machines.Describe(hosts);

    /// <summary>The machines of a group once some have come into it, and others have left it.</summary>
    /// <param name="group">The group as it is.</param>
    /// <param name="added">Machines on which this one has put agents; of those that are in it already, how they are logged in to and the pinned key are taken anew.</param>
    /// <param name="removed">Machines of the group, in upper or lower case.</param>
    /// <exception cref="BackupException">ArgumentInvalid: one that is to leave is not in it; those of <see cref="Describe(IEnumerable{string})"/>.</exception>
    public IReadOnlyList<GroupMachine> Describe(ProtectionGroup group, IReadOnlyList<string> added, IReadOnlyList<string> removed)
    {
        ArgumentNullException.ThrowIfNull(group);
        return _machines.Describe(group, added, removed);
    }

    /// <summary>Makes a group. All of its places must be there, and twins of one vault.</summary>
    /// <param name="group">The group; its id, vault and time are given here.</param>
    /// <param name="passphrase">What opens its places; null where this machine has a key that does.</param>
    /// <param name="isRehearsal">Whether it is only seen that it could be made.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">GroupExists, GroupMachineTaken; ArgumentInvalid, PolicyIncomplete, PolicyLimitExceeded, …; VaultNotTwin, VaultNotFound, VaultUnreachable,
    /// RecoveryOptionMissing, PassphraseRejected, …</exception>
    public async Task<GroupChange> CreateAsync(ProtectionGroup group, string? passphrase, bool isRehearsal, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(group);
        return await SaveAsync(group with { Id = GroupRecord.NewId() }, null, passphrase, isRehearsal, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Changes a group. Places that are new to it must be there, and twins of its vault; those that it leaves are told so, where they can be.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="change">From what it is to what it is to be.</param>
    /// <param name="passphrase">What opens its places; null where this machine has a key that does.</param>
    /// <param name="isRehearsal">Whether it is only seen that it could be changed.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">GroupNotFound; those of <see cref="CreateAsync"/>.</exception>
    public async Task<GroupChange> ChangeAsync(string name, Func<ProtectionGroup, ProtectionGroup> change, string? passphrase, bool isRehearsal, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(change);
        ProtectionGroup known = await GetAsync(name, cancellationToken).ConfigureAwait(false);
        return await SaveAsync(change(known) with { Id = known.Id, VaultId = known.VaultId }, known, passphrase, isRehearsal, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Removes a group. Its recovery points stay, and so do the agents on its machines.</summary>
    /// <returns>Places that do not know of it yet.</returns>
    /// <exception cref="BackupException">GroupNotFound; VaultNotFound, VaultUnreachable, … where no place can be told.</exception>
    public async Task<IReadOnlyList<BackupException>> RemoveAsync(string name, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(name);
        GroupOverview known = await ListAsync(cancellationToken).ConfigureAwait(false);
        ProtectionGroup group = Find(known.Groups, name) ?? throw GroupErrors.NotFound(name, known.Problems);
        var record = new GroupRecord { Id = group.Id, Name = group.Name, Changed = _clock.GetUtcNow(), IsRemoved = true };
        IReadOnlyList<BackupException> problems = await _books.WriteAsync(group.VaultId, PlacesOf(group.VaultId).Concat(group.Places), record, cancellationToken).ConfigureAwait(false);
        ForgetUnused(group, known.Groups.Where(other => other.Id != group.Id));
        return problems;
    }

    /// <summary>
    /// Finds again all that a server knows: groups with their places, machines with their agents and pinned keys. Brings to each place what the others have of groups. A second one
    /// changes nothing; a record that is damaged hides no other.
    /// </summary>
    /// <param name="place">A vault: one of the places.</param>
    /// <param name="passphrase">What opens it; null where this machine has a key that does.</param>
    /// <param name="isRehearsal">Whether nothing is changed, here or there.</param>
    /// <param name="cancellationToken">Stops it; the next one goes on.</param>
    /// <exception cref="BackupException">VaultNotFound, VaultUnreachable, RecoveryOptionMissing, PassphraseRejected, StateInvalid, …</exception>
    public Task<ServerSyncReport> SyncAsync(string place, string? passphrase, bool isRehearsal, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(place);
        return _sync.RunAsync(place, passphrase, isRehearsal, cancellationToken);
    }

    /// <summary>Makes disk vaults anew from a copy, with all of its recovery points, after a disk was lost or emptied; then as <see cref="SyncAsync"/>. Where it was stopped, the next one goes on.</summary>
    /// <param name="from">The copy.</param>
    /// <param name="place">An empty place, which takes that of disk vaults that are not there; null for those of the groups that are not there.</param>
    /// <param name="passphrase">What opens the copy; null where this machine has a key that does.</param>
    /// <param name="monitor">Is told how far it is.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">VaultExists: something else is in the place; ArgumentInvalid where no disk vault is missing; VaultFull, …; those of <see cref="SyncAsync"/>.</exception>
    public Task<ServerSyncReport> ReallocateAsync(string from, string? place, string? passphrase, Vaults.Progress.JobMonitor monitor, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(from);
        ArgumentNullException.ThrowIfNull(monitor);
        return _sync.ReallocateAsync(from, place, passphrase, monitor, cancellationToken);
    }

    /// <summary>How the disk vaults of a group stand.</summary>
    /// <exception cref="BackupException">StateInvalid, StateAccessDenied; what is not there says so.</exception>
    public Task<IReadOnlyList<DiskVault>> ReadDisksAsync(ProtectionGroup group, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(group);
        return DiskVaults.ReadAsync(group, _vaults.List().First(known => known.VaultId == group.VaultId), _places, _clock, cancellationToken);
    }

    /// <summary>
    /// Has each machine of a group back up into its disk vault over ssh, copies what is new, and puts the retention into force. A machine that fails stops no other; a place of copies
    /// that is away stops no backup.
    /// </summary>
    /// <param name="name">The group.</param>
    /// <param name="told">Told of each machine when it is done, from any thread; null for nobody.</param>
    /// <param name="cancellationToken">Stops it in order; what has arrived is used by the next run.</param>
    /// <exception cref="BackupException">GroupNotFound, JobInProgress; under Mars VaultContactLost, SubscriptionExpired, SubscriptionDeprovisioned of the places of copies; VaultNotFound,
    /// VaultUnreachable, … where no disk vault can be opened: then nothing was done.</exception>
    public Task<GroupRun> RunAsync(string name, Action<GroupMachineRun>? told, CancellationToken cancellationToken) =>
        RunAsync(name, new RemoteMachineBackups(_backups), DiskVaults.RoomOf, told, cancellationToken);

    /// <summary>Runs a group once; no other process of this machine runs it meanwhile. See <see cref="GroupRuns"/>.</summary>
    internal async Task<GroupRun> RunAsync(string name, IMachineBackups backups, Func<string, (long? Free, long? Total)> room, Action<GroupMachineRun>? told, CancellationToken cancellationToken)
    {
        ProtectionGroup group = await GetAsync(name, cancellationToken).ConfigureAwait(false);
        _state.MakeFolder(LockFolder);
        using IDisposable held = _state.TryLock(Path.Combine(LockFolder, group.Id)) ?? throw GroupErrors.Busy(group.Name);
        var contact = new GroupContact(group, _state, LockFolder, _places, _limits, _clock);
        return await new GroupRuns(group, _vaults.List().First(known => known.VaultId == group.VaultId), _places, backups, contact, _limits, _clock, room).RunAsync(told, cancellationToken).ConfigureAwait(false);
    }

    private async Task<GroupChange> SaveAsync(ProtectionGroup group, ProtectionGroup? before, string? passphrase, bool isRehearsal, CancellationToken cancellationToken)
    {
        GroupRules.Check(group, _limits);
        GroupOverview known = await ListAsync(cancellationToken).ConfigureAwait(false);
        GroupRules.CheckAmong(group, known.Groups);
        using UnlockedVault vault = await OpenFirstAsync(group, before, passphrase, cancellationToken).ConfigureAwait(false);
        foreach (string place in group.Places.Skip(before is null ? 1 : 0).Where(place => before?.Places.Contains(place) != true))
        {
            (await _places.OpenTwinAsync(vault, place, VaultPatience.Person, cancellationToken).ConfigureAwait(false)).Dispose();
        }

        // Another server may have made one of this name in the same vault.
        GroupListing listing = await vault.ListGroupsAsync(cancellationToken).ConfigureAwait(false);
        var ignored = new List<BackupException>();
        GroupRules.CheckAmong(group, [.. listing.Groups.Where(found => !found.Record.IsRemoved).Select(found => GroupBooks.TryRead(found.Record, vault.VaultId, ignored)).OfType<ProtectionGroup>()]);
        group = group with { VaultId = vault.VaultId, Changed = _clock.GetUtcNow() };
        if (isRehearsal)
        {
            return new GroupChange(group, []);
        }

        GroupRecord record = GroupRecords.Write(group);
        _vaults.Remember(vault.VaultId, group.Places, vault.Key);
        IReadOnlyList<BackupException> problems = await _books.WriteAsync(vault.VaultId, group.Places.Concat(before?.Places ?? []), record, cancellationToken).ConfigureAwait(false);
        if (before is not null)
        {
            ForgetUnused(before, known.Groups.Where(other => other.Id != group.Id).Append(group));
        }

        return new GroupChange(group, problems);
    }

    // A disk that was thrown away is not asked, and warned of, for ever.
    private void ForgetUnused(ProtectionGroup left, IEnumerable<ProtectionGroup> groups) =>
        _vaults.Forget(left.VaultId, [.. left.Places.Except(groups.Where(other => other.VaultId == left.VaultId).SelectMany(other => other.Places))]);

    // Of a group that is there any place will do: one of them may be away just now.
    private async Task<UnlockedVault> OpenFirstAsync(ProtectionGroup group, ProtectionGroup? before, string? passphrase, CancellationToken cancellationToken)
    {
        if (before is null)
        {
            return await _places.OpenAsync(group.DiskVaults[0], passphrase, VaultPatience.Person, cancellationToken).ConfigureAwait(false);
        }

        BackupException? failure = null;
        foreach (string place in before.Places.Concat(PlacesOf(before.VaultId)).Distinct(StringComparer.Ordinal))
        {
            try
            {
                return await _places.OpenAsync(place, passphrase, VaultPatience.Person, cancellationToken).ConfigureAwait(false);
            }
            catch (BackupException e)
            {
                failure ??= e;
            }
        }

        throw failure!;
    }

    private IReadOnlyList<string> PlacesOf(string vaultId) => _vaults.List().FirstOrDefault(known => known.VaultId == vaultId)?.Places ?? [];

    private static ProtectionGroup? Find(IEnumerable<ProtectionGroup> groups, string name) => groups.FirstOrDefault(group => group.Name.Equals(name, StringComparison.OrdinalIgnoreCase));
}
