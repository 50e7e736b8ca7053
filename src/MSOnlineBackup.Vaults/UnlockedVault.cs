using MSOnlineBackup.Vaults.Alarms;
using MSOnlineBackup.Vaults.Copies;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Groups;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Keys;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.Proofs;
using MSOnlineBackup.Vaults.Protection;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Repair;
using MSOnlineBackup.Vaults.Statuses;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Stores;
using MSOnlineBackup.Vaults.Telemetry;

namespace MSOnlineBackup.Vaults;

/// <summary>
/// A vault of which one chunk store's key is at hand: its recovery points, its keys, and the writing of new points. <see cref="IndexAsync"/> leads to what the points hold.
/// Every failure is a <see cref="BackupException"/>; stopping is an <see cref="OperationCanceledException"/>. Disposing of it zeroes the key.
/// </summary>
/// <remarks>Each operation asks the vault afresh: nothing local is authoritative, and others write too.</remarks>
public sealed class UnlockedVault : IDisposable
{
    private readonly AskedAhead? _ahead;
    private readonly List<StoreKeys> _replaced = [];
    private StoreKeys _keys;
    private UnlockedKey _unlocked;

    /// <param name="vault">The vault.</param>
    /// <param name="key">Its own from now on.</param>
    /// <param name="ahead">What was asked for already; its own from now on.</param>
    internal UnlockedVault(Vault vault, UnlockedKey key, AskedAhead? ahead = null)
    {
        Vault = vault;
        _unlocked = key;
        _ahead = ahead;
        _keys = key.KeysIn(vault.Known.Header);
    }

    /// <summary>What needs no key.</summary>
    public Vault Vault { get; }

    /// <summary>The vault's id: 32 hexadecimal digits.</summary>
    public string VaultId => Vault.VaultId;

    /// <summary>The key that opened this vault. It lives as long as this does.</summary>
    public UnlockedKey Key => _unlocked;

    /// <summary>What the vault was asked since its store was opened; null where nobody counts.</summary>
    public VaultTraffic? Traffic => Vault.Traffic;

    /// <summary>Recovery points that are deleted and can be brought back.</summary>
    public PointDeletions Deletions => new(new ChunkStore(Vault.Known, _unlocked.StoreId, _keys), Allow);

    /// <summary>What was proven of this store, and when.</summary>
    public VaultProofs Proofs => new(WithoutIndex(), token => OpenStoreAsync(token), Options.TimeProvider);

    internal IVaultStore Objects => Vault.Objects;

    internal VaultOptions Options => Vault.Known.Options;

    private KeyRing Keys => Vault.Keys;

    /// <summary>Reads the index: by it, everything that the recovery points hold is found.</summary>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="monitor">Tells of what is waited for; null for nobody.</param>
    /// <exception cref="BackupException">VaultUnreachable, VaultAccessDenied, … Damaged parts of the index stop nothing: what they named is found in the packs.</exception>
    public async Task<IndexedVault> IndexAsync(CancellationToken cancellationToken, JobMonitor? monitor = null)
    {
        monitor?.Watch(Objects);
        return new IndexedVault(this, await OpenStoreAsync(cancellationToken).ConfigureAwait(false));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _ahead?.Dispose();
        foreach (StoreKeys keys in _replaced.Append(_keys))
        {
            keys.Dispose();
        }

        _unlocked.Dispose();
    }

    /// <summary>Bytes of everything that this chunk store keeps in the vault.</summary>
    public async Task<long> MeasureStoreAsync(CancellationToken cancellationToken)
    {
        long bytes = 0;
        await foreach (StoredObject found in Objects.ListAsync(VaultLayout.Store(_unlocked.StoreId), cancellationToken).ConfigureAwait(false))
        {
            bytes += found.Length;
        }

        return bytes;
    }

