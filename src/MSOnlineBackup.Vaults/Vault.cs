using MSOnlineBackup.Vaults.Compliance;
using MSOnlineBackup.Vaults.Copies;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Keys;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.Protection;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Repair;
using MSOnlineBackup.Vaults.Statuses;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Stores;
using MSOnlineBackup.Vaults.Verification;

namespace MSOnlineBackup.Vaults;

/// <summary>
/// A vault whose header has been read: what can be done without a passphrase. <see cref="UnlockAsync(string, CancellationToken, VaultUse?)"/> leads to what needs one.
/// Every failure is a <see cref="BackupException"/>; stopping is an <see cref="OperationCanceledException"/>.
/// </summary>
public sealed class Vault
{
    private readonly VaultRecords _records;
    private KeyListing _keyNames;

    private Vault(KnownVault vault, VaultRecords records, KeyListing keyNames) => (Known, _records, _keyNames) = (vault, records, keyNames);

    /// <summary>The vault's id: 32 hexadecimal digits.</summary>
    public string VaultId => Known.VaultId;

    /// <summary>Which of several twins it is, which have the vault's id in common: 32 hexadecimal digits. What is known of one place holds for no other.</summary>
    public string CopyId => Known.Header.Copy;

    /// <summary>What its owner calls it; null where nobody said.</summary>
    public string? Name => Known.Header.Name;

    /// <summary>Whether it is a seed, see <see cref="OpenSeedAsync"/>.</summary>
    public bool IsSeed => Known.Header.IsSeed;

    /// <summary>The folder or URL.</summary>
    public string Location => Known.Location;

    /// <summary>What the vault was asked since its store was opened; null where nobody counts.</summary>
    public VaultTraffic? Traffic => Known.Objects.Traffic;

    internal KnownVault Known { get; }

    internal IVaultStore Objects => Known.Objects;

    internal KeyRing Keys => new(Known);

    internal MachineDirectory Machines => new(Known);

    internal VaultSettingsRegister Settings => new(Known);

    internal VaultGuard Guard => new(Known);

    internal CredentialRegister Credentials => new(Known);

    internal VaultEntrance Entrance => new(Known);

    /// <summary>Objects among its records that are damaged, or that its owner has not signed.</summary>
    internal IReadOnlyList<BackupException> Damage => _records.Damage;

