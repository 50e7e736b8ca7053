using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Keys;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults;


namespace MSOnlineBackup.Agent.Access;

/// <summary>Opens vaults: this machine's own by its key file, any by a passphrase. Nothing else of the agent opens one.</summary>
internal sealed class VaultOpener(MachineAccount machine, VaultOptions options)
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
        Vault opened = await Vault.OpenAsync(objects, options, cancellationToken).ConfigureAwait(false);
        return await opened.UnlockAsync(passphrase, cancellationToken).ConfigureAwait(false);
    }
}
