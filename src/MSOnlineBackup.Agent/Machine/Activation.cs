using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Keys;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Registers;


namespace MSOnlineBackup.Agent.Machine;

/// <summary>
/// The way from a passphrase to the key file. Two phases: the key file is written, read back and shown to open the store before the machine counts as
/// activated; until then a retry begins anew.
/// </summary>
internal sealed class Activation(AccountState account, ScratchFolder scratch, KeyFileStore keyFile, PassphraseFiles files, TimeProvider clock)
{
    /// <summary>Sets the first passphrase.</summary>
    /// <param name="machine">A machine that is registered.</param>
    /// <param name="keys">The keys of its vault.</param>
    /// <param name="entrance">The way into its vault.</param>
    /// <param name="passphrase">The passphrase.</param>
    /// <param name="safe">
    /// Keeps the passphrase before anything is done by it; what it refuses ends the matter with nothing set. Null where the user keeps it.
    /// </param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task SetAsync(
        MachineState machine, KeyRing keys, VaultEntrance entrance, string passphrase, IPassphraseSafe? safe, CancellationToken cancellationToken)
    {
        MachineRegistration registration = machine.Registration!;
        string folder = scratch.Prepare(machine);
        UnlockedKey key = await entrance.UnlockAsync(registration.MachineName, passphrase, cancellationToken).ConfigureAwait(false);
        if (safe is not null)
        {
            await safe.KeepAsync(passphrase, cancellationToken).ConfigureAwait(false);
        }

        try
        {
            await keys.VerifyAsync(keyFile.Write(folder, registration, key), cancellationToken).ConfigureAwait(false);
            await entrance.ClaimAsync(registration.MachineName, key, cancellationToken).ConfigureAwait(false);
            Record(key);
        }
        catch (Exception e) when (ActivationErrors.IsFailure(e))
        {
            KeyFileStore.Delete(folder);
            if (e is BackupException { Id: BackupErrorId.MachineNameTaken })
            {
                throw;
            }

            string rescued = safe is not null ? $"the encryption passphrase is kept in '{safe.Location}'"
                : files.TryRescue(passphrase) is { } file ? $"the encryption passphrase was saved to the following file: '{file}'"
                : "the encryption passphrase could not be saved to a file";
            throw ActivationErrors.Failed($"Activation did not succeed completely, but {rescued}. The cause: {e.Message}", folder, e);
        }

        files.DeleteRescued();
    }

    /// <summary>Sets another passphrase: a slot of its own, the key file with it, and then the old slot goes. No data are touched.</summary>
    /// <param name="machine">A machine that is activated.</param>
    /// <inheritdoc cref="SetAsync" path="/param"/>
    public async Task ChangeAsync(MachineState machine, KeyRing keys, string passphrase, IPassphraseSafe? safe, CancellationToken cancellationToken)
    {
        string folder = scratch.Prepare(machine);
        UnlockedKey old = await keys.VerifyAsync(ReadForChange(folder, machine.Registration!), cancellationToken).ConfigureAwait(false);
        old.RequireNewest(machine.Registration!.VaultLocation);
        UnlockedKey changed =
            old with { KeyId = await keys.AddAsync(old.StoreId, old.MasterKey, passphrase, null, cancellationToken, old.Epoch).ConfigureAwait(false) };
        if (safe is not null)
        {
            await KeepForAsync(safe, passphrase, keys, changed, cancellationToken).ConfigureAwait(false);
        }

        try
        {
            if (!await keys.OpensAsync(changed.StoreId, changed.KeyId, passphrase, cancellationToken).ConfigureAwait(false))
            {
                throw VaultDamage.Corrupt(VaultLayout.Key(changed.StoreId, changed.KeyId), "it does not open with the passphrase that it was made for");
            }

            keyFile.Write(folder, machine.Registration!, changed);
            Record(changed);
        }
        catch (Exception e) when (ActivationErrors.IsFailure(e))
        {
            // What the safe has opens the vault from now on, whatever else failed; and so does the passphrase before it.
            if (safe is null)
            {
                await TryRemoveSlotAsync(keys, changed).ConfigureAwait(false);
            }

            string kept = safe is null ? "" : $", and the new one, kept in '{safe.Location}', opens the vault too";
            throw ActivationErrors.Failed($"The previous passphrase still applies{kept}. The cause: {e.Message}", folder, e);
        }

        files.DeleteRescued();
        await RemoveReplacedAsync(keys, old, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Begins a new epoch of the store's master key, with a slot for the passphrase; the key file follows, and then the slot before it goes. Should it
    /// be interrupted in between, the key file is made anew by the passphrase.</summary>
    /// <param name="machine">A machine that is activated.</param>
    /// <param name="keys">The keys of its vault.</param>
    /// <param name="passphrase">The passphrase.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task RotateAsync(MachineState machine, KeyRing keys, string passphrase, CancellationToken cancellationToken)
    {
        string folder = scratch.Prepare(machine);
        UnlockedKey old = await keys.VerifyAsync(ReadForChange(folder, machine.Registration!), cancellationToken).ConfigureAwait(false);
        using UnlockedKey next = await keys.RotateAsync(old, passphrase, null, cancellationToken).ConfigureAwait(false);
        Renew(machine, folder, next);
        files.DeleteRescued();
        await RemoveReplacedAsync(keys, old, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Makes the key file anew, with a key that was shown to open the store.</summary>
    /// <exception cref="BackupException">ActivationFailed, ActivationDamaged, ScratchInvalid.</exception>
    public void Renew(MachineState machine, string folder, UnlockedKey key)
    {
        try
        {
            keyFile.Write(folder, machine.Registration!, key);
        }
        catch (Exception e) when (ActivationErrors.IsFailure(e))
        {
            throw ActivationErrors.Failed($"The key file could not be re-created. The cause: {e.Message}", folder, e);
        }

        Record(key);
    }

    /// <summary>Keeps the passphrase of a new slot. Where the safe surely has not got it, the slot goes too.</summary>
    private static async Task KeepForAsync(IPassphraseSafe safe, string passphrase, KeyRing keys, UnlockedKey slot, CancellationToken cancellationToken)
    {
        try
        {
            await safe.KeepAsync(passphrase, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException)
        {
            if (!await safe.MayHoldAsync(passphrase).ConfigureAwait(false))
            {
                await TryRemoveSlotAsync(keys, slot).ConfigureAwait(false);
            }

            throw;
        }
    }

    /// <summary>Removes a slot in whose place another is in force already.</summary>
    private static async Task RemoveReplacedAsync(KeyRing keys, UnlockedKey key, CancellationToken cancellationToken)
    {
        try
        {
            await keys.RemoveAsync(key.StoreId, key.KeyId, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e) when (e.Id == BackupErrorId.KeySlotNotFound)
        {
            // Another machine of this store has changed the passphrase before.
        }
        catch (BackupException e)
        {
            throw new BackupException(
                e.Id,
                $"The passphrase is set and opens the backups. The previous key slot, '{key.KeyId}', could not be removed, "
                    + $"so whatever opened it still opens them. {e.Message}",
                $"Have someone with permission to delete from the vault remove it: 'obengine key remove {key.KeyId}'.",
                key.KeyId,
                e.IsTransient,
                e);
        }
    }

    private static async Task TryRemoveSlotAsync(KeyRing keys, UnlockedKey key)
    {
        try
        {
            await keys.RemoveAsync(key.StoreId, key.KeyId, CancellationToken.None).ConfigureAwait(false);
        }
        catch (BackupException)
        {
            // The error that is on its way matters more. A slot is left that opens with the passphrase that was to be set.
        }
    }

    private UnlockedKey ReadForChange(string folder, MachineRegistration registration)
    {
        try
        {
            return keyFile.Read(folder, registration);
        }
        catch (BackupException e) when (e.Id == BackupErrorId.KeyFileInvalid)
        {
            throw ActivationErrors.Damaged(
                e.Message.TrimEnd('.'),
                "Run 'Repair-OBKey' with the previous passphrase, then set the new one.",
                e.Target!,
                e);
        }
    }

    private void Record(UnlockedKey key) => account.Update(known => known with
    {
        Activation = new MachineActivation(key.StoreId, key.KeyId, clock.GetUtcNow(), key.Digest(), key.Epoch),
    });
}
