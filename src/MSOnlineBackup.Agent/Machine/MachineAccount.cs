using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Agent.Machine;

/// <summary>
/// This machine as a client of a vault. It is registered first, then activated by a passphrase; policies come after that.
/// Everything is read from disk when it is asked for: other processes change it too.
/// </summary>
public sealed class MachineAccount
{
    private const string VaultSecretPurpose = "vault secret";

    // Held by whoever registers or activates; everything else goes on meanwhile.
    private const string LockName = "account.lock";

    private readonly StateFolder _folder;
    private readonly StateFile<MachineState> _state;
    private readonly SettingsStore _settings;
    private readonly Activation _activation;
    private readonly MachineSecret _secret;
    private readonly Func<string, VaultConnection, IVaultStore> _openVault;
    private readonly VaultOptions _options;
    private readonly Lock _bandwidthGate = new();
    private readonly KeyVaultAccess? _keyVaults;

    internal MachineAccount(
        StateFolder folder,
        string machineName,
        Func<string, VaultConnection, IVaultStore> openVault,
        PolicyLimits limits,
        VaultOptions options,
        KeyVaultAccess? keyVaults)
    {
        var secret = new MachineSecret(folder, ISecretProtection.Current);
        _folder = folder;
        _secret = secret;
        _state = StateOf(folder);
        _settings = new SettingsStore(folder, secret, limits);
        _activation = new Activation(folder, _state, secret, options);
        _openVault = openVault;
        Owners = new OwnerKeys(folder, secret);
        _options = options;
        _keyVaults = keyVaults;
        Name = machineName;
    }

    /// <summary>The registration that a state folder has; null where it has none.</summary>
    /// <exception cref="BackupException">StateInvalid, StateAccessDenied.</exception>
    internal static MachineRegistration? ReadRegistration(StateFolder folder) => StateOf(folder).Read()?.Registration;

    /// <summary>The name of this machine; where it is registered, the one by which the vault knows it is in <see cref="Registration"/>.</summary>
    public string Name { get; }

    /// <summary>The registration; null where there is none.</summary>
    public MachineRegistration? Registration => _state.Read()?.Registration;

    /// <summary>Whether a passphrase is set.</summary>
    public bool HasPassphrase => _state.Read()?.Activation is not null;

    /// <summary>The keys of vaults' owners that this machine keeps.</summary>
    internal OwnerKeys Owners { get; }

    /// <summary>The settings.</summary>
    public MachineSettings Settings => _settings.Read();

    /// <summary>Where the key file lies.</summary>
    public string ScratchFolder => _activation.ScratchOf(_state.Read());

    /// <summary>Registers by a credential file, which may be a relative path. With the same vault it may be done again; what is set stays, and
    /// what the file brings to open the vault takes the place of what an earlier one brought.</summary>
    /// <exception cref="BackupException">VaultCredentialInvalid, VaultCredentialForeign, OwnerForeign, MachineLimitReached, MachineNameTaken, VaultNotFound, VaultUnreachable, …</exception>
    public async Task<MachineRegistration> RegisterAsync(string credentialFile, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(credentialFile);
        using IDisposable _ = await _folder.LockAsync(LockName, cancellationToken).ConfigureAwait(false);
        VaultCredential credential = await VaultCredentialFile.ReadAsync(credentialFile, cancellationToken).ConfigureAwait(false);
        MachineState earlier = _state.Read() ?? new MachineState();
        if (earlier.Registration is { } old && old.VaultId != credential.VaultId)
        {
            throw Foreign(credentialFile, credential, old);
        }

        if (earlier.Registration is { } pinned && pinned.Owner != credential.Owner)
        {
            throw OwnerErrors.Foreign(credential.Location, $"'{credentialFile}' names another one than this machine has registered with");
        }

        CheckName();
        (IVaultStore objects, VaultHeader header) = await OpenAsync(credential.Address, cancellationToken).ConfigureAwait(false);
        await new CredentialRegister(new KnownVault(objects, header, _options)).CheckAsync(credential, credentialFile, cancellationToken).ConfigureAwait(false);
        VaultEntrance entrance = new VaultEntrance(new KnownVault(objects, header, _options));
        await entrance.EnsureRoomAsync(Name, cancellationToken).ConfigureAwait(false);

        // Under another name it is another machine to the vault, with a passphrase to be set anew.
        MachineActivation? activation = earlier.Registration is { } known && header.MachineId(known.MachineName) == header.MachineId(Name) ? earlier.Activation : null;
        if (activation is not null)
        {
            await ReclaimAsync(objects, header, entrance, earlier, cancellationToken).ConfigureAwait(false);
        }

        var registration = new MachineRegistration(
            header.VaultId, credential.Location, credential.VaultName, Name, _options.TimeProvider.GetUtcNow(), credential.Serial, credential.Owner, credential.RequiresPrivateEndpoint);
        byte[]? secret = credential.Secret is null ? null : _secret.Wrap(VaultSecretPurpose, Bind(registration), credential.Secret);

        return _state.Update(state => (state ?? new MachineState()) with { Registration = registration, VaultSecret = secret, Activation = activation }).Registration!;
    }

