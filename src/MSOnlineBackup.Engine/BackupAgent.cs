using MSOnlineBackup.Engine.Errors;
using MSOnlineBackup.Engine.Jobs;
using MSOnlineBackup.Engine.Machine;
using MSOnlineBackup.Engine.Storage;
using MSOnlineBackup.Engine.Vaults;

namespace MSOnlineBackup.Engine;

/// <summary>
/// This machine's agent: its registration, settings, policies and jobs. What needs only a vault and a passphrase is
/// <see cref="BackupEngine"/>.
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
    /// <exception cref="BackupException">VaultExists, ArgumentInvalid, …</exception>
    public Task<VaultInfo> CreateVaultAsync(string location, string name, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(location);
        return ClosedVault.CreateNamedAsync(_options.CreateVault(location, Machine.Connect(location)), name, _options.Engine, cancellationToken);
    }

    /// <summary>Sees whether there is a vault that this machine may read: reads its header, and nothing else.</summary>
    /// <exception cref="BackupException">VaultNotFound, VaultAccessDenied, VaultUnreachable, VaultHeaderInvalid, …</exception>
    public Task CheckVaultAsync(VaultAddress vault, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        return VaultHeader.ReadAsync(Open(vault), cancellationToken);
    }

    /// <summary>What can be known of a vault without a passphrase.</summary>
    public Task<VaultInfo> InspectVaultAsync(VaultAddress vault, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        return ClosedVault.InspectAsync(Open(vault), cancellationToken);
    }

    /// <summary>The machines that a vault knows, those that were unregistered too, by name. Needs no passphrase.</summary>
    /// <exception cref="BackupException">VaultNotFound, …</exception>
    public Task<IReadOnlyList<VaultMachine>> ListMachinesAsync(VaultAddress vault, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        return ClosedVault.ListMachinesAsync(Open(vault), cancellationToken);
    }

    /// <summary>What the owner of a vault has decided for all of its machines.</summary>
    /// <exception cref="BackupException">VaultDataCorrupt where the settings are damaged; VaultNotFound, …</exception>
    public Task<VaultSettings> ReadVaultSettingsAsync(VaultAddress vault, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        return ClosedVault.ReadSettingsAsync(Open(vault), cancellationToken);
    }

    /// <inheritdoc cref="ClosedVault.ChangeSettingsAsync"/>
    /// <param name="vault">The vault.</param>
    public Task<VaultSettings> ChangeVaultSettingsAsync(VaultAddress vault, Func<VaultSettings, VaultSettings> change, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        return ClosedVault.ChangeSettingsAsync(Open(vault), change, cancellationToken);
    }

    /// <inheritdoc cref="ClosedVault.RehydrateAsync"/>
    /// <param name="vault">The vault.</param>
    public Task<VaultRehydration> RehydrateVaultAsync(VaultAddress vault, bool urgently, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        return ClosedVault.RehydrateAsync(Open(vault), urgently, cancellationToken);
    }

    /// <inheritdoc cref="ClosedVault.UnregisterMachineAsync"/>
    /// <param name="vault">The vault.</param>
    public Task UnregisterMachineAsync(VaultAddress vault, string machineName, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        return ClosedVault.UnregisterMachineAsync(Open(vault), machineName, _options.Engine.TimeProvider, cancellationToken);
    }

    /// <summary>Writes a new credential file of a vault into a folder; the ones before it hold no longer. Returns its path.</summary>
    /// <param name="location">The vault.</param>
    /// <param name="folder">An existing folder.</param>
    /// <param name="validity">How long machines may register with it, up to ten days; null for 48 hours.</param>
    /// <param name="secret">What opens the vault to machines that have no identity of their own there: it goes into the file, and is tried before; null for nothing.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">ArgumentInvalid where the folder cannot be written, the validity is out of range, or the vault takes no such secret; what
    /// comes of trying the secret; VaultNotFound, …</exception>
    public async Task<string> IssueCredentialAsync(string location, string folder, TimeSpan? validity, string? secret, CancellationToken cancellationToken)
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
        VaultSettings settings = await new VaultSettingsRegister(objects).ReadAsync(cancellationToken).ConfigureAwait(false);
        string name = header.Name ?? Path.GetFileName(Path.TrimEndingDirectorySeparator(place));
        VaultCredential credential = await new CredentialRegister(objects, header, _options.Engine.TimeProvider)
            .IssueAsync(place, name, validity ?? CredentialRegister.DefaultValidity, cancellationToken).ConfigureAwait(false);
        string file = Path.Combine(target, VaultCredentialFile.NameOf(credential));
        try
        {
            PrivateFile.Replace(file, VaultCredentialFile.Encode(credential with { Secret = secret, RequiresPrivateEndpoint = settings.RequiresPrivateEndpoint }));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw NotWritten(target, e.Message.TrimEnd('.'), e);
        }

        return file;
    }

    /// <summary>Opens this machine's vault by its key file.</summary>
    /// <exception cref="BackupException">MachineNotRegistered, MachineNotActivated, KeyFileInvalid, ActivationDamaged, VaultNotFound, …</exception>
    public Task<BackupEngine> OpenEngineAsync(CancellationToken cancellationToken) => OpenEngineAsync(new JobMonitor(), cancellationToken);

    /// <summary>The same for a job, which can tell from then on what it waits for.</summary>
    internal async Task<BackupEngine> OpenEngineAsync(JobMonitor monitor, CancellationToken cancellationToken)
    {
        UnlockedKey key = Machine.ReadKey();
        IVaultStore objects = Machine.OpenVault();
        monitor.Watch(objects);
        VaultHeader header = await Machine.ReadHeaderAsync(objects, cancellationToken).ConfigureAwait(false);
        return await BackupEngine.OpenAsync(objects, header, key, _options.Engine, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Opens a vault by a passphrase.</summary>
    /// <exception cref="BackupException">VaultNotFound, PassphraseRejected, …</exception>
    public Task<BackupEngine> OpenEngineAsync(VaultAddress vault, string passphrase, CancellationToken cancellationToken) =>
        OpenEngineAsync(vault, passphrase, new JobMonitor(), cancellationToken);

    /// <summary>The same for a job, which can tell from then on what it waits for.</summary>
    internal Task<BackupEngine> OpenEngineAsync(VaultAddress vault, string passphrase, JobMonitor monitor, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        IVaultStore objects = Open(vault);
        monitor.Watch(objects);
        return BackupEngine.OpenAsync(objects, passphrase, _options.Engine, cancellationToken);
    }

    private IVaultStore Open(VaultAddress vault) => _options.OpenVault(vault.Location, Machine.Connect(vault));

    private static BackupException NotWritten(string folder, string why, Exception? inner) => new(
        BackupErrorId.ArgumentInvalid,
        $"The vault credential file cannot be written to '{folder}': {why}.",
        "Name an existing folder that this account may write to.",
        folder,
        innerException: inner);
}
