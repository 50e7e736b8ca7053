using System.Security.Cryptography;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Keys;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Protection;

namespace MSOnlineBackup.Agent.Machine;

/// <summary>
/// The key of this machine's chunk store: the passphrase that opens it anywhere, and the key file that opens it here. The key file can be made anew from
/// any key slot in the vault.
/// </summary>
public sealed class MachineKey
{
    private readonly AccountState _account;
    private readonly RegisteredVault _vault;
    private readonly KeyVaults _keyVaults;
    private readonly ScratchFolder _scratch;
    private readonly KeyFileStore _keyFile;
    private readonly PassphraseFiles _files;
    private readonly Activation _activation;

    internal MachineKey(
        AccountState account, RegisteredVault vault, KeyVaults keyVaults, ScratchFolder scratch, KeyFileStore keyFile, PassphraseFiles files, VaultOptions options)
    {
        _account = account;
        _vault = vault;
        _keyVaults = keyVaults;
        _scratch = scratch;
        _keyFile = keyFile;
        _files = files;
        _activation = new Activation(account, scratch, keyFile, files, options.TimeProvider);
    }

    /// <summary>
    /// Sets the passphrase: first, or a new one, which touches no data. A machine whose name the vault knows is taken over with
    /// the passphrase that it had, its recovery points included.
    /// </summary>
    /// <param name="passphrase">At least 16 printable ASCII characters.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="keyVaultUri">The Key Vault that is to keep the passphrase, <c>https://NAME.vault.azure.net/</c>; null where the user keeps it. It is
    /// there, and read back, before the machine counts as activated; nothing is written to a local file then.</param>
    /// <param name="consent">
    /// What the vault asks for where a passphrase is replaced, see <see cref="GuardedOperation.ChangePassphrase"/>; null for nothing.
    /// </param>
    /// <exception cref="BackupException">
    /// PassphraseInvalid, MachineNotRegistered, MachineNameTaken, MachineLimitReached, ScratchInvalid, ActivationDamaged (0x1FC07, nothing
    /// was changed), SecurityPinRejected (100130), ApprovalRejected, ActivationFailed (the machine is not activated, or the old passphrase holds; a retry may
    /// follow), KeyVaultUriInvalid (100272), KeyVaultIdentityMissing (391224), KeyVaultAccessDenied (391225), KeyVaultSecretDeleted (391282), KeyVaultNotFound
    /// (391283), …
    /// </exception>
    public async Task SetPassphraseAsync(string passphrase, CancellationToken cancellationToken, string? keyVaultUri = null, Consent? consent = null)
    {
        Passphrase.Validate(passphrase);
        using IDisposable _ = await _account.LockAsync(cancellationToken).ConfigureAwait(false);
        MachineState machine = _account.RequireRegistered();
        IPassphraseSafe? safe = keyVaultUri is null ? null : _keyVaults.OpenSafe(machine.Registration!, keyVaultUri);
        Vault vault = await _vault.OpenAsync(cancellationToken).ConfigureAwait(false);
        if (machine.Activation is not null)
        {
            await vault.Guard.RequireAsync(GuardedOperation.ChangePassphrase, consent, cancellationToken).ConfigureAwait(false);
        }

        await (machine.Activation is null
            ? _activation.SetAsync(machine, vault.Keys, vault.Entrance, passphrase, safe, cancellationToken)
            : _activation.ChangeAsync(machine, vault.Keys, passphrase, safe, cancellationToken)).ConfigureAwait(false);
    }

    /// <summary>Writes a passphrase into a new file, readable by its owner only, and returns its path.</summary>
    /// <param name="passphrase">At least 16 printable ASCII characters.</param>
    /// <param name="folder">An existing folder.</param>
    /// <exception cref="BackupException">PassphraseInvalid, MachineNotRegistered; ArgumentInvalid where the folder cannot be written.</exception>
    public string SavePassphrase(string passphrase, string folder)
    {
        Passphrase.Validate(passphrase);
        ArgumentException.ThrowIfNullOrEmpty(folder);
        return _files.Save(passphrase, folder, _account.RequireRegistered().Registration!);
    }

