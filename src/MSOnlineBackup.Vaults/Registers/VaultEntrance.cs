using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Keys;
using MSOnlineBackup.Vaults.Layout;


namespace MSOnlineBackup.Vaults.Registers;

/// <summary>
/// How a machine comes into a vault: by its name, which belongs to whoever knows the passphrase of its chunk store. A name
/// that the vault knows is taken over with that passphrase, its points included, and with no other; the name of a machine that has
/// left is free.
/// </summary>
internal sealed class VaultEntrance(KnownVault vault)
{
    /// <summary>Refuses a new machine where the vault is full.</summary>
    /// <exception cref="BackupException">MachineLimitReached; MachineNameTaken where a machine had this name before it was renamed; VaultDataCorrupt where the vault's settings are damaged.</exception>
    public async Task EnsureRoomAsync(string machineName, CancellationToken cancellationToken)
    {
        await EnterAsync(machineName, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The key of the machine's chunk store; of a machine that is new, that of the store that the passphrase opens, or of one made for it.</summary>
    /// <exception cref="BackupException">MachineNameTaken, MachineLimitReached, PassphraseInvalid, KeySlotDamaged, KeyEpochOutdated.</exception>
    public async Task<UnlockedKey> UnlockAsync(string machineName, string passphrase, CancellationToken cancellationToken)
    {
        UnlockedKey key = await FindAsync(machineName, passphrase, cancellationToken).ConfigureAwait(false);
        key.RequireNewest(vault.Location);
        return key;
    }

    private async Task<UnlockedKey> FindAsync(string machineName, string passphrase, CancellationToken cancellationToken)
    {
        MachineRecord? known = await EnterAsync(machineName, cancellationToken).ConfigureAwait(false);
        if (known is { IsGone: false })
        {
            try
            {
                return await new KeyRing(vault).UnlockAsync(passphrase, cancellationToken, known.StoreId).ConfigureAwait(false);
            }
            catch (BackupException e) when (e.Id == BackupErrorId.PassphraseRejected)
            {
                throw new MachineDirectory(vault).NameTaken(known.Name, e);
            }
        }

        // A machine that comes back gets the store that has its points, whatever else its passphrase opens.
        return (known is null ? null : await TryUnlockAsync(passphrase, known.StoreId, cancellationToken).ConfigureAwait(false))
            ?? await new KeyRing(vault).EnterAsync(passphrase, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Gives the machine its name in the vault.</summary>
    /// <exception cref="BackupException">MachineNameTaken.</exception>
    public Task ClaimAsync(string machineName, UnlockedKey key, CancellationToken cancellationToken) =>
        new MachineDirectory(vault).ClaimAsync(machineName, key, cancellationToken);

    private async Task<MachineRecord?> EnterAsync(string machineName, CancellationToken cancellationToken)
    {
        var directory = new MachineDirectory(vault);
        MachineStanding known = await directory.FindAsync(machineName, keys: null, cancellationToken).ConfigureAwait(false);
        if (known is { IsTaken: true, RenamedTo: { } called })
        {
            throw directory.Renamed(known.Record!.Name, called);
        }

        if (!known.IsTaken)
        {
            await directory.EnsureRoomAsync(machineName, cancellationToken).ConfigureAwait(false);
        }

        return known.Record;
    }

    private async Task<UnlockedKey?> TryUnlockAsync(string passphrase, StoreId storeId, CancellationToken cancellationToken)
    {
        try
        {
            return await new KeyRing(vault).UnlockAsync(passphrase, cancellationToken, storeId).ConfigureAwait(false);
        }
        catch (BackupException e) when (e.Id is BackupErrorId.PassphraseRejected or BackupErrorId.KeySlotNotFound or BackupErrorId.KeySlotsNotTried)
        {
            return null;
        }
    }
}
