using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Protection;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults;


namespace MSOnlineBackup.Agent.Access;

/// <summary>
/// What the owner of a vault does. All of it takes the owner's key: from the owner's file where one is named, else as this machine keeps it.
/// </summary>
public sealed class VaultOwnership
{
    // The original's number for a credential file that it does not give.
    private const string NotDownloaded = "403";

    private readonly RegisteredVault _vaults;
    private readonly OwnerKeys _kept;
    private readonly Func<string, IVaultStore> _createStore;
    private readonly VaultOptions _options;

    internal VaultOwnership(RegisteredVault vaults, OwnerKeys kept, Func<string, IVaultStore> createStore, VaultOptions options)
    {
        _vaults = vaults;
        _kept = kept;
        _createStore = createStore;
        _options = options;
    }

    /// <summary>Creates a vault that no machine uses yet.</summary>
    /// <param name="location">Where.</param>
    /// <param name="name">What it is called.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="owner">The file that is to keep the owner's key, sealed under this passphrase; null for none: then this machine keeps the key.</param>
    /// <param name="isKeptHere">Whether this machine keeps it too.</param>
    /// <exception cref="BackupException">VaultExists, ArgumentInvalid, OwnerFileInvalid, PassphraseInvalid, …</exception>
    public async Task<VaultInfo> CreateVaultAsync(
        string location, string name, CancellationToken cancellationToken, OwnerAccess? owner = null, bool isKeptHere = false)
    {
        ArgumentException.ThrowIfNullOrEmpty(location);
        Vault vault = await Vault.CreateNamedAsync(_createStore(location), name, _options, cancellationToken, Keep).ConfigureAwait(false);
        return await vault.InspectAsync(cancellationToken).ConfigureAwait(false);

        void Keep(NewOwner made)
        {
            if (owner is not null)
            {
                OwnerFile.Write(owner.File, made, owner.Passphrase, _options);
            }

            if (owner is null || isKeptHere)
            {
                _kept.Keep(made.VaultId, made.Key);
            }
        }
    }

    /// <summary>Writes the owner's key of a vault, which this machine keeps, to a file.</summary>
    /// <param name="vault">The vault.</param>
    /// <param name="owner">The file, which must not be there, and the passphrase that is to seal it.</param>
    /// <param name="forgets">Whether this machine keeps it no longer, once the file has been read back.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">OwnerRequired where this machine does not keep it; OwnerFileInvalid, PassphraseInvalid, OwnerForeign, …</exception>
    public async Task ExportKeyAsync(VaultAddress vault, OwnerAccess owner, bool forgets, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        ArgumentNullException.ThrowIfNull(owner);
        Vault opened = await OpenAsync(vault, cancellationToken).ConfigureAwait(false);
        VaultHeader header = opened.Known.Header;
        using OwnerKey key = await OpenKeyAsync(opened, null, cancellationToken).ConfigureAwait(false);
        OwnerFile.Write(owner.File, new NewOwner(key, header.VaultId, header.Name, opened.Location, header.Created), owner.Passphrase, _options);

        // What cannot be opened now could not be when it is needed.
        using OwnerKey written = await OwnerFile.OpenAsync(owner.File, owner.Passphrase, header.VaultId, cancellationToken).ConfigureAwait(false);
        if (forgets)
        {
            _kept.Forget(header.VaultId);
        }
    }

    /// <summary>Changes the settings of a vault, and returns them; see <see cref="Vault.ChangeSettingsAsync"/>.</summary>
    /// <param name="vault">The vault.</param>
    /// <param name="change">From the settings to those that are to hold.</param>
    /// <param name="owner">The owner's file; null: this machine keeps the owner's key.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="consent">What the vault asks for where it is to be protected less; null for nothing.</param>
    /// <exception cref="BackupException">
    /// OwnerRequired, OwnerFileInvalid, OwnerForeign, PassphraseRejected; those of <see cref="Vault.ChangeSettingsAsync"/>.
    /// </exception>
    public async Task<VaultSettings> ChangeSettingsAsync(
        VaultAddress vault, Func<VaultSettings, VaultSettings> change, OwnerAccess? owner, CancellationToken cancellationToken, Consent? consent = null)
    {
        ArgumentNullException.ThrowIfNull(vault);
        try
        {
            Vault opened = await OpenAsync(vault, cancellationToken).ConfigureAwait(false);
            using OwnerKey key = await OpenKeyAsync(opened, owner, cancellationToken).ConfigureAwait(false);
            return await opened.ChangeSettingsAsync(key, change, cancellationToken, consent).ConfigureAwait(false);
        }
        catch (BackupException e) when (_vaults.FindLoss(e, vault) is { } loss)
        {
            throw loss;
        }
    }