    /// <summary>
    /// Begins a new epoch: what this machine, and every other one of its chunk store, writes from now on is sealed by a new master key. The others need the
    /// passphrase then (<see cref="RepairAsync(string, CancellationToken)"/>).
    /// </summary>
    /// <param name="passphrase">What opens the store from now on: a new passphrase, or the one that it has.</param>
    /// <param name="consent">What the vault asks for before this; null for nothing.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">PassphraseInvalid, MachineNotRegistered, MachineNotActivated, ActivationDamaged, KeyFileInvalid; KeyEpochOutdated
    /// where somebody else has rotated the key; ActivationFailed where the key file could not be written: <see cref="RepairAsync(string, CancellationToken)"/>
    /// writes it; …</exception>
    internal async Task RotateAsync(string passphrase, Consent? consent, CancellationToken cancellationToken)
    {
        Passphrase.Validate(passphrase);
        using IDisposable _ = await _account.LockAsync(cancellationToken).ConfigureAwait(false);
        MachineState machine = _account.RequireActivated();
        Vault vault = await _vault.OpenAsync(cancellationToken).ConfigureAwait(false);
        await vault.Guard.RequireAsync(GuardedOperation.ChangePassphrase, consent, cancellationToken).ConfigureAwait(false);
        await _activation.RotateAsync(machine, vault.Keys, passphrase, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Makes the key file anew by the passphrase. The next backup is incremental.</summary>
    /// <exception cref="BackupException">MachineNotRegistered, MachineNotActivated, PassphraseRejected, ChunkStoreExchanged, ActivationFailed, …</exception>
    public Task RepairAsync(string passphrase, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(passphrase);
        return RepairAsync((keys, storeId) => keys.UnlockAsync(passphrase, cancellationToken, storeId), cancellationToken);
    }

    /// <summary>Makes the key file anew by the passphrase that a Key Vault keeps.</summary>
    /// <param name="keyVaultUri"><c>https://NAME.vault.azure.net/</c>.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">As with a passphrase; KeyVaultUriInvalid, KeyVaultSecretNotFound, KeyVaultAccessDenied, …</exception>
    public async Task RepairFromSafeAsync(string keyVaultUri, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(keyVaultUri);
        IPassphraseSafe safe = _keyVaults.OpenSafe(_account.RequireActivated().Registration!, keyVaultUri);
        await RepairAsync(await safe.ReadAsync(cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Makes the key file anew by a key in Azure Key Vault, for which the machine's chunk store has a key slot.</summary>
    /// <param name="keyUri"><c>https://NAME.vault.azure.net/keys/KEY</c>, with or without a version.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">MachineNotRegistered, MachineNotActivated, ChunkStoreExchanged, ActivationFailed, KeySlotNotFound,
    /// KeySlotContradicted, KeyVaultUriInvalid, KeyVaultAccessDenied, …</exception>
    public async Task RepairByKeyVaultAsync(string keyUri, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(keyUri);
        _account.RequireActivated();
        IKeyEncryptionKey key = _keyVaults.OpenKey(keyUri);
        await RepairAsync((keys, storeId) => keys.UnlockAsync(key, cancellationToken, storeId), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Why jobs cannot open the vault by the key file; null where they can. Only the disk is asked, not the vault.</summary>
    /// <exception cref="BackupException">MachineNotRegistered, MachineNotActivated, StateInvalid.</exception>
    public BackupException? FindFault()
    {
        MachineState machine = _account.RequireActivated();
        try
        {
            CryptographicOperations.ZeroMemory(Read(machine).MasterKey);
            return null;
        }
        catch (BackupException fault)
        {
            return fault;
        }
    }

    /// <summary>The key by the key file.</summary>
    /// <exception cref="BackupException">MachineNotRegistered, MachineNotActivated, KeyFileInvalid (34506), ActivationDamaged (0x1FC07).</exception>
    internal UnlockedKey Read()
    {
        while (true)
        {
            MachineState machine = _account.RequireActivated();
            try
            {
                return Read(machine);
            }
            catch (BackupException) when (_scratch.Path != _scratch.PathOf(machine))
            {
                // The scratch folder was moved between the two looks.
            }
        }
    }

    /// <summary>By this the key of this machine is known again; nothing can be opened with it. 64 hexadecimal digits.</summary>
    /// <exception cref="BackupException">MachineNotRegistered, MachineNotActivated, KeyFileInvalid, ActivationDamaged.</exception>
    public string Identify()
    {
        using UnlockedKey key = Read();
        return Convert.ToHexStringLower(key.Digest());
    }

    /// <summary>The key by the key file of a machine that is activated.</summary>
    /// <exception cref="BackupException">KeyFileInvalid, ActivationDamaged.</exception>
    internal UnlockedKey Read(MachineState machine) => _keyFile.Read(_scratch.Find(machine), machine.Registration!);

    /// <summary>Deletes the key file of a machine that leaves its vault.</summary>
    internal void Forget(MachineState machine) => KeyFileStore.Delete(_scratch.PathOf(machine));

    private async Task RepairAsync(Func<KeyRing, StoreId, Task<UnlockedKey>> unlockAsync, CancellationToken cancellationToken)
    {
        using IDisposable _ = await _account.LockAsync(cancellationToken).ConfigureAwait(false);
        MachineState machine = _account.RequireActivated();
        MachineActivation known = machine.Activation!;
        Vault vault = await _vault.OpenAsync(cancellationToken).ConfigureAwait(false);
        string folder = _scratch.Prepare(machine);
        KeyRing keys = vault.Keys;
        using UnlockedKey key = await unlockAsync(keys, known.StoreId).ConfigureAwait(false);

        // Whoever may write to the vault can make a store of theirs under the same name, and a slot for a Key Vault key, which opens it.
        key.RequireNewest(vault.Location);
        if (!key.Has(known.Epoch, known.MasterKeyDigest))
        {
            throw new BackupException(
                BackupErrorId.ChunkStoreExchanged,
                $"The chunk store {known.StoreId} in the vault '{vault.Location}' is not the one that this machine backs up to: it has a different master key.",
                "Someone who may write to the vault replaced its objects: restore the vault from a copy. "
                    + "If you replaced them yourself, register this machine again.",
                vault.Location);
        }

        await keys.VerifyAsync(key, cancellationToken).ConfigureAwait(false);
        _activation.Renew(machine, folder, key);
    }
}
