using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults;

namespace MSOnlineBackup.Agent.Access;

/// <summary>
/// The secondary region of this machine's vault: its twin in another place, as the settings name it. What is recovered from there is only read, and the vault itself need not be there.
/// </summary>
public sealed class SecondaryVault
{
    private readonly MachineAccount _machine;
    private readonly VaultOpener _opener;

    internal SecondaryVault(MachineAccount machine, VaultOpener opener) => (_machine, _opener) = (machine, opener);

    /// <summary>The copy that the settings name; null for none.</summary>
    /// <exception cref="BackupException">StateInvalid, StateAccessDenied.</exception>
    public VaultAddress? Address => _machine.Settings.SecondaryVault;

    /// <summary>Names the copy, once it was seen that it is one of this machine's vault.</summary>
    /// <param name="location">An absolute folder, or a URL.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">MachineNotRegistered; ArgumentInvalid for the vault itself; VaultNotTwin, OwnerForeign; VaultNotFound, …: nothing is changed.</exception>
    public Task SetAsync(string location, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(location);
        return SetAsync(new VaultAddress(location), cancellationToken);
    }

    /// <summary>Names the copy by a credential file that was issued for it, which may bring what opens it.</summary>
    /// <param name="credentialFile">The file; also relative to the current folder.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">VaultCredentialInvalid; what <see cref="SetAsync(string, CancellationToken)"/> throws.</exception>
    public async Task SetByCredentialAsync(string credentialFile, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(credentialFile);
        VaultCredentialInfo credential = await _machine.InspectCredentialAsync(credentialFile, cancellationToken).ConfigureAwait(false);
        await SetAsync(credential.Vault, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Names none from now on.</summary>
    /// <exception cref="BackupException">StateInvalid, StateAccessDenied.</exception>
    public void Clear() => _machine.Update(settings => settings with { SecondaryVault = null });

    /// <summary>The copy of a vault that something was listed by.</summary>
    /// <param name="vault">The vault; null for this machine's own.</param>
    /// <exception cref="BackupException">RecoveryOptionMissing where none is known.</exception>
    public VaultAddress Find(VaultAddress? vault)
    {
        if (vault is { IsSecondary: true })
        {
            return vault;
        }

        return vault is null || _machine.Vault.IsAt(vault.Location)
            ? Address ?? throw Missing(
                "No secondary region of this machine's vault is known.",
                "Name its copy: Set-OBMachineSetting -SecondaryVault. New-OBVault -TwinOf makes a copy, and Copy-OBVault brings it the recovery points.",
                null)
            : throw Missing(
                $"No secondary region of the vault '{vault}' is known, which is not this machine's.",
                "Give a credential file of its copy to Get-OBAlternateBackupServer: Export-OBVaultCredential -SecondaryRegion writes one.",
                vault.Location);
    }

    /// <summary>Opens a copy of this machine's vault by this machine's key; nothing can be written there by it.</summary>
    /// <param name="copy">The copy.</param>
    /// <param name="patience">For whom it is opened.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">MachineNotRegistered, MachineNotActivated, KeyFileInvalid; VaultNotTwin, OwnerForeign; RecoveryOptionMissing where it takes the passphrase;
    /// VaultNotFound, …</exception>
    public Task<UnlockedVault> OpenAsync(VaultAddress copy, VaultPatience patience, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(copy);
        return _opener.OpenTwinAsync(copy with { IsSecondary = true }, new JobMonitor(), patience, cancellationToken);
    }

    private async Task SetAsync(VaultAddress copy, CancellationToken cancellationToken)
    {
        if (_machine.Vault.IsAt(copy.Location))
        {
            throw new BackupException(
                BackupErrorId.ArgumentInvalid, $"'{copy}' is this machine's vault itself, and no copy of it.", "Name its twin, which lies in another place.", copy.Location);
        }

        copy = copy with { IsSecondary = true };
        await _machine.Vault.OpenTwinAsync(_machine.Vault.OpenStore(copy, VaultPatience.Person), cancellationToken).ConfigureAwait(false);
        _machine.Update(settings => settings with { SecondaryVault = copy });
    }

    private static BackupException Missing(string message, string action, string? target) => new(BackupErrorId.RecoveryOptionMissing, message, action, target);
}