    /// <summary>Opens a vault: reads what says which it is.</summary>
    /// <param name="store">The vault's store.</param>
    /// <param name="options">The clock, and how keys are treated.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">VaultHeaderInvalid where there is no vault, VaultHeaderDamaged, VaultFormatUnsupported, VaultUnreachable, …</exception>
    public static async Task<Vault> OpenAsync(IVaultStore store, VaultOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(options);

        // Asked for at once: a vault may be far away.
        Task<VaultHeader> reading = VaultHeader.ReadAsync(store, cancellationToken);
        Task<KeyListing> listing = KeyListing.ReadAsync(store, cancellationToken);
        Task<IReadOnlyList<uint>> recording = VaultRecords.ListAsync(store, cancellationToken);
        await Task.WhenAll(reading, listing, recording).ConfigureAwait(false);
        var vault = new KnownVault(store, await reading.ConfigureAwait(false), options);
        VaultRecords records = await VaultRecords.ReadAsync(vault, await recording.ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
        return new Vault(vault, records, await listing.ConfigureAwait(false));
    }

    /// <summary>Creates a vault in an empty store, with a first chunk store and a key slot for the passphrase.</summary>
    /// <param name="store">Empty.</param>
    /// <param name="passphrase">At least 16 printable ASCII characters.</param>
    /// <param name="options">The clock, and how the key of the first slot is derived.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="keepOwner">Keeps the owner's key, durably: there is no vault before it has returned. Null for a vault without an owner, of which nothing can be set.</param>
    /// <exception cref="BackupException">VaultExists, PassphraseInvalid, …; what <paramref name="keepOwner"/> throws.</exception>
    public static async Task<Vault> CreateAsync(
        IVaultStore store, string passphrase, VaultOptions options, CancellationToken cancellationToken, Action<NewOwner>? keepOwner = null)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(options);
        Passphrase.Validate(passphrase);
        VaultHeader header = await VaultHeader.PrepareAsync(store, options.TimeProvider, cancellationToken).ConfigureAwait(false);
        header = GiveOwner(header, store, keepOwner);
        using UnlockedKey key = await new KeyRing(new KnownVault(store, header, options)).BeginStoreAsync(passphrase, cancellationToken).ConfigureAwait(false);
        await header.WriteAsync(store, cancellationToken).ConfigureAwait(false);
        return await OpenAsync(store, options, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Creates a vault that has no chunk store yet: each machine brings its own, or joins the one that its passphrase opens.</summary>
    /// <param name="store">Empty.</param>
    /// <param name="name">What its owner calls it: up to 100 characters, none of them a control character.</param>
    /// <param name="options">The clock.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="keepOwner">As for <see cref="CreateAsync"/>.</param>
    /// <exception cref="BackupException">VaultExists, ArgumentInvalid, …; what <paramref name="keepOwner"/> throws.</exception>
    public static async Task<Vault> CreateNamedAsync(
        IVaultStore store, string name, VaultOptions options, CancellationToken cancellationToken, Action<NewOwner>? keepOwner = null)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(options);
        VaultHeader header = await VaultHeader.PrepareAsync(store, options.TimeProvider, cancellationToken, name).ConfigureAwait(false);
        header = GiveOwner(header, store, keepOwner);
        await header.WriteAsync(store, cancellationToken).ConfigureAwait(false);
        return await OpenAsync(store, options, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Creates a twin of a vault in another place: of the same id, with the same chunk stores, master keys, key slots and owner, the settings that the vault has now, and no recovery
    /// points. <see cref="UnlockedVault.CopyToAsync"/> brings those. From then on keys and settings are each place's own. Needs no passphrase.
    /// </summary>
    /// <param name="store">Empty, or with what an interrupted call of the same has left.</param>
    /// <param name="original">The vault.</param>
    /// <param name="cancellationToken">Stops it; doing it again goes on.</param>
    /// <exception cref="BackupException">VaultExists, VaultFormatUnsupported, …</exception>
    public static async Task<Vault> CreateTwinAsync(IVaultStore store, Vault original, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(original);
        original.Allow(VaultUse.Read);
        await TwinMaking.CreateAsync(store, original.Known, isSeed: false, cancellationToken).ConfigureAwait(false);
        return await OpenAsync(store, original.Known.Options, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Opens the seed of a vault in a place, or makes one there: a twin to which a first backup is made near the machine, and which then travels to the vault. Of the vault only what
    /// says which it is, and what opens it, is read.
    /// </summary>
    /// <param name="store">Empty, or with a seed of the vault, or with what an interrupted call has left.</param>
    /// <param name="original">The vault.</param>
    /// <param name="cancellationToken">Stops it; doing it again goes on.</param>
    /// <exception cref="BackupException">VaultExists where something else is there; VaultNotTwin where it is the seed of another vault; VaultFormatUnsupported, …</exception>
    public static async Task<Vault> OpenSeedAsync(IVaultStore store, Vault original, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(original);
        if (await store.StatAsync(VaultLayout.Header, cancellationToken).ConfigureAwait(false) is null)
        {
            original.Allow(VaultUse.Read);
            await TwinMaking.CreateAsync(store, original.Known, isSeed: true, cancellationToken).ConfigureAwait(false);
        }

        Vault seed = await OpenAsync(store, original.Known.Options, cancellationToken).ConfigureAwait(false);
        if (!seed.IsSeed)
        {
            throw VaultHeader.Exists(store, VaultLayout.Header);
        }

        original.RequireTwin(seed);
        return seed;
    }

    /// <summary>Refuses a vault that is no seed.</summary>
    /// <exception cref="BackupException">ArgumentInvalid.</exception>
    public void RequireSeed()
    {
        if (!IsSeed)
        {
            throw new BackupException(
                BackupErrorId.ArgumentInvalid,
                $"The vault in '{Location}' is no seed: no first backup was made to it to be taken to its vault.",
                "Name the folder that a backup was made to with Start-OBBackup -SeedPath, or that 'obengine seed create' has made. From a twin, recovery points are copied: Copy-OBVault, or 'obengine vault copy'.",
                Location);
        }
    }

    /// <summary>Refuses a vault that is no twin of this one: recovery points are copied between twins only.</summary>
    /// <exception cref="BackupException">VaultNotTwin; ArgumentInvalid where it is the same place.</exception>
    public void RequireTwin(Vault twin)
    {
        ArgumentNullException.ThrowIfNull(twin);
        TwinMaking.Require(Known, twin.Known);
    }

    /// <summary>Opens a twin of this vault.</summary>
    /// <param name="open">Opens what is to be the twin.</param>
    /// <exception cref="BackupException">VaultNotFound, which says how a twin is made; VaultNotTwin; ArgumentInvalid where it is the same place; VaultUnreachable, …</exception>
    public async Task<Vault> OpenTwinAsync(Func<Task<Vault>> open)
    {
        ArgumentNullException.ThrowIfNull(open);
        Vault twin;
        try
        {
            twin = await open().ConfigureAwait(false);
        }
        catch (BackupException e) when (e.Id == BackupErrorId.VaultNotFound)
        {
            throw TwinMaking.Missing(Known, e);
        }

        RequireTwin(twin);
        return twin;
    }

    /// <summary>Compares every stored object with the checksum at its end; needs no passphrase.</summary>
    public static async Task<VerifyReport> VerifyPacksAsync(IVaultStore store, JobMonitor monitor, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(monitor);
        monitor.Watch(store);
        return await new KeylessVerifier(store, monitor).RunAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Makes a lost or damaged header, <c>vault.json</c>, anew from what the other objects of the vault say. Needs no passphrase.</summary>
    /// <param name="store">The vault.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="ownerFile">The path of the file of the vault's owner, for where no machine knows the owner, or they know different ones; else null. Only what stands in it
    /// in the clear is used.</param>
    /// <exception cref="BackupException">VaultHeaderNotRepaired: it is sound, or the objects say too little, or contradict each other;
    /// OwnerFileInvalid; OwnerForeign: the file is another vault's, or names another owner than the vault's machines;
    /// VaultHeaderInvalid: there is no vault; VaultFormatUnsupported, VaultAccessDenied, …</exception>
    public static async Task<HeaderRepairReport> RepairHeaderAsync(
        IVaultStore store, TimeProvider clock, CancellationToken cancellationToken, string? ownerFile = null)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(clock);
        return await new HeaderRepair(store, clock, ownerFile).RunAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Asks for everything of a vault that is archived to become readable again; see <see cref="IVaultAccount.RehydrateAsync"/>.</summary>
    /// <exception cref="BackupException">ArgumentInvalid: a folder has no archive; VaultHeaderInvalid, VaultAccessDenied, VaultUnreachable, …</exception>
    public static async Task<VaultRehydration> RehydrateAsync(IVaultStore store, bool urgently, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(store);
        IVaultAccount account = store.Account ?? throw new BackupException(
            BackupErrorId.ArgumentInvalid,
            $"The vault '{store.Location}' is a folder, which has no archive.",
            "Nothing needs to be rehydrated: read it as it is.",
            store.Location);

        // What is there may be archived itself, and not be readable; only where it is missing is this no vault.
        if (await store.StatAsync(VaultLayout.Header, cancellationToken).ConfigureAwait(false) is null)
        {
            await VaultHeader.ReadAsync(store, cancellationToken).ConfigureAwait(false);
        }

        return await account.RehydrateAsync(urgently, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Whether this vault still stands where it was opened. A disk may have been taken away and brought back, which its store takes for another place; or another vault lies
    /// there now.
    /// </summary>
    /// <exception cref="BackupException">That cannot be told, for the vault is out of reach: VaultUnreachable, …</exception>
    public async Task<bool> IsThereAsync(CancellationToken cancellationToken)
    {
        try
        {
            VaultHeader now = await VaultHeader.ReadAsync(Objects, cancellationToken).ConfigureAwait(false);
            return (now.VaultId, now.Copy, now.OwnerIdentity) == (VaultId, Known.Header.Copy, Known.Header.OwnerIdentity);
        }
        catch (BackupException e) when (!e.IsTransient)
        {
            // Who opens it anew is told.
            return false;
        }
    }

    /// <summary>Unlocks the chunk store that a passphrase opens. Takes about 0.2 s for each key slot that is tried.</summary>
    /// <param name="passphrase">The passphrase.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="use">For what it is opened, where that is one job, at once: what such a job begins by reading is asked for while the key is derived. Null: nothing is.</param>
    /// <exception cref="BackupException">PassphraseRejected, KeySlotsNotTried, KeySlotDamaged, VaultFormatUnsupported where the vault has what only newer versions may read, …</exception>
    public async Task<UnlockedVault> UnlockAsync(string passphrase, CancellationToken cancellationToken, VaultUse? use = null)
    {
        ArgumentNullException.ThrowIfNull(passphrase);
        _records.Allow(VaultUse.Read);
        AskedAhead? ahead = use is { } known ? AskAhead(known) : null;
        try
        {
            var refused = new HashSet<KeyName>();
            UnlockedKey key = await UnlockAsync(names => Keys.UnlockAsync(passphrase, names, cancellationToken, refused), cancellationToken).ConfigureAwait(false);
            if (use == VaultUse.Write && !key.IsNamed)
            {
                _records.Allow(VaultUse.Write);
                key = await Keys.SettleAsync(key, passphrase, cancellationToken, refused).ConfigureAwait(false);
            }

            return new UnlockedVault(this, key, ahead);
        }
        catch
        {
            ahead?.Dispose();
            throw;
        }
    }

    /// <summary>Unlocks the chunk store that a key in Azure Key Vault opens. The Key Vault must consent.</summary>
    /// <exception cref="BackupException">KeySlotNotFound, KeySlotContradicted, KeyVaultAccessDenied, VaultFormatUnsupported, …</exception>
    public async Task<UnlockedVault> UnlockAsync(IKeyEncryptionKey key, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(key);
        _records.Allow(VaultUse.Read);
        return new UnlockedVault(this, await UnlockAsync(names => Keys.UnlockAsync(key, names.Slots, cancellationToken), cancellationToken).ConfigureAwait(false));
    }

    /// <summary>Unlocks a chunk store by a key that is at hand, once it has shown to be that store's. The key is copied.</summary>
    /// <exception cref="BackupException">KeyFileInvalid, KeySlotNotFound, KeySlotDamaged, VaultFormatUnsupported, …</exception>
    public async Task<UnlockedVault> UnlockAsync(UnlockedKey key, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(key);
        _records.Allow(VaultUse.Read);
        return new UnlockedVault(this, await UnlockAsync(
            async names =>
            {
                UnlockedKey verified = await Keys.VerifyAsync(key, names.Slots, cancellationToken).ConfigureAwait(false);
                return verified.Copy();
            },
            cancellationToken).ConfigureAwait(false));
    }

    /// <summary>What is said where this version is too old to write to the vault; null where it is not.</summary>
    internal BackupException? FindOutdated() => _records.FindOutdated();

    /// <summary>Refuses what the vault's records allow newer versions only.</summary>
    /// <exception cref="BackupException">VaultFormatUnsupported, AgentOutdated; VaultDataCorrupt where something is to be deleted and it cannot be known
    /// what is needed for that.</exception>
    internal void Allow(VaultUse use) => _records.Allow(use);

    /// <summary>Reads what can be known of a vault without a passphrase.</summary>
    /// <exception cref="BackupException">VaultDataCorrupt where its settings are damaged; …</exception>
    public async Task<VaultInfo> InspectAsync(CancellationToken cancellationToken)
    {
        var points = new List<StoredObject>();
        long objects = 0;
        long bytes = 0;
        await foreach (StoredObject found in Objects.ListAsync(string.Empty, cancellationToken).ConfigureAwait(false))
        {
            objects++;
            bytes += found.Length;
            if (VaultLayout.KindOf(found.Name, out _) == StoredKind.Point)
            {
                points.Add(found);
            }
        }

        int count = await new PointCensus(Objects).CountAsync(points, cancellationToken).ConfigureAwait(false);
        IEnumerable<string> machines = (await Machines.ListAsync(cancellationToken).ConfigureAwait(false))
            .Where(machine => !machine.IsGone)
            .Select(machine => machine.Name);
        VaultSettings settings = await Settings.ReadAsync(cancellationToken).ConfigureAwait(false);
        VaultRedundancy? redundancy = Objects.Account is { } account ? await account.ReadRedundancyAsync(cancellationToken).ConfigureAwait(false) : null;
        return new VaultInfo(
            Known.Header.VaultId, Known.Header.Format, Known.Header.Created, Objects.Location, [.. machines], settings, count, objects, bytes, Known.Header.Name, redundancy, Known.Header.OwnerIdentity?.Fingerprint)
        {
            MinAgentVersion = MinAgentVersion,
            UnfinishedWrites = await Objects.MeasureUnfinishedAsync(cancellationToken).ConfigureAwait(false),
            StorageLock = settings.ImmutableDays > 0 && Objects.Locks is { } locks ? await locks.ReadAsync(VaultLayout.Header, cancellationToken).ConfigureAwait(false) : null,
        };
    }

    /// <summary>The machines that a vault knows, those that were unregistered too, by name. Needs no passphrase.</summary>
    public async Task<IReadOnlyList<VaultMachine>> ListMachinesAsync(CancellationToken cancellationToken) =>
    [
        .. (await Machines.ListAsync(cancellationToken).ConfigureAwait(false)).Select(machine => new VaultMachine(machine.Name, machine.Left)
        {
            Id = Known.Header.MachineId(machine.First ?? machine.Name).ToString(),
            OperatingSystem = machine.OperatingSystem,
            AgentVersion = machine.AgentVersion,
            FirstName = machine.First,
        }),
    ];

    /// <summary>Watches whether the backups of the vault's machines come as expected. Needs no passphrase.</summary>
    /// <param name="credentials">By which sealed statuses are read, and all are proved: one of each chunk store; none where statuses are plain.</param>
    /// <param name="maxAge">How old a machine's newest backup may be, whatever it expects; null for what it expects.</param>
    /// <exception cref="BackupException">MonitoringCredentialInvalid: one is of another vault.</exception>
    public VaultWatch Watch(IReadOnlyList<MonitoringCredential> credentials, TimeSpan? maxAge = null)
    {
        ArgumentNullException.ThrowIfNull(credentials);
        return new VaultWatch(Known, credentials, maxAge);
    }

    /// <summary>What the owner of a vault has decided for all of its machines.</summary>
    /// <exception cref="BackupException">VaultDataCorrupt where the settings are damaged, …</exception>
    public Task<VaultSettings> ReadSettingsAsync(CancellationToken cancellationToken) => Settings.ReadAsync(cancellationToken);

    /// <summary>Changes the settings as the owner whose key is in a file.</summary>
    /// <param name="ownerFile">The file.</param>
    /// <param name="passphrase">Its passphrase.</param>
    /// <param name="change">From what holds to what is to hold; called again where somebody else was faster.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="consent">What the vault asks for where the new settings protect less; null for nothing.</param>
    /// <exception cref="BackupException">OwnerFileInvalid, OwnerForeign, PassphraseRejected, ApprovalRejected, ArgumentInvalid, VaultDataCorrupt.</exception>
    public async Task<VaultSettings> ChangeSettingsAsOwnerAsync(
        string ownerFile, string passphrase, Func<VaultSettings, VaultSettings> change, CancellationToken cancellationToken, Consent? consent = null)
    {
        using OwnerKey owner = await OwnerFile.OpenAsync(ownerFile, passphrase, VaultId, cancellationToken).ConfigureAwait(false);
        return await ChangeSettingsAsync(owner, change, cancellationToken, consent).ConfigureAwait(false);
    }

    /// <summary>Changes the settings of a vault, and returns them. Nothing that somebody else changes at the same time is lost.</summary>
    /// <param name="owner">The key of its owner.</param>
    /// <param name="change">From the settings to those that are to hold; without side effects, for it may be called more than once.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="consent">What the vault asks for where the new settings protect less, see <see cref="GuardedOperation.ChangeProtection"/>; null for nothing.</param>
    /// <exception cref="BackupException">ArgumentInvalid where a value is out of its range; VaultSettingFixed where it is too late to change it; VaultImmutable where immutability is
    /// locked and would be loosened; ApprovalRejected; OwnerForeign where the key is not the owner's; VaultDataCorrupt where the settings are damaged, …</exception>
    public async Task<VaultSettings> ChangeSettingsAsync(
        OwnerKey owner,
        Func<VaultSettings, VaultSettings> change,
        CancellationToken cancellationToken,
        Consent? consent = null)
    {
        ArgumentNullException.ThrowIfNull(owner);
        ArgumentNullException.ThrowIfNull(change);
        return await new SettingsChange(Known).RunAsync(owner, change, consent, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Tries what an attacker would who has this identity's rights: harmlessly, on objects of its own. Needs no passphrase.</summary>
    /// <param name="keepsOwnerKey">Whether this machine keeps the key of the vault's owner.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>What was tried, and what held.</returns>
    /// <exception cref="BackupException">VaultUnreachable, …; VaultDataCorrupt where the settings are damaged.</exception>
    public Task<IReadOnlyList<ProtectionFinding>> TestProtectionAsync(bool keepsOwnerKey, CancellationToken cancellationToken) =>
        new ProtectionTest(Known, keepsOwnerKey).RunAsync(cancellationToken);

    /// <summary>Lets what is over of a machine end again, though something unusual happened: up to now, and not what happens later.</summary>
    /// <param name="owner">The key of the vault's owner.</param>
    /// <param name="machineName">The machine, in upper or lower case.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="consent">What the vault asks for before this, see <see cref="GuardedOperation.ChangeProtection"/>; null for nothing.</param>
    /// <exception cref="BackupException">OwnerForeign, ApprovalRejected, VaultAccessDenied, …</exception>
    public async Task ReleaseBrakeAsync(OwnerKey owner, string machineName, CancellationToken cancellationToken, Consent? consent = null)
    {
        ArgumentNullException.ThrowIfNull(owner);
        ArgumentException.ThrowIfNullOrEmpty(machineName);
        MachineStanding machine = await Machines.FindAsync(machineName, keys: null, cancellationToken).ConfigureAwait(false);
        await Guard.RequireAsync(GuardedOperation.ChangeProtection, consent, cancellationToken).ConfigureAwait(false);
        await VaultRecords.AppendAsync(
            Known,
            owner,
            new VaultRecord { Kind = VaultRecord.Release, Machine = machine.Id.ToString(), Before = Known.Clock.GetUtcNow() },
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The oldest version of this software that may write to the vault, as its owner has decided; null where any may.</summary>
    public Version? MinAgentVersion => _records.MinAgentVersion;

    /// <summary>What it says of versions. Nothing is asked of the store.</summary>
    public VaultVersions Versions => new(Known.Header.Format, MinAgentVersion, FindOutdated() is null);

    /// <summary>Lets versions from one on write to the vault only. Older ones still list, verify and recover. It can be raised, and never be taken
    /// back.</summary>
    /// <param name="owner">The key of the vault's owner.</param>
    /// <param name="version">At most this version: whoever decides it can still write.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">ArgumentInvalid where it is newer than this version, or older than what holds; OwnerForeign, VaultAccessDenied,
    /// …</exception>
    public async Task RequireAgentVersionAsync(OwnerKey owner, Version version, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(owner);
        ArgumentNullException.ThrowIfNull(version);
        if (version > _records.AgentVersion || version < MinAgentVersion)
        {
            throw new BackupException(
                BackupErrorId.ArgumentInvalid,
                version < MinAgentVersion
                    ? $"The vault '{Location}' is written to by {MinAgentVersion} and newer only, which cannot be taken back."
                    : $"{version} cannot be the oldest version that writes to the vault '{Location}': this is {_records.AgentVersion}, which could not write to it then.",
                $"Choose a version from {MinAgentVersion?.ToString() ?? "0.1"} to {_records.AgentVersion}.",
                version.ToString());
        }

        if (version != MinAgentVersion)
        {
            var record = new VaultRecord { Kind = VaultRecord.MinAgent, Version = version.ToString(), NeededTo = ["write", "collect"] };
            await VaultRecords.AppendAsync(Known, owner, record, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>The same as the owner whose key is in a file.</summary>
    /// <param name="ownerFile">The file.</param>
    /// <param name="passphrase">Its passphrase.</param>
    /// <param name="version">At most this version.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">As before; OwnerFileInvalid, PassphraseRejected.</exception>
    public async Task RequireAgentVersionAsOwnerAsync(string ownerFile, string passphrase, Version version, CancellationToken cancellationToken)
    {
        using OwnerKey owner = await OwnerFile.OpenAsync(ownerFile, passphrase, VaultId, cancellationToken).ConfigureAwait(false);
        await RequireAgentVersionAsync(owner, version, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Makes somebody an approver: a key of their own, in a file under a passphrase. The vault's owner then names the public half in the settings.</summary>
    /// <param name="file">The file; it must not be there.</param>
    /// <param name="passphrase">What is to open it: at least 16 printable ASCII characters.</param>
    /// <returns>The public half of the key.</returns>
    /// <exception cref="BackupException">PassphraseInvalid, OwnerFileInvalid.</exception>
    public OwnerIdentity CreateApprover(string file, string passphrase)
    {
        ArgumentException.ThrowIfNullOrEmpty(file);
        ArgumentNullException.ThrowIfNull(passphrase);
        using var key = OwnerKey.Create();
        OwnerFile.Write(file, new NewOwner(key, VaultId, Name, Location, Known.Clock.GetUtcNow()), passphrase, Known.Options);
        return key.Identity;
    }

    /// <summary>Approves of one operation, by an approver's file.</summary>
    /// <param name="file">The approver's file.</param>
    /// <param name="passphrase">What opens it.</param>
    /// <param name="operation">Of what.</param>
    /// <param name="validity">For how long, up to a day; null for an hour.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">OwnerFileInvalid, OwnerForeign: of another vault; PassphraseRejected; ApprovalRejected: none of the vault's approvers; ArgumentInvalid, VaultAccessDenied, …</exception>
    public async Task<IssuedConsent> ApproveAsync(string file, string passphrase, GuardedOperation operation, TimeSpan? validity, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(file);
        ArgumentNullException.ThrowIfNull(passphrase);
        using OwnerKey approver = await OwnerFile.OpenAsync(file, passphrase, VaultId, cancellationToken).ConfigureAwait(false);
        return await Guard.ApproveAsync(approver, operation, validity ?? VaultGuard.ApprovalValidity, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Gives out a security PIN by the owner's file: good for one operation, within five minutes by the clock of the vault.</summary>
    /// <param name="ownerFile">The owner's file.</param>
    /// <param name="passphrase">What opens it.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">OwnerFileInvalid, OwnerForeign, PassphraseRejected; VaultAccessDenied, …</exception>
    public async Task<IssuedConsent> IssuePinAsync(string ownerFile, string passphrase, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(ownerFile);
        ArgumentNullException.ThrowIfNull(passphrase);
        using OwnerKey owner = await OwnerFile.OpenAsync(ownerFile, passphrase, VaultId, cancellationToken).ConfigureAwait(false);
        return await Guard.IssuePinAsync(owner, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Takes a machine off a vault's list: it counts no longer, its jobs are refused until it registers again, and its name is free. Its
    /// recovery points stay, for whoever knows the passphrase.
    /// </summary>
    /// <param name="owner">The key of its owner.</param>
    /// <param name="machineName">The machine, in upper or lower case.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">MachineNotRegistered where the vault knows no such machine; OwnerForeign where the key is not the owner's; …</exception>
    public async Task UnregisterMachineAsync(OwnerKey owner, string machineName, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(owner);
        ArgumentException.ThrowIfNullOrEmpty(machineName);
        await Machines.LeaveAsync(owner, machineName, Known.Clock.GetUtcNow(), cancellationToken).ConfigureAwait(false);
    }

    // The slots that were listed when the vault was opened cost no time. Where none of them does, others may have come since.
    private async Task<UnlockedKey> UnlockAsync(Func<KeyListing, Task<UnlockedKey>> unlock, CancellationToken cancellationToken)
    {
        try
        {
            return await unlock(_keyNames).ConfigureAwait(false);
        }
        catch (BackupException)
        {
            KeyListing now = await KeyListing.ReadAsync(Objects, cancellationToken).ConfigureAwait(false);
            if (now.IsAs(_keyNames))
            {
                throw;
            }

            _keyNames = now;
        }

        return await unlock(_keyNames).ConfigureAwait(false);
    }

    // Which of several chunk stores the passphrase opens is not known yet.
    private AskedAhead? AskAhead(VaultUse use) => _keyNames.Slots.Select(key => key.StoreId).Distinct().Take(2).ToList() is [var storeId]
        ? AskedAhead.ForJob(Objects, storeId, writes: use != VaultUse.Read)
        : null;

    // The key is kept before there is a vault: never is there one whose owner is nobody.
    private static VaultHeader GiveOwner(VaultHeader header, IVaultStore store, Action<NewOwner>? keepOwner)
    {
        if (keepOwner is null)
        {
            return header;
        }

        using var key = OwnerKey.Create();
        keepOwner(new NewOwner(key, header.VaultId, header.Name, store.Location, header.Created));
        return header with { Owner = key.Identity.Encode() };
    }
}
