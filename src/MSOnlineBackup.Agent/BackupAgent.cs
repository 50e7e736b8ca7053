using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Agent;

/// <summary>
/// This machine's agent: its registration, settings, policies and jobs. What needs only a vault and a passphrase is
/// <see cref="UnlockedVault"/>.
/// </summary>
public sealed class BackupAgent
{
    private readonly AgentOptions _options;

    private BackupAgent(AgentOptions options)
    {
        _options = options;
        var state = new StateFolder(options.StateFolder);
        StateFolder = state.Path;
        Machine = new MachineAccount(state, options.MachineName, options.OpenVault, options.Limits, options.Engine, options.KeyVaults);
        Policies = new PolicyStore(state, Machine, options.Limits, options.Engine.TimeProvider);
        Jobs = new AgentJobs(this, options, state);
    }

    /// <summary>Where this machine's state lies, files that its owner puts there included.</summary>
    public string StateFolder { get; }

    /// <summary>Registration, passphrase and settings.</summary>
    public MachineAccount Machine { get; }

    /// <summary>The policies.</summary>
    public PolicyStore Policies { get; }

    /// <summary>The jobs.</summary>
    public AgentJobs Jobs { get; }

    /// <summary>Opens the state of this machine; makes nothing yet.</summary>
    public static BackupAgent Open(AgentOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new BackupAgent(options);
    }

    /// <summary>Creates a vault that no machine uses yet.</summary>
    /// <param name="location">Where.</param>
    /// <param name="name">What it is called.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="owner">The file that is to keep the owner's key, sealed under this passphrase; null for none: then this machine keeps the key.</param>
    /// <param name="isKeptHere">Whether this machine keeps it too.</param>
    /// <exception cref="BackupException">VaultExists, ArgumentInvalid, OwnerFileInvalid, PassphraseInvalid, …</exception>
    public async Task<VaultInfo> CreateVaultAsync(string location, string name, CancellationToken cancellationToken, OwnerAccess? owner = null, bool isKeptHere = false)
    {
        ArgumentException.ThrowIfNullOrEmpty(location);
        IVaultStore store = _options.CreateVault(location, Machine.Connect(location, VaultPatience.Person));
        Vault vault = await Vault.CreateNamedAsync(store, name, _options.Engine, cancellationToken, Keep).ConfigureAwait(false);
        return await vault.InspectAsync(cancellationToken).ConfigureAwait(false);

        void Keep(NewOwner made)
        {
            if (owner is not null)
            {
                OwnerFile.Write(owner.File, made, owner.Passphrase, _options.Engine);
            }

            if (owner is null || isKeptHere)
            {
                Machine.Owners.Keep(made.VaultId, made.Key);
            }
        }
    }

