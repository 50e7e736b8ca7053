using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Storage;


namespace MSOnlineBackup.Agent.Machine;

/// <summary>
/// This machine as a client of a vault. It is registered first, then activated by a passphrase; policies come after that.
/// Everything is read from disk when it is asked for: other processes change it too.
/// </summary>
public sealed class MachineAccount
{
    private readonly StateFolder _folder;
    private readonly AccountState _state;
    private readonly SettingsStore _settings;
    private readonly VaultConnections _connections;
    private readonly Registrar _registrar;

    internal MachineAccount(
        StateFolder folder,
        string machineName,
        Func<string, VaultConnection, IVaultStore> openVault,
        PolicyLimits limits,
        VaultOptions options,
        KeyVaultAccess? keyVaults)
    {
        var secret = new MachineSecret(folder, ISecretProtection.Current);
        var keyFile = new KeyFileStore(secret);
        Name = machineName;
        _folder = folder;
        _state = new AccountState(folder, machineName);
        _settings = new SettingsStore(folder, secret, limits);
        _connections = new VaultConnections(folder, _state, _settings, secret, options.TimeProvider);
        Contacts = new ContactLog(folder, options.TimeProvider);
        Vault = new RegisteredVault(_state, _connections, openVault, Contacts, options);
        Owners = new OwnerKeys(folder, secret);
        Scratch = new ScratchFolder(folder, _state, keyFile);
        Key = new MachineKey(
            _state, Vault, new KeyVaults(keyVaults, _connections), Scratch, keyFile, new PassphraseFiles(folder, options.TimeProvider), options);
        _registrar = new Registrar(_state, Vault, _connections, Key, machineName, options);
    }

    /// <summary>The name of this machine; where it is registered, the one by which the vault knows it is in <see cref="Registration"/>.</summary>
    public string Name { get; }

    /// <summary>The registration; null where there is none.</summary>
    public MachineRegistration? Registration => _state.Read()?.Registration;

    /// <summary>Whether a passphrase is set.</summary>
    public bool HasPassphrase => _state.Read()?.Activation is not null;

    /// <summary>The settings.</summary>
    public MachineSettings Settings => _settings.Read();

    /// <summary>The passphrase and the key file.</summary>
    public MachineKey Key { get; }

    /// <summary>The scratch folder.</summary>
    public ScratchFolder Scratch { get; }

    /// <summary>The vault that this machine is registered with.</summary>
    internal RegisteredVault Vault { get; }

    /// <summary>When it answered last.</summary>
    internal ContactLog Contacts { get; }

    /// <summary>The keys of vaults' owners that this machine keeps.</summary>
    internal OwnerKeys Owners { get; }

    /// <summary>What all transfers of this process to vaults beyond this machine share; null where nothing limits them, or none began.</summary>
    internal Bandwidth? Bandwidth => _connections.Bandwidth;

    /// <summary>Which vault a credential file is for; whether it can be reached, or the file still holds, is not asked.</summary>
    /// <exception cref="BackupException">VaultCredentialInvalid.</exception>
    public static async Task<VaultAddress> LocateVaultAsync(string credentialFile, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(credentialFile);
        return (await VaultCredentialFile.ReadAsync(credentialFile, cancellationToken).ConfigureAwait(false)).Address;
    }

    /// <summary>Registers by a credential file, which may be a relative path. With the same vault it may be done again; what is set stays, and
    /// what the file brings to open the vault takes the place of what an earlier one brought.</summary>
    /// <exception cref="BackupException">
    /// VaultCredentialInvalid, VaultCredentialForeign, OwnerForeign, MachineLimitReached, MachineNameTaken, VaultNotFound, VaultUnreachable, …
    /// </exception>
    public Task<MachineRegistration> RegisterAsync(string credentialFile, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(credentialFile);
        return _registrar.RegisterAsync(credentialFile, cancellationToken);
    }