    /// <summary>Tries what an attacker would who has taken over this machine; see <see cref="Vault.TestProtectionAsync"/>.</summary>
    /// <exception cref="BackupException">VaultNotFound, …</exception>
    public async Task<IReadOnlyList<ProtectionFinding>> TestProtectionAsync(VaultAddress vault, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        Vault opened = await OpenAsync(vault, cancellationToken).ConfigureAwait(false);
        return await opened.TestProtectionAsync(_kept.Keeps(opened.VaultId), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Lets what is over of a machine end again; see <see cref="Vault.ReleaseBrakeAsync"/>.</summary>
    /// <exception cref="BackupException">OwnerRequired, OwnerFileInvalid, OwnerForeign, PassphraseRejected, ApprovalRejected; VaultNotFound, …</exception>
    public async Task ReleaseBrakeAsync(VaultAddress vault, string machineName, OwnerAccess? owner, Consent? consent, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        Vault opened = await OpenAsync(vault, cancellationToken).ConfigureAwait(false);
        using OwnerKey key = await OpenKeyAsync(opened, owner, cancellationToken).ConfigureAwait(false);
        await opened.ReleaseBrakeAsync(key, machineName, cancellationToken, consent).ConfigureAwait(false);
    }

    /// <summary>Lets versions from one on write to a vault only; see <see cref="Vault.RequireAgentVersionAsync"/>.</summary>
    /// <exception cref="BackupException">Those of <see cref="Vault.RequireAgentVersionAsync"/>; OwnerRequired, OwnerFileInvalid, PassphraseRejected,
    /// VaultNotFound, …</exception>
    public async Task RequireAgentVersionAsync(VaultAddress vault, Version version, OwnerAccess? owner, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        Vault opened = await OpenAsync(vault, cancellationToken).ConfigureAwait(false);
        using OwnerKey key = await OpenKeyAsync(opened, owner, cancellationToken).ConfigureAwait(false);
        await opened.RequireAgentVersionAsync(key, version, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Makes somebody an approver of a vault; see <see cref="Vault.CreateApprover"/>.</summary>
    /// <param name="vault">The vault.</param>
    /// <param name="approver">The file that is to be written, and what is to open it.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">PassphraseInvalid, OwnerFileInvalid; VaultNotFound, …</exception>
    public async Task<OwnerIdentity> CreateApproverAsync(VaultAddress vault, OwnerAccess approver, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        ArgumentNullException.ThrowIfNull(approver);
        return (await OpenAsync(vault, cancellationToken).ConfigureAwait(false)).CreateApprover(approver.File, approver.Passphrase);
    }

    /// <summary>Approves of one operation; see <see cref="Vault.ApproveAsync"/>.</summary>
    /// <exception cref="BackupException">Those of <see cref="Vault.ApproveAsync"/>; VaultNotFound, …</exception>
    public async Task<IssuedConsent> ApproveAsync(
        VaultAddress vault, OwnerAccess approver, GuardedOperation operation, TimeSpan? validity, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        ArgumentNullException.ThrowIfNull(approver);
        Vault opened = await OpenAsync(vault, cancellationToken).ConfigureAwait(false);
        return await opened.ApproveAsync(approver.File, approver.Passphrase, operation, validity, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Gives out a security PIN of a vault: good for one operation, within five minutes by the clock of the vault.</summary>
    /// <param name="vault">The vault.</param>
    /// <param name="owner">The owner's file; null: this machine keeps the owner's key.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">OwnerRequired, OwnerFileInvalid, OwnerForeign, PassphraseRejected; VaultNotFound, VaultAccessDenied, …</exception>
    public async Task<IssuedConsent> IssuePinAsync(VaultAddress vault, OwnerAccess? owner, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        Vault opened = await OpenAsync(vault, cancellationToken).ConfigureAwait(false);
        using OwnerKey key = await OpenKeyAsync(opened, owner, cancellationToken).ConfigureAwait(false);
        return await opened.Guard.IssuePinAsync(key, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Takes a machine off a vault's list; see <see cref="Vault.UnregisterMachineAsync"/>.</summary>
    /// <param name="vault">The vault.</param>
    /// <param name="machineName">The machine, in upper or lower case.</param>
    /// <param name="owner">The owner's file; null: this machine keeps the owner's key.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">
    /// OwnerRequired, OwnerFileInvalid, OwnerForeign, PassphraseRejected; those of <see cref="Vault.UnregisterMachineAsync"/>.
    /// </exception>
    public async Task UnregisterMachineAsync(VaultAddress vault, string machineName, OwnerAccess? owner, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        Vault opened = await OpenAsync(vault, cancellationToken).ConfigureAwait(false);
        using OwnerKey key = await OpenKeyAsync(opened, owner, cancellationToken).ConfigureAwait(false);
        await opened.UnregisterMachineAsync(key, machineName, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Writes a new credential file of a vault into a folder; the ones before it hold no longer.</summary>
    /// <param name="location">The vault.</param>
    /// <param name="folder">An existing folder.</param>
    /// <param name="validity">How long machines may register with it, up to ten days; null for 48 hours.</param>
    /// <param name="secret">
    /// What opens the vault to machines that have no identity of their own there: it goes into the file, and is tried before; null for nothing.
    /// </param>
    /// <param name="owner">The owner's file; null: this machine keeps the owner's key.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="isSecondary">Whether the vault is a copy, and the file serves to recover from there, and not to register.</param>
    /// <exception cref="BackupException">ArgumentInvalid where the folder cannot be written, the validity is out of range, or the vault takes no such secret;
    /// what comes of trying the secret; OwnerRequired, OwnerFileInvalid, OwnerForeign, PassphraseRejected; VaultNotFound, …</exception>
    public async Task<IssuedCredential> IssueCredentialAsync(
        string location, string folder, TimeSpan? validity, string? secret, OwnerAccess? owner, CancellationToken cancellationToken, bool isSecondary = false)
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
            await OpenAsync(vault with { Secret = secret }, cancellationToken).ConfigureAwait(false);
        }

        Vault opened = await OpenAsync(place, cancellationToken).ConfigureAwait(false);
        using OwnerKey key = await OpenKeyAsync(opened, owner, cancellationToken).ConfigureAwait(false);
        VaultSettings settings = await opened.ReadSettingsAsync(cancellationToken).ConfigureAwait(false);
        if (!isSecondary && SubscriptionErrors.OfBackup(settings.Subscription, place) is { } refusal)
        {
            throw new BackupException(
                refusal.Id, $"No credential file is issued, for no machine could back up by it. {refusal.Message}", refusal.RecommendedAction, place, errorCode: NotDownloaded);
        }

        string name = opened.Name ?? Path.GetFileName(Path.TrimEndingDirectorySeparator(place));
        VaultCredential credential = await opened.Credentials.IssueAsync(
            key, place, name, validity ?? CredentialRegister.DefaultValidity, cancellationToken).ConfigureAwait(false);
        string file = Path.Combine(target, VaultCredentialFile.NameOf(credential));
        try
        {
            PrivateFile.Replace(
                file, VaultCredentialFile.Encode(credential with { Secret = secret, RequiresPrivateEndpoint = settings.RequiresPrivateEndpoint, IsSecondary = isSecondary }));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw NotWritten(target, e.Message.TrimEnd('.'), e);
        }

        int machines = await opened.Machines.CountAsync(cancellationToken).ConfigureAwait(false);
        return new IssuedCredential(file, isSecondary || machines < settings.MachineLimit ? null
            : $"The vault '{opened.Location}' has reached its limit of {machines} machines. "
                + "No other machine can register with this file until one is unregistered or the limit is raised with 'Set-OBVault -MachineLimit'.");
    }

    private async Task<OwnerKey> OpenKeyAsync(Vault vault, OwnerAccess? access, CancellationToken cancellationToken)
    {
        if (vault.Known.Header.OwnerIdentity is not { } owner)
        {
            throw OwnerErrors.Required(vault.Location, "it was created without an owner");
        }

        OwnerKey key = access is not null
            ? await OwnerFile.OpenAsync(access.File, access.Passphrase, vault.VaultId, cancellationToken).ConfigureAwait(false)
            : _kept.Find(vault.VaultId) ?? throw OwnerErrors.Required(vault.Location, "no owner's file was named, and "
                + "this machine does not keep the owner's key");
        if (key.Identity == owner)
        {
            return key;
        }

        key.Dispose();
        throw OwnerErrors.Foreign(
            vault.Location,
            access is null ? "the key that this machine keeps for this vault belongs to another owner" : $"'{access.File}' holds the key of another owner");
    }

    private Task<Vault> OpenAsync(VaultAddress vault, CancellationToken cancellationToken) => _vaults.OpenAsync(vault, cancellationToken);

    private static BackupException NotWritten(string folder, string why, Exception? inner) => new(
        BackupErrorId.ArgumentInvalid,
        $"The vault credential file cannot be written to '{folder}': {why}.",
        "Name an existing folder that this account may write to.",
        folder,
        innerException: inner);
}