    /// <summary>
    /// Sets the passphrase: first, or a new one, which touches no data. A machine whose name the vault knows is taken over with
    /// the passphrase that it had, its recovery points included.
    /// </summary>
    /// <param name="passphrase">At least 16 printable ASCII characters.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="keyVaultUri">The Key Vault that is to keep the passphrase, <c>https://NAME.vault.azure.net/</c>; null where the user keeps it. It is
    /// there, and read back, before the machine counts as activated; nothing is written to a local file then.</param>
    /// <exception cref="BackupException">
    /// PassphraseInvalid, MachineNotRegistered, MachineNameTaken, MachineLimitReached, ScratchInvalid, ActivationDamaged (0x1FC07, nothing
    /// was changed), ActivationFailed (the machine is not activated, or the old passphrase holds; a retry may follow), KeyVaultUriInvalid (100272),
    /// KeyVaultIdentityMissing (391224), KeyVaultAccessDenied (391225), KeyVaultSecretDeleted (391282), KeyVaultNotFound (391283), …
    /// </exception>
    public async Task SetPassphraseAsync(string passphrase, CancellationToken cancellationToken, string? keyVaultUri = null)
    {
        Passphrase.Validate(passphrase);
        using IDisposable _ = await _folder.LockAsync(LockName, cancellationToken).ConfigureAwait(false);
        MachineState state = RequireRegistered();
        IPassphraseSafe? safe = keyVaultUri is null ? null : OpenSafe(state.Registration!, keyVaultUri);
        (IVaultStore objects, VaultHeader header) = await OpenOwnAsync(cancellationToken).ConfigureAwait(false);
        await (state.Activation is null
            ? _activation.SetAsync(objects, header, state, passphrase, safe, cancellationToken)
            : _activation.ChangeAsync(objects, header, state, passphrase, safe, cancellationToken)).ConfigureAwait(false);
    }

    /// <summary>Writes a passphrase into a new file, readable by its owner only, and returns its path.</summary>
    /// <param name="passphrase">At least 16 printable ASCII characters.</param>
    /// <param name="folder">An existing folder.</param>
    /// <exception cref="BackupException">PassphraseInvalid, MachineNotRegistered; ArgumentInvalid where the folder cannot be written.</exception>
    public string SavePassphrase(string passphrase, string folder)
    {
        Passphrase.Validate(passphrase);
        ArgumentException.ThrowIfNullOrEmpty(folder);
        MachineRegistration registration = RequireRegistered().Registration!;
        string name = string.Create(CultureInfo.InvariantCulture, $"{registration.MachineName}-{registration.VaultName}-{_options.TimeProvider.GetUtcNow().UtcDateTime:yyyyMMdd'T'HHmmss'Z'}.passphrase.txt");
        string file = Path.Combine(Path.GetFullPath(folder), string.Concat(name.Select(character => Path.GetInvalidFileNameChars().Contains(character) ? '-' : character)));
        try
        {
            PrivateFile.Replace(file, Encoding.UTF8.GetBytes(passphrase + "\n"));
            return file;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BackupException(
                BackupErrorId.ArgumentInvalid,
                $"The passphrase cannot be saved to '{file}': {e.Message.TrimEnd('.')}. It was not set.",
                "Name an existing folder that this account may write to.",
                folder,
                innerException: e);
        }
    }

