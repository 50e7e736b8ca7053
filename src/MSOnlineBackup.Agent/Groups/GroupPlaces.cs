using MSOnlineBackup.Agent.Contact;
using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Keys;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Agent.Groups;

/// <summary>Opens the places of vaults that this machine knows as their server.</summary>
internal sealed class GroupPlaces(MachineAccount machine, ServerVaults vaults, VaultOptions options)
{
    /// <summary>Opens a place: by the passphrase, else by the key that was kept, else by the machine's own.</summary>
    /// <exception cref="BackupException">RecoveryOptionMissing where nothing opens it; PassphraseRejected, VaultNotFound, VaultUnreachable, …</exception>
    public async Task<UnlockedVault> OpenAsync(string place, string? passphrase, VaultPatience patience, CancellationToken cancellationToken)
    {
        Vault vault = await OpenClosedAsync(place, patience, cancellationToken).ConfigureAwait(false);
        if (passphrase is not null)
        {
            return await vault.UnlockAsync(passphrase, cancellationToken).ConfigureAwait(false);
        }

        if (vaults.List().FirstOrDefault(known => known.VaultId == vault.VaultId) is { } kept)
        {
            return await OpenKeptAsync(vault, kept, cancellationToken).ConfigureAwait(false);
        }

        if (machine.Registration?.VaultId == vault.VaultId && machine.HasPassphrase)
        {
            using UnlockedKey own = machine.Key.Read();
            return await UnlockAsync(vault, own, cancellationToken).ConfigureAwait(false);
        }

        throw GroupErrors.KeyMissing(place);
    }

    /// <summary>Whether there is a key, kept or the machine's own, for the vault in a place.</summary>
    /// <exception cref="BackupException">VaultNotFound, VaultUnreachable, …</exception>
    public async Task<bool> HasKeyAsync(string place, CancellationToken cancellationToken)
    {
        string vaultId = (await OpenClosedAsync(place, VaultPatience.Person, cancellationToken).ConfigureAwait(false)).VaultId;
        return vaults.List().Any(known => known.VaultId == vaultId) || (machine.Registration?.VaultId == vaultId && machine.HasPassphrase);
    }

    /// <summary>Opens another place by the key that opened one, and refuses it where it is no twin of that, or the same place.</summary>
    /// <exception cref="BackupException">VaultNotTwin; ArgumentInvalid; VaultNotFound, VaultUnreachable, …; RecoveryOptionMissing where a key was rotated in one of the two.</exception>
    public async Task<UnlockedVault> OpenTwinAsync(UnlockedVault vault, string place, VaultPatience patience, CancellationToken cancellationToken)
    {
        Vault twin = await vault.Vault.OpenTwinAsync(() => OpenClosedAsync(place, patience, cancellationToken)).ConfigureAwait(false);
        return await UnlockAsync(twin, vault.Key, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Opens a place of a vault that is known, by the key that was kept.</summary>
    /// <exception cref="BackupException">VaultNotTwin where another vault is there; KeyFileInvalid; VaultNotFound, VaultUnreachable, …</exception>
    public async Task<UnlockedVault> OpenKnownAsync(ServerVault known, string place, VaultPatience patience, CancellationToken cancellationToken)
    {
        Vault vault = await OpenClosedAsync(place, patience, cancellationToken).ConfigureAwait(false);
        return vault.VaultId == known.VaultId
            ? await OpenKeptAsync(vault, known, cancellationToken).ConfigureAwait(false)
            : throw new BackupException(
                BackupErrorId.VaultNotTwin,
                $"In '{place}' there is another vault than before: it is the vault {vault.VaultId}, and that was the vault {known.VaultId}.",
                "Mount the right disk there, or name the right place: Set-OBProtectionGroup -DiskVault, -CopyTo.",
                place);
    }

    /// <summary>How the subscription of a place stands, by its settings.</summary>
    /// <exception cref="BackupException">VaultNotFound, VaultUnreachable, VaultAccountDisabled, …</exception>
    public async Task<VaultSubscription> ReadSubscriptionAsync(string place, CancellationToken cancellationToken) =>
        await VaultContact.ReadAsync(await OpenClosedAsync(place, VaultPatience.Person, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);

    private Task<Vault> OpenClosedAsync(string place, VaultPatience patience, CancellationToken cancellationToken) =>
        Vault.OpenAsync(machine.Vault.OpenStore(new VaultAddress(place), patience), options, cancellationToken);

    private async Task<UnlockedVault> OpenKeptAsync(Vault vault, ServerVault kept, CancellationToken cancellationToken)
    {
        using UnlockedKey key = vaults.ReadKey(kept);
        return await UnlockAsync(vault, key, cancellationToken).ConfigureAwait(false);
    }

    private static async Task<UnlockedVault> UnlockAsync(Vault vault, UnlockedKey key, CancellationToken cancellationToken)
    {
        try
        {
            return await vault.UnlockAsync(key, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e) when (e.Id is BackupErrorId.KeyFileInvalid or BackupErrorId.KeySlotNotFound or BackupErrorId.KeySlotDamaged)
        {
            throw GroupErrors.KeyMissing(vault.Location, e);
        }
    }
}