    /// <summary>Writes the owner's key of a vault, which this machine keeps, to a file.</summary>
    /// <param name="vault">The vault.</param>
    /// <param name="owner">The file, which must not be there, and the passphrase that is to seal it.</param>
    /// <param name="forgets">Whether this machine keeps it no longer, once the file has been read back.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">OwnerRequired where this machine does not keep it; OwnerFileInvalid, PassphraseInvalid, OwnerForeign, …</exception>
    public async Task ExportOwnerAsync(VaultAddress vault, OwnerAccess owner, bool forgets, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        ArgumentNullException.ThrowIfNull(owner);
        IVaultStore objects = Open(vault);
        VaultHeader header = await VaultHeader.ReadAsync(objects, cancellationToken).ConfigureAwait(false);
        using OwnerKey key = await OpenOwnerAsync(objects, header, null, cancellationToken).ConfigureAwait(false);
        OwnerFile.Write(owner.File, new NewOwner(key, header.VaultId, header.Name, objects.Location, header.Created), owner.Passphrase, _options.Engine);

        // What cannot be opened now could not be when it is needed.
        using OwnerKey written = await OwnerFile.OpenAsync(owner.File, owner.Passphrase, header.VaultId, cancellationToken).ConfigureAwait(false);
        if (forgets)
        {
            Machine.Owners.Forget(header.VaultId);
        }
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

    /// <summary>Sees whether there is a vault that this machine may read: reads its header, and nothing else.</summary>
    /// <exception cref="BackupException">VaultNotFound, VaultAccessDenied, VaultUnreachable, VaultHeaderInvalid, …</exception>
    public Task CheckVaultAsync(VaultAddress vault, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        return VaultHeader.ReadAsync(Open(vault), cancellationToken);
    }

    /// <summary>What can be known of a vault without a passphrase.</summary>
    public async Task<VaultInfo> InspectVaultAsync(VaultAddress vault, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        return await (await Vault.OpenAsync(await OpenKnownAsync(vault, cancellationToken).ConfigureAwait(false), _options.Engine, cancellationToken).ConfigureAwait(false)).InspectAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The machines that a vault knows, those that were unregistered too, by name. Needs no passphrase.</summary>
    /// <exception cref="BackupException">VaultNotFound, …</exception>
    public async Task<IReadOnlyList<VaultMachine>> ListMachinesAsync(VaultAddress vault, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        return await (await Vault.OpenAsync(await OpenKnownAsync(vault, cancellationToken).ConfigureAwait(false), _options.Engine, cancellationToken).ConfigureAwait(false)).ListMachinesAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>What the owner of a vault has decided for all of its machines.</summary>
    /// <exception cref="BackupException">VaultDataCorrupt where the settings are damaged; VaultNotFound, …</exception>
    public async Task<VaultSettings> ReadVaultSettingsAsync(VaultAddress vault, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        return await (await Vault.OpenAsync(await OpenKnownAsync(vault, cancellationToken).ConfigureAwait(false), _options.Engine, cancellationToken).ConfigureAwait(false)).ReadSettingsAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Changes the settings of a vault, and returns them; see <see cref="Vault.ChangeSettingsAsync"/>.</summary>
    /// <param name="vault">The vault.</param>
    /// <param name="change">From the settings to those that are to hold.</param>
    /// <param name="owner">The owner's file; null: this machine keeps the owner's key.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">OwnerRequired, OwnerFileInvalid, OwnerForeign, PassphraseRejected; those of <see cref="Vault.ChangeSettingsAsync"/>.</exception>
    public async Task<VaultSettings> ChangeVaultSettingsAsync(
        VaultAddress vault, Func<VaultSettings, VaultSettings> change, OwnerAccess? owner, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        try
        {
            IVaultStore objects = Open(vault);
            using OwnerKey key = await OpenOwnerAsync(objects, owner, cancellationToken).ConfigureAwait(false);
            return await (await Vault.OpenAsync(objects, _options.Engine, cancellationToken).ConfigureAwait(false)).ChangeSettingsAsync(key, change, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e) when (IsOwnLost(e, vault))
        {
            throw MachineAccount.Lost(Machine.Registration!, e);
        }
    }

    /// <inheritdoc cref="Vault.RehydrateAsync"/>
    /// <param name="vault">The vault.</param>
    public Task<VaultRehydration> RehydrateVaultAsync(VaultAddress vault, bool urgently, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        return Vault.RehydrateAsync(Open(vault), urgently, cancellationToken);
    }

    /// <summary>Takes a machine off a vault's list; see <see cref="Vault.UnregisterMachineAsync"/>.</summary>
    /// <param name="vault">The vault.</param>
    /// <param name="machineName">The machine, in upper or lower case.</param>
    /// <param name="owner">The owner's file; null: this machine keeps the owner's key.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">OwnerRequired, OwnerFileInvalid, OwnerForeign, PassphraseRejected; those of <see cref="Vault.UnregisterMachineAsync"/>.</exception>
    public async Task UnregisterMachineAsync(VaultAddress vault, string machineName, OwnerAccess? owner, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        IVaultStore objects = Open(vault);
        using OwnerKey key = await OpenOwnerAsync(objects, owner, cancellationToken).ConfigureAwait(false);
        await (await Vault.OpenAsync(objects, _options.Engine, cancellationToken).ConfigureAwait(false)).UnregisterMachineAsync(key, machineName, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Writes a new credential file of a vault into a folder; the ones before it hold no longer.</summary>
    /// <param name="location">The vault.</param>
    /// <param name="folder">An existing folder.</param>
    /// <param name="validity">How long machines may register with it, up to ten days; null for 48 hours.</param>
    /// <param name="secret">What opens the vault to machines that have no identity of their own there: it goes into the file, and is tried before; null for nothing.</param>
    /// <param name="owner">The owner's file; null: this machine keeps the owner's key.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">ArgumentInvalid where the folder cannot be written, the validity is out of range, or the vault takes no such secret; what
    /// comes of trying the secret; OwnerRequired, OwnerFileInvalid, OwnerForeign, PassphraseRejected; VaultNotFound, …</exception>
    public async Task<IssuedCredential> IssueCredentialAsync(
        string location, string folder, TimeSpan? validity, string? secret, OwnerAccess? owner, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(location);
        ArgumentException.ThrowIfNullOrEmpty(folder);
        string target = Path.GetFullPath(folder);
        if (!Directory.Exists(target))
        {
            throw NotWritten(target, "there is no such folder", null);
        }

        VaultAddress vault = location;
        string place = vault.IsRemote ? location : Path.GetFullPath(location);
        if (secret is not null)
        {
            await VaultHeader.ReadAsync(Open(vault with { Secret = secret }), cancellationToken).ConfigureAwait(false);
        }

        IVaultStore objects = Open(place);
        VaultHeader header = await VaultHeader.ReadAsync(objects, cancellationToken).ConfigureAwait(false);
        using OwnerKey key = await OpenOwnerAsync(objects, header, owner, cancellationToken).ConfigureAwait(false);
        VaultSettings settings = await new VaultSettingsRegister(new KnownVault(objects, header, _options.Engine)).ReadAsync(cancellationToken).ConfigureAwait(false);
        string name = header.Name ?? Path.GetFileName(Path.TrimEndingDirectorySeparator(place));
        VaultCredential credential = await new CredentialRegister(new KnownVault(objects, header, _options.Engine)).IssueAsync(key, place, name, validity ?? CredentialRegister.DefaultValidity, cancellationToken).ConfigureAwait(false);
        string file = Path.Combine(target, VaultCredentialFile.NameOf(credential));
        try
        {
            PrivateFile.Replace(file, VaultCredentialFile.Encode(credential with { Secret = secret, RequiresPrivateEndpoint = settings.RequiresPrivateEndpoint }));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw NotWritten(target, e.Message.TrimEnd('.'), e);
        }

        int machines = await new MachineDirectory(new KnownVault(objects, header, _options.Engine)).CountAsync(cancellationToken).ConfigureAwait(false);
        return new IssuedCredential(file, machines < settings.MachineLimit ? null
            : $"The vault '{objects.Location}' has {machines} machines, as many as it may have: no other one can register by this file until one is unregistered, or the limit raised with 'Set-OBVault -MachineLimit'.");
    }

    /// <summary>
    /// Takes, for a program that backs up by itself, the right to run a job of this machine: of jobs of the module and of others one runs at a time.
    /// Null where this account has no machine that is registered with that vault under that name: nobody is in the way then.
    /// </summary>
    /// <param name="vaultId">The vault.</param>
    /// <param name="machineName">The name under which is backed up.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">JobInProgress.</exception>
    public static async Task<IDisposable?> TryHoldJobsAsync(string vaultId, string machineName, TimeProvider clock, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(vaultId);
        ArgumentException.ThrowIfNullOrEmpty(machineName);
        var state = new StateFolder(chosen: null);
        MachineRegistration? registration;
        try
        {
            registration = MachineAccount.ReadRegistration(state);
        }
        catch (BackupException e) when (e.Id is BackupErrorId.StateAccessDenied or BackupErrorId.StateInvalid)
        {
            // No job of the module runs by a state that cannot be read.
            return null;
        }

        return registration is not null && registration.VaultId == vaultId && string.Equals(registration.MachineName, machineName, StringComparison.OrdinalIgnoreCase)
            ? await new JobHistory(state, clock).LockAsync(cancellationToken).ConfigureAwait(false)
            : null;
    }

    /// <summary>Opens this machine's vault by its key file, for somebody who waits for it.</summary>
    /// <exception cref="BackupException">MachineNotRegistered, MachineNotActivated, KeyFileInvalid, ActivationDamaged, VaultNotFound, …</exception>
    public Task<UnlockedVault> OpenEngineAsync(CancellationToken cancellationToken) => OpenEngineAsync(VaultPatience.Person, cancellationToken);

    /// <summary>The same for whom it is opened.</summary>
    public Task<UnlockedVault> OpenEngineAsync(VaultPatience patience, CancellationToken cancellationToken) => OpenEngineAsync(new JobMonitor(), patience, cancellationToken);

    /// <summary>The same for a job, which can tell from then on what it waits for.</summary>
    internal Task<UnlockedVault> OpenEngineAsync(JobMonitor monitor, CancellationToken cancellationToken) => OpenEngineAsync(monitor, VaultPatience.Job, cancellationToken);

    private async Task<UnlockedVault> OpenEngineAsync(JobMonitor monitor, VaultPatience patience, CancellationToken cancellationToken)
    {
        UnlockedKey key = Machine.ReadKey();
        IVaultStore objects = Machine.OpenVault(patience);
        monitor.Watch(objects);
        await Machine.ReadHeaderAsync(objects, cancellationToken).ConfigureAwait(false);
        return await (await Vault.OpenAsync(objects, _options.Engine, cancellationToken).ConfigureAwait(false)).UnlockAsync(key, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Opens a vault by a passphrase, for somebody who waits for it.</summary>
    /// <exception cref="BackupException">VaultNotFound, PassphraseRejected, …</exception>
    public Task<UnlockedVault> OpenEngineAsync(VaultAddress vault, string passphrase, CancellationToken cancellationToken) =>
        OpenEngineAsync(vault, passphrase, VaultPatience.Person, cancellationToken);

    /// <summary>The same for whom it is opened.</summary>
    public Task<UnlockedVault> OpenEngineAsync(VaultAddress vault, string passphrase, VaultPatience patience, CancellationToken cancellationToken) =>
        OpenEngineAsync(vault, passphrase, new JobMonitor(), patience, cancellationToken);

    /// <summary>The same for a job, which can tell from then on what it waits for.</summary>
    internal Task<UnlockedVault> OpenEngineAsync(VaultAddress vault, string passphrase, JobMonitor monitor, CancellationToken cancellationToken) =>
        OpenEngineAsync(vault, passphrase, monitor, VaultPatience.Job, cancellationToken);

    private async Task<UnlockedVault> OpenEngineAsync(VaultAddress vault, string passphrase, JobMonitor monitor, VaultPatience patience, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        IVaultStore objects = Open(vault, patience);
        monitor.Watch(objects);
        return await (await Vault.OpenAsync(objects, _options.Engine, cancellationToken).ConfigureAwait(false)).UnlockAsync(passphrase, cancellationToken).ConfigureAwait(false);
    }

    private async Task<OwnerKey> OpenOwnerAsync(IVaultStore objects, OwnerAccess? access, CancellationToken cancellationToken) => await OpenOwnerAsync(
        objects, await VaultHeader.ReadAsync(objects, cancellationToken).ConfigureAwait(false), access, cancellationToken).ConfigureAwait(false);

    // The key of a vault's owner: from the file that was named, else as this machine keeps it.
    private async Task<OwnerKey> OpenOwnerAsync(IVaultStore objects, VaultHeader header, OwnerAccess? access, CancellationToken cancellationToken)
    {
        if (header.OwnerIdentity is not { } owner)
        {
            throw OwnerErrors.Required(objects.Location, "it was created without one");
        }

        OwnerKey key = access is not null
            ? await OwnerFile.OpenAsync(access.File, access.Passphrase, header.VaultId, cancellationToken).ConfigureAwait(false)
            : Machine.Owners.Find(header.VaultId) ?? throw OwnerErrors.Required(objects.Location, "no owner's file was named, and this machine does not keep the owner's key");
        if (key.Identity == owner)
        {
            return key;
        }

        key.Dispose();
        throw OwnerErrors.Foreign(objects.Location, access is null ? "this machine keeps the key of another one for a vault of this id" : $"'{access.File}' has the key of another one");
    }

    // Where it is this machine's own vault, its owner must be the one that is known.
    private async Task<IVaultStore> OpenKnownAsync(VaultAddress vault, CancellationToken cancellationToken)
    {
        IVaultStore objects;
        try
        {
            objects = Open(vault);
        }
        catch (BackupException e) when (IsOwnLost(e, vault))
        {
            throw MachineAccount.Lost(Machine.Registration!, e);
        }

        if (Machine.KnowsAs(vault.Location))
        {
            await Machine.ReadHeaderAsync(objects, cancellationToken).ConfigureAwait(false);
        }

        return objects;
    }

    private bool IsOwnLost(BackupException failure, VaultAddress vault) => failure.Id == BackupErrorId.VaultNotFound && Machine.KnowsAs(vault.Location);

    private IVaultStore Open(VaultAddress vault, VaultPatience patience = VaultPatience.Person) => _options.OpenVault(vault.Location, Machine.Connect(vault, patience));

    private static BackupException NotWritten(string folder, string why, Exception? inner) => new(
        BackupErrorId.ArgumentInvalid,
        $"The vault credential file cannot be written to '{folder}': {why}.",
        "Name an existing folder that this account may write to.",
        folder,
        innerException: inner);
}

/// <summary>A credential file that was written.</summary>
/// <param name="File">Its path.</param>
/// <param name="Warning">What whoever hands it on should know; null for nothing.</param>
public sealed record IssuedCredential(string File, string? Warning);
