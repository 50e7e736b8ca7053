using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Keys;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults;


namespace MSOnlineBackup.Agent.Access;

/// <summary>Opens vaults: this machine's own by its key file, any by a passphrase. Nothing else of the agent opens one.</summary>
internal sealed class VaultOpener(MachineAccount machine, Func<string, IVaultStore> createStore, VaultOptions options)
{
    /// <summary>Opens this machine's vault by its key file.</summary>
    /// <param name="monitor">Can tell from then on what is waited for.</param>
    /// <param name="patience">For whom it is opened.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">MachineNotRegistered, MachineNotActivated, KeyFileInvalid, ActivationDamaged, VaultNotFound, …</exception>
    public async Task<UnlockedVault> OpenAsync(JobMonitor monitor, VaultPatience patience, CancellationToken cancellationToken)
    {
        using UnlockedKey key = machine.Key.Read();
        IVaultStore objects = machine.Vault.OpenStore(patience, monitor.Waited);
        monitor.Watch(objects);
        Vault vault = await machine.Vault.OpenAsync(objects, cancellationToken).ConfigureAwait(false);
        return await vault.UnlockAsync(key, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Opens a vault by a passphrase.</summary>
    /// <exception cref="BackupException">VaultNotFound, PassphraseRejected, …</exception>
    public async Task<UnlockedVault> OpenAsync(
        VaultAddress vault, string passphrase, JobMonitor monitor, VaultPatience patience, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        IVaultStore objects = machine.Vault.OpenStore(vault, patience, monitor.Waited);
        monitor.Watch(objects);
        Vault opened = vault.IsSecondary && machine.Settings.SecondaryVault?.Location == vault.Location
            ? await machine.Vault.OpenTwinAsync(objects, cancellationToken).ConfigureAwait(false)
            : await Vault.OpenAsync(objects, options, cancellationToken).ConfigureAwait(false);
        return await opened.UnlockAsync(passphrase, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Opens the seed of this machine's vault in a folder by its key file, or makes one there; see <see cref="Vault.OpenSeedAsync"/>.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="monitor">Can tell from then on what is waited for.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">Those of <see cref="OpenAsync(JobMonitor, VaultPatience, CancellationToken)"/> and <see cref="Vault.OpenSeedAsync"/>.</exception>
    public async Task<UnlockedVault> OpenSeedAsync(string folder, JobMonitor monitor, CancellationToken cancellationToken)
    {
        using UnlockedKey key = machine.Key.Read();
        Vault vault = await machine.Vault.OpenAsync(machine.Vault.OpenStore(VaultPatience.Job, monitor.Waited), cancellationToken).ConfigureAwait(false);
        IVaultStore objects = CreateOrOpen(folder, monitor);
        monitor.Watch(objects);
        Vault seed = await Vault.OpenSeedAsync(objects, vault, cancellationToken).ConfigureAwait(false);
        return await seed.UnlockAsync(key, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Opens a copy of this machine's vault by its key file.</summary>
    /// <param name="twin">The copy.</param>
    /// <param name="monitor">Can tell from then on what is waited for.</param>
    /// <param name="patience">For whom it is opened.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">MachineNotRegistered, MachineNotActivated, KeyFileInvalid, VaultNotTwin, OwnerForeign, VaultNotFound, …; RecoveryOptionMissing where the key was
    /// rotated in one of the two places.</exception>
    public async Task<UnlockedVault> OpenTwinAsync(VaultAddress twin, JobMonitor monitor, VaultPatience patience, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(twin);
        using UnlockedKey key = machine.Key.Read();
        IVaultStore objects = machine.Vault.OpenStore(twin, patience, monitor.Waited);
        monitor.Watch(objects);
        Vault vault = await machine.Vault.OpenTwinAsync(objects, cancellationToken).ConfigureAwait(false);
        try
        {
            return await vault.UnlockAsync(key, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e) when (e.Id is BackupErrorId.KeyFileInvalid or BackupErrorId.KeySlotNotFound or BackupErrorId.KeySlotDamaged)
        {
            throw new BackupException(
                BackupErrorId.RecoveryOptionMissing,
                $"The copy of this machine's vault in '{twin}' is not opened by the key of this machine: a key was rotated in one of the two places.",
                "Give the passphrase that opens the copy: Get-OBAlternateBackupServer -EncryptionPassphrase with a credential file of the copy, or -EncryptionPassphrase where there is one.",
                twin.Location,
                innerException: e);
        }
    }

    // What is there already is looked at: it may be a seed.
    private IVaultStore CreateOrOpen(string folder, JobMonitor monitor)
    {
        try
        {
            return createStore(folder);
        }
        catch (BackupException e) when (e.Id == BackupErrorId.VaultExists)
        {
            return machine.Vault.OpenStore(folder, VaultPatience.Job, monitor.Waited);
        }
    }
}