    /// <summary>
    /// Deletes what no recovery point needs, and tidies up. Others may back up and restore meanwhile. Packs that a job at work may rely on go with the next run after it.
    /// </summary>
    /// <exception cref="BackupException">VaultAccessDenied where this identity may not delete; VaultDataCorrupt where a vault record is damaged, or a record of an earlier run; VaultFormatUnsupported, …</exception>
    public async Task<MaintenanceReport> MaintainAsync(MaintenanceRequest request, JobMonitor monitor, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(monitor);
        Allow(request.IsRehearsal ? VaultUse.Read : VaultUse.Collect);
        monitor.Watch(Objects);
        return await TracedOperation.RunAsync("maintain", Options.TimeProvider, async () =>
        {
            int mended = request.IsRehearsal ? 0 : await RecordedRepair.RunAsync(WithoutIndex, Options, monitor, Allow, cancellationToken).ConfigureAwait(false);
            MaintenanceReport done = await new VaultMaintenance(WithoutIndex, Options, request, monitor, Allow).RunAsync(cancellationToken).ConfigureAwait(false);
            return done with { PacksMended = mended };
        }).ConfigureAwait(false);
    }

    /// <summary>
    /// Mends what is damaged or missing, as far as the vault itself can: from what opens, from copies, and from parity. What is lost the next backups store again, as far as their sources
    /// still have it. Others may back up and restore meanwhile.
    /// </summary>
    /// <exception cref="BackupException">VaultDataCorrupt where a record of maintenance is damaged; SessionFenced where others were at it all the time; VaultUnreachable, …</exception>
    public async Task<RepairReport> RepairAsync(RepairRequest request, JobMonitor monitor, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(monitor);
        ArgumentOutOfRangeException.ThrowIfNegative(request.Share);
        monitor.Watch(Objects);
        return await TracedOperation.RunAsync(
            "repair",
            Options.TimeProvider,
            () => new VaultRepair(WithoutIndex, Options, request, monitor, new ParityRescue(WithoutIndex()), Allow).RunAsync(cancellationToken)).ConfigureAwait(false);
    }

    /// <summary>
    /// Copies recovery points to a twin of this vault (<see cref="Vault.CreateTwinAsync"/>): only chunks that the twin lacks are read, and they are not compressed again. What is there
    /// already costs nothing; where it was stopped, the next call goes on. Others may back up to both, and maintain both, meanwhile.
    /// </summary>
    /// <param name="twin">The twin, opened with the passphrase of the same chunk store.</param>
    /// <param name="request">Which points.</param>
    /// <param name="monitor">Is told how far it is.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">VaultNotTwin; of the twin VaultFull, VaultUnreachable, VaultAccessDenied, SubscriptionExpired, …; of this vault VaultUnreachable, VaultDataArchived, …</exception>
    public async Task<VaultCopyReport> CopyToAsync(UnlockedVault twin, VaultCopyRequest request, JobMonitor monitor, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(twin);
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(monitor);
        RequireTwin(twin);
        Allow(VaultUse.Read);
        twin.Allow(request.IsRehearsal ? VaultUse.Read : VaultUse.Write);
        monitor.Watch(twin.Objects);
        return await TracedOperation.RunAsync(
            "copy",
            Options.TimeProvider,
            () => new PointCopier(WithoutIndex, twin.WithoutIndex, twin.Options, request, monitor).RunAsync(cancellationToken)).ConfigureAwait(false);
    }