    /// <summary>Makes the key file anew from the key slot in the vault. The next backup is incremental.</summary>
    /// <exception cref="BackupException">MachineNotRegistered, MachineNotActivated, PassphraseRejected, ActivationFailed, …</exception>
    public async Task RepairKeyAsync(string passphrase, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(passphrase);
        using IDisposable _ = await _folder.LockAsync(LockName, cancellationToken).ConfigureAwait(false);
        MachineState state = RequireActivated();
        (IVaultStore objects, VaultHeader header) = await OpenOwnAsync(cancellationToken).ConfigureAwait(false);
        await _activation.RepairAsync(objects, header, state, passphrase, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The same by the passphrase that a Key Vault keeps.</summary>
    /// <param name="keyVaultUri"><c>https://NAME.vault.azure.net/</c>.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">As with a passphrase; KeyVaultUriInvalid, KeyVaultSecretNotFound, KeyVaultAccessDenied, …</exception>
    public async Task RepairKeyFromSafeAsync(string keyVaultUri, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(keyVaultUri);
        string passphrase = await OpenSafe(RequireActivated().Registration!, keyVaultUri).ReadAsync(cancellationToken).ConfigureAwait(false);
        await RepairKeyAsync(passphrase, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The same by a key in Azure Key Vault, for which the machine's chunk store has a key slot.</summary>
    /// <param name="keyUri"><c>https://NAME.vault.azure.net/keys/KEY</c>, with or without a version.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">MachineNotRegistered, MachineNotActivated, ActivationFailed, KeySlotNotFound, KeyVaultUriInvalid, KeyVaultAccessDenied, …</exception>
    public async Task RepairKeyByKeyVaultAsync(string keyUri, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(keyUri);
        using IDisposable _ = await _folder.LockAsync(LockName, cancellationToken).ConfigureAwait(false);
        MachineState state = RequireActivated();
        IKeyEncryptionKey key = RequireKeyVaults().OpenKey(keyUri, ConnectToKeyVault());
        (IVaultStore objects, VaultHeader header) = await OpenOwnAsync(cancellationToken).ConfigureAwait(false);
        await _activation.RepairAsync(objects, header, state, key, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The vaults that the configuration gives to the holders of certificates.</summary>
    /// <exception cref="BackupException">StateInvalid, StateAccessDenied.</exception>
    public IReadOnlyList<RecoveryService> ListServices() => RecoveryService.Read(_folder);

    /// <summary>Checks a credential file as a registration does, and says which vault it is for.</summary>
    /// <exception cref="BackupException">VaultCredentialInvalid, VaultNotFound, …</exception>
    public async Task<VaultCredentialInfo> InspectCredentialAsync(string credentialFile, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(credentialFile);
        VaultCredential credential = await ReadCredentialAsync(credentialFile, cancellationToken).ConfigureAwait(false);
        return new VaultCredentialInfo(credential.VaultName, credential.Address, credential.Expires);
    }

    /// <summary>Which vault a credential file is for; whether it can be reached, or the file still holds, is not asked.</summary>
    /// <exception cref="BackupException">VaultCredentialInvalid.</exception>
    public static async Task<VaultAddress> LocateVaultAsync(string credentialFile, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(credentialFile);
        return (await VaultCredentialFile.ReadAsync(credentialFile, cancellationToken).ConfigureAwait(false)).Address;
    }

    /// <summary>
    /// Leaves the vault: this machine forgets its registration, what came with it, and the key of its chunk store. Policies, settings, and everything in the vault stay.
    /// </summary>
    /// <returns>What is forgotten.</returns>
    /// <exception cref="BackupException">MachineNotRegistered, StateInvalid, StateAccessDenied.</exception>
    internal async Task<MachineRegistration> LeaveAsync(CancellationToken cancellationToken)
    {
        using IDisposable _ = await _folder.LockAsync(LockName, cancellationToken).ConfigureAwait(false);
        MachineState state = RequireRegistered();

        // Without the registration nothing opens the key file any more: should it stay behind, it serves nobody.
        _state.Update(known => known! with { Registration = null, VaultSecret = null, Activation = null });
        _activation.Forget(state);
        return state.Registration!;
    }

    /// <summary>Changes the settings; nobody else changes them in between.</summary>
    /// <exception cref="BackupException">ArgumentInvalid, PolicyLimitExceeded, StateInvalid, StateAccessDenied.</exception>
    public void Update(Func<MachineSettings, MachineSettings> change)
    {
        ArgumentNullException.ThrowIfNull(change);
        _settings.Update(change);
    }

    /// <summary>Moves the scratch folder. Killed half-way, the old one still holds.</summary>
    /// <param name="folder">An existing folder, by its absolute path.</param>
    /// <exception cref="BackupException">ScratchInvalid, KeyFileInvalid, ActivationFailed.</exception>
    public async Task MoveScratchAsync(string folder, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        using IDisposable _ = await _folder.LockAsync(LockName, cancellationToken).ConfigureAwait(false);
        _activation.Move(_state.Read(), folder);
    }

    /// <summary>Whether the scratch folder's volume has the room that so much data ask for.</summary>
    /// <param name="protectedBytes">Bytes that are protected in all.</param>
    /// <exception cref="BackupException">ActivationDamaged where the folder is not there.</exception>
    public ScratchCheck CheckScratch(long protectedBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(protectedBytes);
        string folder = _activation.FindScratch(_state.Read());
        return new ScratchCheck(folder, Scratch.FreeBytes(folder), protectedBytes);
    }

    /// <summary>What all transfers of this process to vaults beyond this machine share; null where nothing limits them, or none began.</summary>
    internal Bandwidth? Bandwidth { get; private set; }

    /// <summary>
    /// How a vault is reached: by the settings of this machine, and, where it is the registered one, by what came with the registration.
    /// A folder needs none of it, and damaged settings do not keep anybody from it.
    /// </summary>
    /// <param name="vault">The vault.</param>
    /// <param name="patience">Who waits for it.</param>
    /// <exception cref="BackupException">StateInvalid, StateAccessDenied.</exception>
    public VaultConnection Connect(VaultAddress vault, VaultPatience patience)
    {
        if (!vault.IsRemote)
        {
            return new VaultConnection { Secret = vault.Secret, Patience = patience, TimeProvider = _options.TimeProvider };
        }

        if (_state.Read() is { Registration: { } own } state && own.VaultLocation == vault.Location)
        {
            vault = vault with { Secret = vault.Secret ?? ReadVaultSecret(state), RequiresPrivateEndpoint = vault.RequiresPrivateEndpoint || own.RequiresPrivateEndpoint };
        }

        return Connect(vault.Secret, vault.RequiresPrivateEndpoint) with { Patience = patience };
    }

    /// <summary>Why jobs cannot open the vault by the key file; null where they can. Only the disk is asked, not the vault.</summary>
    /// <exception cref="BackupException">MachineNotRegistered, MachineNotActivated, StateInvalid.</exception>
    public BackupException? FindKeyFault()
    {
        MachineState state = RequireActivated();
        try
        {
            CryptographicOperations.ZeroMemory(_activation.ReadKey(state).MasterKey);
            return null;
        }
        catch (BackupException fault)
        {
            return fault;
        }
    }

    /// <summary>The key of this machine's chunk store.</summary>
    /// <exception cref="BackupException">MachineNotRegistered, MachineNotActivated, KeyFileInvalid (34506), ActivationDamaged (0x1FC07).</exception>
    internal UnlockedKey ReadKey()
    {
        while (true)
        {
            MachineState state = RequireActivated();
            try
            {
                return _activation.ReadKey(state);
            }
            catch (BackupException) when (ScratchFolder != _activation.ScratchOf(state))
            {
                // The scratch folder was moved between the two looks.
            }
        }
    }

    /// <summary>The store of the vault that this machine is registered with; nothing of it is read yet.</summary>
    /// <exception cref="BackupException">MachineNotRegistered, VaultNotFound, …</exception>
    internal IVaultStore OpenVault(VaultPatience patience)
    {
        MachineRegistration registration = RequireRegistered().Registration!;
        try
        {
            return Open(registration.VaultLocation, patience);
        }
        catch (BackupException e) when (e.Id == BackupErrorId.VaultNotFound)
        {
            throw Lost(registration, e);
        }
    }

    /// <summary>Whether a place is that of the registered vault. Damaged state knows of none: whoever needs it says so.</summary>
    internal bool KnowsAs(string location)
    {
        try
        {
            return Registration?.VaultLocation == location;
        }
        catch (BackupException e) when (e.Id == BackupErrorId.StateInvalid)
        {
            return false;
        }
    }

    /// <summary>Reads the header of that vault.</summary>
    /// <exception cref="BackupException">MachineNotRegistered, VaultNotFound where another is in its place, OwnerForeign where it has another owner, …</exception>
    internal async Task<VaultHeader> ReadHeaderAsync(IVaultStore objects, CancellationToken cancellationToken)
    {
        MachineRegistration registration = RequireRegistered().Registration!;
        VaultHeader header;
        try
        {
            header = await VaultHeader.ReadAsync(objects, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e) when (e.Id == BackupErrorId.VaultNotFound)
        {
            throw Lost(registration, e);
        }

        if (header.VaultId == registration.VaultId && header.OwnerIdentity?.PublicKey != registration.Owner)
        {
            throw OwnerErrors.Foreign(registration.VaultLocation, "its 'vault.json' does not name the one that this machine has registered with");
        }

        return header.VaultId == registration.VaultId
            ? header
            : throw new BackupException(
                BackupErrorId.VaultNotFound,
                $"The vault at '{registration.VaultLocation}' is not the one that this machine is registered with, '{registration.VaultName}'.",
                "Bring that vault back to its place. If it has moved, register with a credential file issued at the new place.",
                registration.VaultLocation);
    }

    /// <summary>Checks a credential file as a registration does, and returns what it says.</summary>
    internal async Task<VaultCredential> ReadCredentialAsync(string file, CancellationToken cancellationToken)
    {
        VaultCredential credential = await VaultCredentialFile.ReadAsync(file, cancellationToken).ConfigureAwait(false);
        (IVaultStore objects, VaultHeader header) = await OpenAsync(credential.Address, cancellationToken).ConfigureAwait(false);
        await new CredentialRegister(new KnownVault(objects, header, _options)).CheckAsync(credential, file, cancellationToken).ConfigureAwait(false);
        return credential;
    }

    /// <summary>The state of a machine that is registered and activated.</summary>
    /// <exception cref="BackupException">MachineNotRegistered, MachineNotActivated.</exception>
    internal MachineState RequireActivated()
    {
        MachineState state = RequireRegistered();
        return state.Activation is not null
            ? state
            : throw new BackupException(
                BackupErrorId.MachineNotActivated,
                $"The registration of '{state.Registration!.MachineName}' is incomplete: no encryption passphrase is set.",
                "Set it with 'Set-OBMachineSetting -EncryptionPassphrase', and keep it somewhere safe: without it the data cannot be recovered.",
                state.Registration.MachineName);
    }

    // It may have been unregistered meanwhile. To prove a record takes the key; where it is not at hand, the vault may still know the machine.
    private async Task ReclaimAsync(IVaultStore objects, VaultHeader header, VaultEntrance entrance, MachineState state, CancellationToken cancellationToken)
    {
        MachineRecord? known = await new MachineDirectory(new KnownVault(objects, header, _options)).FindAsync(Name, cancellationToken).ConfigureAwait(false);
        if (known is not { IsGone: false } || known.StoreId != state.Activation!.StoreId)
        {
            await entrance.ClaimAsync(Name, _activation.ReadKey(state), cancellationToken).ConfigureAwait(false);
        }
    }

    private static StateFile<MachineState> StateOf(StateFolder folder) => new(
        folder,
        "machine.json",
        StateJson.Default.MachineState,
        "delete it, register again, and set the passphrase that the machine had: it then finds its recovery points again");

    // As it is when the first vault is opened: what is changed meanwhile holds for the next job.
    private Bandwidth? ShareBandwidth(ThrottleSetting? throttle)
    {
        lock (_bandwidthGate)
        {
            return Bandwidth ??= throttle is null ? null : new Bandwidth(() => throttle.LimitNow(_options.TimeProvider), _options.TimeProvider);
        }
    }

    private MachineState RequireRegistered() => _state.Read() is { Registration: not null } state
        ? state
        : throw new BackupException(
            BackupErrorId.MachineNotRegistered,
            $"The machine '{Name}' is not registered with a vault.",
            "Register it with 'Start-OBRegistration' and a vault credential file.",
            Name);

    private static string Bind(MachineRegistration registration) => $"{registration.VaultId}\n{registration.VaultLocation}";

    private string? ReadVaultSecret(MachineState state) => state.VaultSecret is not { } wrapped
        ? null
        : _secret.TryUnwrap(VaultSecretPurpose, Bind(state.Registration!), wrapped) ?? throw new BackupException(
            BackupErrorId.StateInvalid,
            $"What opens the vault '{state.Registration!.VaultLocation}', in '{_folder.PathOf("machine.json")}', does not open itself: the file or the machine's secret was changed or comes from another machine.",
            "Register again with a newer credential file; what is set stays.",
            _folder.PathOf("machine.json"));

    private IVaultStore Open(VaultAddress vault, VaultPatience patience) => _openVault(vault.Location, Connect(vault, patience));

    private async Task<(IVaultStore Objects, VaultHeader Header)> OpenAsync(VaultAddress vault, CancellationToken cancellationToken)
    {
        IVaultStore objects = Open(vault, VaultPatience.Person);
        return (objects, await VaultHeader.ReadAsync(objects, cancellationToken).ConfigureAwait(false));
    }

    private async Task<(IVaultStore Objects, VaultHeader Header)> OpenOwnAsync(CancellationToken cancellationToken)
    {
        IVaultStore objects = OpenVault(VaultPatience.Person);
        return (objects, await ReadHeaderAsync(objects, cancellationToken).ConfigureAwait(false));
    }

    private IPassphraseSafe OpenSafe(MachineRegistration registration, string uri)
    {
        KeyVaultAccess keyVaults = RequireKeyVaults();
        string name = registration.MachineName;
        string machine = keyVaults.DomainName is { Length: > 0 } domain && !name.Contains('.', StringComparison.Ordinal) ? $"{name}.{domain}" : name;
        return keyVaults.OpenSafe(uri, new PassphraseOwner(machine, registration.VaultName, registration.VaultId), ConnectToKeyVault());
    }

    // A Key Vault is reached as the vault is.
    private VaultConnection ConnectToKeyVault() => Connect(secret: null, Registration is { RequiresPrivateEndpoint: true });

    private VaultConnection Connect(string? secret, bool requiresPrivateEndpoint)
    {
        MachineSettings settings = Settings;
        return new VaultConnection
        {
            Proxy = settings.IsDirect ? null : settings.Proxy,
            IsDirect = settings.IsDirect,
            Bandwidth = ShareBandwidth(settings.Throttle),
            RequiresPrivateEndpoint = requiresPrivateEndpoint,
            Secret = secret,
            TimeProvider = _options.TimeProvider,
        };
    }

    private KeyVaultAccess RequireKeyVaults() => _keyVaults ?? throw new BackupException(
        BackupErrorId.NotAvailable,
        "This program was put together without Azure Key Vault.",
        "Use the module's cmdlets.");

    private void CheckName()
    {
        if (string.IsNullOrWhiteSpace(Name) || Name.Length > 255 || Name.Any(char.IsControl))
        {
            throw new BackupException(
                BackupErrorId.ArgumentInvalid,
                "The machine's name is empty, longer than 255 characters, or has control characters.",
                "Give the machine a plain name.");
        }
    }

    /// <summary>What is said where a machine's own vault is gone: a new vault in its place would be another one.</summary>
    internal static BackupException Lost(MachineRegistration registration, BackupException cause) => new(
        BackupErrorId.VaultNotFound,
        $"The vault '{registration.VaultName}' of this machine is not there. {cause.Message}",
        "Check that its disk or share is mounted. If the vault has moved, issue a credential file at the new place (Export-OBVaultCredential) and register again with it (Start-OBRegistration): policy and recovery points stay.",
        registration.VaultLocation,
        innerException: cause,
        errorCode: cause.ErrorCode);

    private static BackupException Foreign(string file, VaultCredential credential, MachineRegistration earlier) => new(
        BackupErrorId.VaultCredentialForeign,
        $"'{file}' belongs to the vault '{credential.VaultName}' ({credential.Location}); this machine is registered with '{earlier.VaultName}' ({earlier.VaultLocation}).",
        $"Use a credential file of '{earlier.VaultName}'. To leave that vault, whose recovery points stay, run 'Unregister-OBMachine' without a name, and register again.",
        file,
        errorCode: "100110");
}
