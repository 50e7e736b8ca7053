using MSOnlineBackup.Engine.Errors;
using MSOnlineBackup.Engine.Storage;

namespace MSOnlineBackup.Engine.Vaults;

/// <summary>
/// How a machine comes into a vault: by its name, which belongs to whoever knows the passphrase of its chunk store. A name
/// that the vault knows is taken over with that passphrase, its points included, and with no other.
/// </summary>
internal sealed class VaultEntrance(IVaultStore objects, VaultHeader header, KeyRing keys)
{
    /// <summary>How many machines a vault may have.</summary>
    public const int MachineLimit = 50;

    /// <summary>Refuses a new machine where the vault is full.</summary>
    /// <exception cref="BackupException">MachineLimitReached.</exception>
    public async Task EnsureRoomAsync(string machineName, CancellationToken cancellationToken)
    {
        if (await MachineDirectory.FindAsync(objects, header, machineName, cancellationToken).ConfigureAwait(false) is null
            && (await MachineDirectory.ListAsync(objects, cancellationToken).ConfigureAwait(false)).Count >= MachineLimit)
        {
            throw new BackupException(
                BackupErrorId.MachineLimitReached,
                $"The vault '{objects.Location}' has {MachineLimit} machines already, as many as a vault may have; '{machineName}' is not one of them.",
                "Use another vault for this machine.",
                machineName,
                errorCode: "403");
        }
    }

    /// <summary>The key of the machine's chunk store; of a machine that is new, that of the store that the passphrase opens, or of one made for it.</summary>
    /// <exception cref="BackupException">MachineNameTaken, MachineLimitReached, PassphraseInvalid, KeySlotDamaged.</exception>
    public async Task<UnlockedKey> UnlockAsync(string machineName, string passphrase, CancellationToken cancellationToken)
    {
        await EnsureRoomAsync(machineName, cancellationToken).ConfigureAwait(false);
        MachineRecord? known = await MachineDirectory.FindAsync(objects, header, machineName, cancellationToken).ConfigureAwait(false);
        try
        {
            return await keys.UnlockAsync(passphrase, cancellationToken, known?.StoreId).ConfigureAwait(false);
        }
        catch (BackupException e) when (e.Id == BackupErrorId.PassphraseRejected && known is not null)
        {
            throw NameTaken(known.Name, e);
        }
        catch (BackupException e) when (e.Id is BackupErrorId.PassphraseRejected or BackupErrorId.KeySlotNotFound && known is null)
        {
            return await keys.CreateStoreAsync(passphrase, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Gives the machine its name in the vault.</summary>
    /// <exception cref="BackupException">MachineNameTaken.</exception>
    public async Task ClaimAsync(string machineName, string storeId, CancellationToken cancellationToken)
    {
        if (!await MachineDirectory.TryClaimAsync(objects, header, machineName, storeId, cancellationToken).ConfigureAwait(false))
        {
            throw NameTaken(machineName, null);
        }
    }

    private BackupException NameTaken(string name, Exception? inner) => new(
        BackupErrorId.MachineNameTaken,
        $"The vault '{objects.Location}' knows a machine '{name}' already, and its passphrase is another one.",
        "If it is this machine, give the passphrase that it had before. If it is another one, give this machine a name of its own, or use another vault.",
        name,
        innerException: inner);
}