    /// <summary>Checks a credential file as a registration does, and says which vault it is for.</summary>
    /// <exception cref="BackupException">VaultCredentialInvalid, VaultNotFound, …</exception>
    public async Task<VaultCredentialInfo> InspectCredentialAsync(string credentialFile, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(credentialFile);
        VaultCredential credential = await _registrar.InspectAsync(credentialFile, cancellationToken).ConfigureAwait(false);
        return new VaultCredentialInfo(credential.VaultName, credential.Address, credential.Expires);
    }

    /// <summary>The vaults that the configuration gives to the holders of certificates.</summary>
    /// <exception cref="BackupException">StateInvalid, StateAccessDenied.</exception>
    public IReadOnlyList<RecoveryService> ListServices() => RecoveryService.Read(_folder);

    /// <summary>Changes the settings; nobody else changes them in between.</summary>
    /// <exception cref="BackupException">ArgumentInvalid, PolicyLimitExceeded, StateInvalid, StateAccessDenied.</exception>
    public void Update(Func<MachineSettings, MachineSettings> change)
    {
        ArgumentNullException.ThrowIfNull(change);
        _settings.Update(change);
    }

    /// <summary>
    /// How a vault is reached: by the settings of this machine, and, where it is the registered one, by what came with the registration.
    /// A folder needs none of it, and damaged settings do not keep anybody from it.
    /// </summary>
    /// <param name="vault">The vault.</param>
    /// <param name="patience">Who waits for it.</param>
    /// <exception cref="BackupException">StateInvalid, StateAccessDenied.</exception>
    public VaultConnection Connect(VaultAddress vault, VaultPatience patience) => _connections.Connect(vault, patience);

    /// <summary>
    /// What the user should know where the system calls this machine otherwise than when it was registered or last renamed; null for nothing.
    /// </summary>
    /// <exception cref="BackupException">StateInvalid, StateAccessDenied.</exception>
    public BackupException? FindNameChange()
    {
        MachineRegistration? registration = Registration;
        return registration is null || Name.Equals(registration.HostName ?? registration.MachineName, StringComparison.OrdinalIgnoreCase)
            || registration.IsNamed(Name)
            ? null
            : new BackupException(
                BackupErrorId.MachineNameChanged,
                $"This machine is called '{Name}' now; the vault '{registration.VaultName}' knows it as '{registration.MachineName}', "
                    + "and it goes on backing up under that name.",
                $"To have the vault call it '{Name}', run 'Rename-OBMachine {Name}': its recovery points stay, and nothing is uploaded again.",
                Name);
    }

    /// <summary>Notes that the vault calls this machine otherwise now.</summary>
    internal MachineRegistration NoteName(string name) => _state.Update(known => known.Registration is not { } registration ? known : known with
    {
        Registration = registration with
        {
            MachineName = name,
            FirstName = registration.FirstName ?? registration.MachineName,
            EarlierNames = [.. (registration.EarlierNames ?? []).Append(registration.MachineName).Distinct(StringComparer.OrdinalIgnoreCase)],
            HostName = Name,
        },
    }).Registration!;

    /// <summary>The registration that a state folder has; null where it has none.</summary>
    /// <exception cref="BackupException">StateInvalid, StateAccessDenied.</exception>
    internal static MachineRegistration? ReadRegistration(StateFolder folder) => new AccountState(folder, "").Read()?.Registration;

    /// <summary>
    /// Leaves the vault: this machine forgets its registration, what came with it, and the key of its chunk store. Policies, settings, and everything in the
    /// vault stay.
    /// </summary>
    /// <returns>What is forgotten.</returns>
    /// <exception cref="BackupException">MachineNotRegistered, StateInvalid, StateAccessDenied.</exception>
    internal Task<MachineRegistration> LeaveAsync(CancellationToken cancellationToken) => _registrar.LeaveAsync(cancellationToken);

    /// <summary>Refuses what a machine cannot do before it is registered and activated.</summary>
    /// <exception cref="BackupException">MachineNotRegistered, MachineNotActivated.</exception>
    internal void RequireActivated() => _state.RequireActivated();
}
