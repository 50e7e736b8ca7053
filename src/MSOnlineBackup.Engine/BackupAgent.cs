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
        Machine = new MachineAccount(state, options.MachineName, options.OpenVault, options.Limits, options.Engine);
        Policies = new PolicyStore(state, Machine, options.Limits, options.Engine.TimeProvider);
        Jobs = new AgentJobs(this, options, state);
    }

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
        return BackupEngine.CreateNamedVaultAsync(_options.CreateVault(location), name, _options.Engine, cancellationToken);
    }

    /// <summary>What can be known of a vault without a passphrase.</summary>
    public Task<VaultInfo> InspectVaultAsync(string location, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(location);
        return BackupEngine.InspectVaultAsync(_options.OpenVault(location), cancellationToken);
    }

    /// <summary>Writes a new credential file of a vault into a folder; the ones before it hold no longer. Returns its path.</summary>
    /// <param name="location">The vault.</param>
    /// <param name="folder">An existing folder.</param>
    /// <param name="validity">How long machines may register with it, up to ten days; null for 48 hours.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">ArgumentInvalid where the folder cannot be written or the validity is out of range; VaultNotFound, …</exception>
    public async Task<string> IssueCredentialAsync(string location, string folder, TimeSpan? validity, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(location);
        ArgumentException.ThrowIfNullOrEmpty(folder);
        string target = Path.GetFullPath(folder);
        if (!Directory.Exists(target))
        {
            throw NotWritten(target, "there is no such folder", null);
        }

        string place = location.Contains("://", StringComparison.Ordinal) ? location : Path.GetFullPath(location);
        IVaultStore objects = _options.OpenVault(place);
        VaultHeader header = await VaultHeader.ReadAsync(objects, cancellationToken).ConfigureAwait(false);
        string name = header.Name ?? Path.GetFileName(Path.TrimEndingDirectorySeparator(place));
        VaultCredential credential = await new CredentialRegister(objects, header, _options.Engine.TimeProvider)
            .IssueAsync(place, name, validity ?? CredentialRegister.DefaultValidity, cancellationToken).ConfigureAwait(false);
        string file = Path.Combine(target, VaultCredentialFile.NameOf(credential));
        try
        {
            PrivateFile.Replace(file, VaultCredentialFile.Encode(credential));
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
    public Task<BackupEngine> OpenEngineAsync(string location, string passphrase, CancellationToken cancellationToken) =>
        OpenEngineAsync(location, passphrase, new JobMonitor(), cancellationToken);

    /// <summary>The same for a job, which can tell from then on what it waits for.</summary>
    internal Task<BackupEngine> OpenEngineAsync(string location, string passphrase, JobMonitor monitor, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(location);
        IVaultStore objects = _options.OpenVault(location);
        monitor.Watch(objects);
        return BackupEngine.OpenAsync(objects, passphrase, _options.Engine, cancellationToken);
    }

    private static BackupException NotWritten(string folder, string why, Exception? inner) => new(
        BackupErrorId.ArgumentInvalid,
        $"The vault credential file cannot be written to '{folder}': {why}.",
        "Name an existing folder that this account may write to.",
        folder,
        innerException: inner);
}