    /// <summary>Unlocks a twin: the same master key does, unless a key was rotated in one of the two places; then the passphrase has to.</summary>
    /// <param name="twin">The twin.</param>
    /// <param name="passphrase">What opens it where the key does not; null where nobody could be asked.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">RecoveryOptionMissing where it takes the passphrase; PassphraseRejected.</exception>
    public async Task<UnlockedVault> UnlockTwinAsync(Vault twin, string? passphrase, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(twin);
        try
        {
            return await twin.UnlockAsync(Key, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e) when (e.Id is BackupErrorId.KeyFileInvalid or BackupErrorId.KeySlotNotFound or BackupErrorId.KeySlotDamaged)
        {
            return passphrase is null
                ? throw TwinMaking.PassphraseNeeded(twin.Location, "the key of the other place does not open it, for a key was rotated in one of the two", e)
                : await twin.UnlockAsync(passphrase, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Refuses what recovery points of this vault cannot be copied to.</summary>
    /// <exception cref="BackupException">VaultNotTwin; ArgumentInvalid where it is the same place.</exception>
    internal void RequireTwin(UnlockedVault twin)
    {
        Vault.RequireTwin(twin.Vault);
        TwinMaking.RequireStore(Vault.Known, _unlocked.StoreId, twin.Vault.Known, twin._unlocked.StoreId);
    }

    /// <summary>The protection groups that this chunk store knows. No index is read, and no data.</summary>
    /// <exception cref="BackupException">VaultUnreachable, VaultAccessDenied, …; what is damaged is in the listing.</exception>
    public Task<GroupListing> ListGroupsAsync(CancellationToken cancellationToken) => new GroupRegister(WithoutIndex()).ListAsync(cancellationToken);

    /// <summary>Writes the record of a protection group under its number; false where that number of the group is taken.</summary>
    /// <exception cref="BackupException">ArgumentInvalid: it is no record; VaultFull, VaultAccessDenied, VaultUnreachable, KeyEpochOutdated, …</exception>
    public Task<bool> TryWriteGroupAsync(NumberedGroup group, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(group);
        Allow(VaultUse.Write);
        return new GroupRegister(WithoutIndex()).TryWriteAsync(group, cancellationToken);
    }

    /// <summary>Brings the records of protection groups to a twin that it lacks. What is damaged is not brought, and stops nothing.</summary>
    /// <param name="twin">The twin, opened with the passphrase of the same chunk store.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>How many were brought.</returns>
    /// <exception cref="BackupException">VaultNotTwin; VaultFull, VaultUnreachable, VaultAccessDenied, …</exception>
    public Task<int> BringGroupsAsync(UnlockedVault twin, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(twin);
        RequireTwin(twin);
        Allow(VaultUse.Read);
        twin.Allow(VaultUse.Write);
        return GroupRegister.BringAsync(WithoutIndex(), twin.WithoutIndex(), cancellationToken);
    }

    /// <summary>Refuses an identity that may not delete from the vault, and so cannot maintain it.</summary>
    /// <exception cref="BackupException">VaultAccessDenied.</exception>
    public async Task RequireDeletionAsync(CancellationToken cancellationToken)
    {
        try
        {
            await DeletionRight.RequireAsync(WithoutIndex(), SessionId.Create(Options.TimeProvider.GetUtcNow(), highest: null), cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e) when (e.Id == BackupErrorId.VaultFull)
        {
            // It cannot be tried without a little room. Maintenance finds that where it has some held, or says that it has none.
        }
    }

    /// <summary>How many bytes some recovery points need that no other does. It reads what all points list, and no contents.</summary>
    /// <param name="points">The points; those that are in no list have no size.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">VaultDataCorrupt, VaultDataMissing, …: something of a point cannot be read, so nobody knows what it needs.</exception>
    public async Task<PointSizes> MeasureAsync(IReadOnlyCollection<SessionId> points, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(points);
        List<PointName> names = await Catalog().ListNamesAsync(null, cancellationToken).ConfigureAwait(false);
        return await PointSizes.MeasureAsync(await OpenStoreAsync(cancellationToken).ConfigureAwait(false), names, points.ToHashSet(), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>What somebody should see to, the latest first: brakes on deletion that are in force, and damage that is on record. No index is read, and no data.</summary>
    /// <param name="machineName">Only of this machine, and of the vault as a whole; null for all.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">VaultDataCorrupt: the vault's settings are damaged; VaultUnreachable, …</exception>
    public async Task<IReadOnlyList<VaultAlarm>> ReadAlarmsAsync(string? machineName, CancellationToken cancellationToken) => await new AlarmReader(WithoutIndex())
        .ReadAsync(machineName is null ? null : await FindMachineAsync(machineName, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);

    /// <summary>What lets an observer read the statuses of this chunk store's machines, without a passphrase. It stays good when the passphrase is changed, or the master key rotated.</summary>
    public MonitoringCredential CreateMonitoringCredential() => new(VaultId, MonitoringKey.Of(_keys));

    /// <summary>Leaves a status in the vault for whoever watches; nothing where the vault's owner wants none.</summary>
    /// <param name="status">What it says. Its machine is one of this chunk store.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">VaultDataCorrupt where the settings are damaged; VaultUnreachable, VaultFull, …</exception>
    public Task WriteStatusAsync(RunStatus status, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(status);
        return StatusesOf(status.Machine).WriteAsync(status, cancellationToken);
    }

    /// <summary>Writes statuses of a machine of this chunk store, also when this was disposed of.</summary>
    internal StatusWriter StatusesOf(string machineName) => new(Vault.Known, MonitoringKey.Of(_keys), machineName);

    /// <summary>The recovery points of this store, newest first; of one machine where a name is given. Those that cannot be read stand beside them.</summary>
    public Task<RecoveryPointList> ListPointsAsync(string? machineName, CancellationToken cancellationToken) =>
        Points().ListAsync(machineName, cancellationToken);

    /// <summary>How many recovery points a machine has, and the points themselves, for who needs only the newest of them.</summary>
    public Task<PointHistory> OpenHistoryAsync(string machineName, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(machineName);
        return Points().OpenHistoryAsync(machineName, cancellationToken);
    }

    /// <summary>The point whose session id begins with the text; "latest" is the one with the newest name, whether it can be read or not.</summary>
    /// <param name="idPrefixOrLatest">The beginning of an id, or "latest".</param>
    /// <param name="machineName">Only points of this machine; null for those of all.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="passOver">Gets each damaged point that is newer than the one returned for "latest". Where it is null, an older one is not taken for it.</param>
    /// <exception cref="BackupException">RecoveryPointNotFound, RecoveryPointAmbiguous; VaultDataCorrupt, VaultDataUnreadable, … where the point is there and cannot be read.</exception>
    public Task<RecoveryPoint> GetPointAsync(
        string idPrefixOrLatest, string? machineName, CancellationToken cancellationToken, Action<DamagedPoint>? passOver = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(idPrefixOrLatest);
        return Points().GetAsync(idPrefixOrLatest, machineName, passOver, cancellationToken);
    }

    /// <summary>The key slots of the opened chunk store.</summary>
    public async Task<IReadOnlyList<KeySlotInfo>> ListKeysAsync(CancellationToken cancellationToken) =>
        [.. (await Keys.ListAsync(_unlocked.StoreId, cancellationToken).ConfigureAwait(false)).Select(slot => Describe(slot.KeyId, slot.Slot))];

    /// <summary>Adds a key slot for another passphrase.</summary>
    /// <exception cref="BackupException">PassphraseInvalid.</exception>
    public async Task<KeySlotInfo> AddKeyAsync(string passphrase, string? label, CancellationToken cancellationToken)
    {
        Allow(VaultUse.Write);
        string keyId = await Keys.AddAsync(_unlocked.StoreId, _unlocked.MasterKey, passphrase, label, cancellationToken, _unlocked.Epoch).ConfigureAwait(false);
        return await FindKeyAsync(keyId, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Adds a key slot for a key in Azure Key Vault.</summary>
    /// <exception cref="BackupException">KeyVaultKeyTaken, KeyVaultAccessDenied, …</exception>
    public async Task<KeySlotInfo> AddKeyAsync(IKeyEncryptionKey key, string? label, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(key);
        Allow(VaultUse.Write);
        string keyId = await Keys.AddAsync(_unlocked.StoreId, _unlocked.MasterKey, key, label, cancellationToken, _unlocked.Epoch).ConfigureAwait(false);
        return await FindKeyAsync(keyId, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Adds a slot for the new passphrase, opens it, then removes the slot that opened it. No data are touched.</summary>
    /// <param name="newPassphrase">At least 16 printable ASCII characters.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="consent">What the vault asks for before this, see <see cref="GuardedOperation.ChangePassphrase"/>; null for nothing.</param>
    /// <exception cref="BackupException">PassphraseInvalid, SecurityPinRejected, ApprovalRejected.</exception>
    public Task<KeySlotInfo> ChangeKeyAsync(string newPassphrase, CancellationToken cancellationToken, Consent? consent = null)
    {
        Passphrase.Validate(newPassphrase);
        return ReplaceKeyAsync(label => Keys.AddAsync(_unlocked.StoreId, _unlocked.MasterKey, newPassphrase, label, cancellationToken, _unlocked.Epoch), consent, cancellationToken);
    }

    /// <summary>Adds a slot for a Key Vault key, opens it, then removes the slot that opened it: so a new version of a key replaces the old.</summary>
    /// <param name="newKey">The key.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="consent">What the vault asks for before this, see <see cref="GuardedOperation.ChangePassphrase"/>; null for nothing.</param>
    /// <exception cref="BackupException">KeyVaultKeyTaken, KeyVaultAccessDenied, SecurityPinRejected, ApprovalRejected, …</exception>
    public Task<KeySlotInfo> ChangeKeyAsync(IKeyEncryptionKey newKey, CancellationToken cancellationToken, Consent? consent = null) =>
        ReplaceKeyAsync(label => Keys.AddAsync(_unlocked.StoreId, _unlocked.MasterKey, newKey, label, cancellationToken, _unlocked.Epoch), consent, cancellationToken);

    /// <summary>Removes a key slot, named by its id or the beginning of it; the last one cannot be removed.</summary>
    /// <param name="keyId">Its id, or the beginning of it.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="consent">What the vault asks for before this, see <see cref="GuardedOperation.RemoveKey"/>; null for nothing.</param>
    /// <exception cref="BackupException">KeySlotNotFound, KeySlotIsLast, SecurityPinRejected, ApprovalRejected.</exception>
    public async Task RemoveKeyAsync(string keyId, CancellationToken cancellationToken, Consent? consent = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(keyId);
        KeySlotInfo found = await FindKeyAsync(keyId, cancellationToken).ConfigureAwait(false);
        await Vault.Guard.RequireAsync(GuardedOperation.RemoveKey, consent, cancellationToken).ConfigureAwait(false);
        await Keys.RemoveAsync(_unlocked.StoreId, found.KeyId, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Begins a new epoch: from now on all that is written is sealed by a new master key. What was written before is read as ever, and sealed anew by maintenance, where that is asked
    /// to. The slot that opened the vault is replaced by one for the passphrase; all other slots lead to earlier master keys only, and have to be added again.
    /// </summary>
    /// <param name="passphrase">What is to open the vault: a new passphrase, or the one that does already.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="consent">What the vault asks for before this, see <see cref="GuardedOperation.ChangePassphrase"/>; null for nothing.</param>
    /// <exception cref="BackupException">PassphraseInvalid, SecurityPinRejected, ApprovalRejected; KeyEpochOutdated where somebody else has rotated the key.</exception>
    public Task<KeySlotInfo> RotateKeyAsync(string passphrase, CancellationToken cancellationToken, Consent? consent = null) =>
        RotateKeyAsync(label => Keys.RotateAsync(_unlocked, passphrase, label, cancellationToken), consent, cancellationToken);

    /// <inheritdoc cref="RotateKeyAsync(string, CancellationToken, Consent?)"/>
    /// <param name="key">The Key Vault key that is to open the vault.</param>
    /// <exception cref="BackupException">KeyVaultKeyTaken, KeyVaultAccessDenied, …; KeyEpochOutdated where somebody else has rotated the key.</exception>
    public Task<KeySlotInfo> RotateKeyAsync(IKeyEncryptionKey key, CancellationToken cancellationToken, Consent? consent = null)
    {
        ArgumentNullException.ThrowIfNull(key);
        return RotateKeyAsync(label => Keys.RotateAsync(_unlocked, key, label, cancellationToken), consent, cancellationToken);
    }

    private async Task<KeySlotInfo> RotateKeyAsync(Func<string?, Task<UnlockedKey>> rotate, Consent? consent, CancellationToken cancellationToken)
    {
        Allow(VaultUse.Write);
        await Vault.Guard.RequireAsync(GuardedOperation.ChangePassphrase, consent, cancellationToken).ConfigureAwait(false);
        string old = _unlocked.KeyId;
        string? label = (await ListKeysAsync(cancellationToken).ConfigureAwait(false)).FirstOrDefault(slot => slot.KeyId == old)?.Label;
        UnlockedKey next = await rotate(label).ConfigureAwait(false);

        // What was opened before goes on reading; it ends with this.
        _replaced.Add(_keys);
        _keys = next.KeysIn(Vault.Known.Header);
        _unlocked.Dispose();
        _unlocked = next;
        return await RemoveReplacedAsync(old, next.KeyId, cancellationToken).ConfigureAwait(false);
    }

    private async Task<KeySlotInfo> ReplaceKeyAsync(Func<string?, Task<string>> add, Consent? consent, CancellationToken cancellationToken)
    {
        Allow(VaultUse.Write);
        string old = _unlocked.KeyId;
        string? label = (await FindKeyAsync(old, cancellationToken).ConfigureAwait(false)).Label;
        await Vault.Guard.RequireAsync(GuardedOperation.ChangePassphrase, consent, cancellationToken).ConfigureAwait(false);
        string keyId = await add(label).ConfigureAwait(false);
        _unlocked = _unlocked with { KeyId = keyId };
        return await RemoveReplacedAsync(old, keyId, cancellationToken).ConfigureAwait(false);
    }

    private async Task<KeySlotInfo> RemoveReplacedAsync(string old, string keyId, CancellationToken cancellationToken)
    {
        try
        {
            await Keys.RemoveAsync(_unlocked.StoreId, old, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e)
        {
            throw new BackupException(
                e.Id,
                $"The new key slot '{keyId}' opens the vault. The old one, '{old}', still does, because it could not be removed: {e.Message}",
                $"Remove it with 'obengine key remove {old}' as somebody who may delete. {e.RecommendedAction}",
                old,
                e.IsTransient,
                e);
        }

        return await FindKeyAsync(keyId, cancellationToken).ConfigureAwait(false);
    }

    private async Task<KeySlotInfo> FindKeyAsync(string keyId, CancellationToken cancellationToken)
    {
        IReadOnlyList<KeySlotInfo> slots = await ListKeysAsync(cancellationToken).ConfigureAwait(false);
        KeySlotInfo[] found = [.. slots.Where(slot => slot.KeyId.StartsWith(keyId, StringComparison.Ordinal))];
        return found.Length == 1
            ? found[0]
            : throw new BackupException(
                BackupErrorId.KeySlotNotFound,
                found.Length == 0 ? $"There is no key slot '{keyId}'." : $"More than one key slot begins with '{keyId}'.",
                "'obengine key list' shows the slots.",
                keyId);
    }

    private KeySlotInfo Describe(string keyId, KeySlot? slot) => new(
        keyId,
        slot?.Label,
        slot?.Kind ?? "damaged",
        slot?.CreatedAt ?? DateTimeOffset.UnixEpoch,
        keyId == _unlocked.KeyId,
        slot?.KeyVaultKey,
        slot?.Kdf)
    {
        Epoch = slot?.EpochNumber ?? 0,
        IsOutdated = slot is not null && slot.EpochNumber < _unlocked.NewestEpoch,
    };

    /// <summary>Gives a machine of this chunk store another name. Its recovery points stay its own, and the next backup goes on from them; the earlier name stays its own, too.</summary>
    /// <param name="name">What it is called, in upper or lower case.</param>
    /// <param name="newName">What it is to be called: 1 to 255 characters, none of them a control character.</param>
    /// <param name="cancellationToken">Stops it. Where it was interrupted, doing it again does the rest.</param>
    /// <exception cref="BackupException">ArgumentInvalid, MachineNotRegistered; MachineNameTaken where another machine has the new name, had it, or left recovery points under it.</exception>
    public async Task RenameMachineAsync(string name, string newName, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(newName);
        MachineDirectory.CheckName(newName);
        Allow(VaultUse.Write);
        await new MachineRenaming(Vault.Known, _keys).RunAsync(name, newName, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Refuses what the vault's records allow newer versions only, and to write by a master key that was rotated since.</summary>
    /// <exception cref="BackupException">VaultFormatUnsupported, KeyEpochOutdated, …</exception>
    internal void Allow(VaultUse use)
    {
        Vault.Allow(use);
        if (use != VaultUse.Read)
        {
            _unlocked.RequireNewest(Vault.Location);
        }
    }

    internal Task<MachineId> FindMachineAsync(string machineName, CancellationToken cancellationToken) =>
        Points().FindMachineAsync(machineName, cancellationToken);

    // Points are sealed objects of their own: their listing needs no index.
    internal RecoveryPointCatalog Catalog() => new(WithoutIndex());

    private PointFinder Points() => new(WithoutIndex());

    /// <summary>The chunk store; its index was not read yet, which is good for sealed objects, not for chunks.</summary>
    internal ChunkStore WithoutIndex()
    {
        var store = new ChunkStore(Vault.Known, _unlocked.StoreId, _keys, _ahead);
        foreach (BackupException damage in Vault.Damage)
        {
            store.Report(damage);
        }

        return store;
    }

    internal async Task<ChunkStore> OpenStoreAsync(CancellationToken cancellationToken, bool afresh = false)
    {
        ChunkStore store = WithoutIndex();
        await store.ReadIndexAsync(cancellationToken, afresh).ConfigureAwait(false);
        return store;
    }
}
