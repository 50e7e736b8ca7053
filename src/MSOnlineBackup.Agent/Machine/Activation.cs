using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Agent.Machine;

/// <summary>
/// The way from a passphrase to the key file, and back to the key. Two phases: the key file is written, read back and shown to
/// open the store before the machine counts as activated; until then a retry begins anew.
/// </summary>
internal sealed class Activation(StateFolder folder, StateFile<MachineState> state, MachineSecret secret, VaultOptions options)
{
    private const string DamagedCode = "0x1FC07";
    private const string RescuePattern = "passphrase-*.rescue";
    private const string DefaultScratch = "scratch";

    // Less than this, and a volume counts as full: a key file has 150 bytes.
    private const long LeastRoom = 64 << 10;

    /// <summary>The scratch folder by the machine's state.</summary>
    public string ScratchOf(MachineState? machine) => machine?.Scratch ?? folder.PathOf(DefaultScratch);

    /// <summary>Sets the first passphrase.</summary>
    /// <param name="safe">Keeps the passphrase before anything is done by it; what it refuses ends the matter with nothing set. Null where the user keeps it.</param>
    public async Task SetAsync(
        IVaultStore objects, VaultHeader header, MachineState machine, string passphrase, IPassphraseSafe? safe, CancellationToken cancellationToken)
    {
        MachineRegistration registration = machine.Registration!;
        string scratch = PrepareScratch(machine);
        KeyRing keys = new KeyRing(new KnownVault(objects, header, options));
        var entrance = new VaultEntrance(new KnownVault(objects, header, options));
        UnlockedKey key = await entrance.UnlockAsync(registration.MachineName, passphrase, cancellationToken).ConfigureAwait(false);
        if (safe is not null)
        {
            await KeepAsync(safe, passphrase, cancellationToken).ConfigureAwait(false);
        }

        try
        {
            await keys.VerifyAsync(WriteKey(scratch, registration, key), cancellationToken).ConfigureAwait(false);
            await entrance.ClaimAsync(registration.MachineName, key, cancellationToken).ConfigureAwait(false);
            Record(key);
        }
        catch (Exception e) when (IsFailure(e))
        {
            TryDelete(Path.Combine(scratch, KeyFile.Name));
            if (e is BackupException { Id: BackupErrorId.MachineNameTaken })
            {
                throw;
            }

            string rescued = safe is not null ? $"the encryption passphrase is kept in '{safe.Location}'"
                : TryRescue(passphrase) is { } file ? $"the encryption passphrase was saved to the following file: '{file}'"
                : "the encryption passphrase could not be saved to a file";
            throw Failed($"Activation did not succeed completely, but {rescued}. The cause: {e.Message}", scratch, e);
        }

        DeleteRescueFiles();
    }

    /// <summary>Sets another passphrase: a slot of its own, the key file with it, and then the old slot goes. No data are touched.</summary>
    /// <inheritdoc cref="SetAsync" path="/param"/>
    public async Task ChangeAsync(
        IVaultStore objects, VaultHeader header, MachineState machine, string passphrase, IPassphraseSafe? safe, CancellationToken cancellationToken)
    {
        string scratch = PrepareScratch(machine);
        KeyRing keys = new KeyRing(new KnownVault(objects, header, options));
        UnlockedKey old = ReadForChange(machine);
        await keys.VerifyAsync(old, cancellationToken).ConfigureAwait(false);
        UnlockedKey changed = old with { KeyId = await keys.AddAsync(old.StoreId, old.MasterKey, passphrase, null, cancellationToken).ConfigureAwait(false) };
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

            WriteKey(scratch, machine.Registration!, changed);
            Record(changed);
        }
        catch (Exception e) when (IsFailure(e))
        {
            // What the safe has opens the vault from now on, whatever else failed; and so does the passphrase before it.
            if (safe is null)
            {
                await TryRemoveSlotAsync(keys, changed).ConfigureAwait(false);
            }

            string kept = safe is null ? "" : $", and the new one, kept in '{safe.Location}', opens the vault too";
            throw Failed($"The passphrase that was set before still holds{kept}. The cause: {e.Message}", scratch, e);
        }

        DeleteRescueFiles();
        await RemoveReplacedAsync(keys, old, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Makes the key file anew from the slot in the vault.</summary>
    /// <exception cref="BackupException">ChunkStoreExchanged, PassphraseRejected, …</exception>
    public Task RepairAsync(IVaultStore objects, VaultHeader header, MachineState machine, string passphrase, CancellationToken cancellationToken) =>
        RepairAsync(machine, objects.Location, new KeyRing(new KnownVault(objects, header, options)), (keys, storeId) => keys.UnlockAsync(passphrase, cancellationToken, storeId), cancellationToken);

    /// <summary>Makes the key file anew from a slot that a Key Vault key opens.</summary>
    /// <exception cref="BackupException">ChunkStoreExchanged, KeySlotNotFound, KeySlotContradicted, …</exception>
    public Task RepairAsync(IVaultStore objects, VaultHeader header, MachineState machine, IKeyEncryptionKey keyVaultKey, CancellationToken cancellationToken) =>
        RepairAsync(machine, objects.Location, new KeyRing(new KnownVault(objects, header, options)), (keys, storeId) => keys.UnlockAsync(keyVaultKey, cancellationToken, storeId), cancellationToken);

    private async Task RepairAsync(
        MachineState machine, string location, KeyRing keys, Func<KeyRing, string, Task<UnlockedKey>> unlockAsync, CancellationToken cancellationToken)
    {
        string scratch = PrepareScratch(machine);
        MachineActivation known = machine.Activation!;
        UnlockedKey key = await unlockAsync(keys, known.StoreId).ConfigureAwait(false);

        // Whoever may write to the vault can make a store of theirs under the same name, and a slot for a Key Vault key, which opens it.
        if (!CryptographicOperations.FixedTimeEquals(known.MasterKeyDigest, key.Digest()))
        {
            throw new BackupException(
                BackupErrorId.ChunkStoreExchanged,
                $"The chunk store {known.StoreId} in the vault '{location}' is not the one that this machine backs up to: its master key is another one.",
                "The vault's objects were replaced, by somebody who may write there: bring the vault back from a copy. If it was you who replaced them, register this machine anew.",
                location);
        }

        await keys.VerifyAsync(key, cancellationToken).ConfigureAwait(false);
        Renew(scratch, machine, key);
    }

    /// <summary>Reads the key file.</summary>
    /// <exception cref="BackupException">KeyFileInvalid, ActivationDamaged where the scratch folder is gone.</exception>
    public UnlockedKey ReadKey(MachineState machine) => Decode(machine.Registration!, Path.Combine(FindScratch(machine), KeyFile.Name));

    /// <summary>The scratch folder, which must be there.</summary>
    /// <exception cref="BackupException">ActivationDamaged.</exception>
    public string FindScratch(MachineState? machine)
    {
        string scratch = ScratchOf(machine);
        return Directory.Exists(scratch)
            ? scratch
            : throw Damaged(
                $"The scratch folder '{scratch}' is not there: it was moved or deleted, or its disk is not mounted",
                "Mount the disk or put the folder back. If it is lost, make an empty folder in its place and run 'Repair-OBKey' with this machine's passphrase.",
                scratch);
    }

    /// <summary>
    /// Brings the key file, which is all that the scratch folder holds, to another folder: written there, flushed, read back and compared; then the
    /// machine's state names the new folder, all at once; then the old file goes. A crash at any instant leaves a folder in force that has its key file.
    /// </summary>
    public void Move(MachineState? machine, string target)
    {
        Scratch.Check(target);
        string source = Path.Combine(ScratchOf(machine), KeyFile.Name);
        string destination = Path.Combine(target, KeyFile.Name);
        bool isLeft = false;
        if (machine?.Activation is not null && File.Exists(source) && source != destination)
        {
            UnlockedKey key = Decode(machine!.Registration!, source);
            try
            {
                WriteKey(target, machine.Registration!, key);

                // No two key files are alike: where these are, two paths lead to one folder.
                isLeft = !File.ReadAllBytes(source).AsSpan().SequenceEqual(File.ReadAllBytes(destination));
            }
            catch (Exception e) when (IsFailure(e))
            {
                throw Failed($"The key file could not be brought to '{target}'; the scratch folder is where it was. The cause: {e.Message}", target, e);
            }
        }

        state.Update(known => (known ?? new MachineState()) with { Scratch = target });
        if (isLeft)
        {
            TryDelete(source);
        }
    }

    /// <summary>Deletes the key file.</summary>
    public void Forget(MachineState machine) => TryDelete(Path.Combine(ScratchOf(machine), KeyFile.Name));

    private static bool IsFailure(Exception e) => e is BackupException or IOException or UnauthorizedAccessException or CryptographicException;

    private static BackupException Failed(string detail, string scratch, Exception inner) => new(
        BackupErrorId.ActivationFailed,
        $"Failed to set the encryption key for secure backups. {detail}",
        "Remove the cause and set the same passphrase again. If the passphrase was saved to a file, bring that to a safe place first; it is deleted when the passphrase is set.",
        scratch,
        innerException: inner);

    private static BackupException Damaged(string cause, string action, string target, Exception? inner = null) => new(
        BackupErrorId.ActivationDamaged,
        $"The activation did not complete successfully. {cause}.",
        action,
        target,
        innerException: inner,
        errorCode: DamagedCode);

    // In a safe is what it gives back.
    private static async Task KeepAsync(IPassphraseSafe safe, string passphrase, CancellationToken cancellationToken)
    {
        await safe.WriteAsync(passphrase, cancellationToken).ConfigureAwait(false);
        if (await safe.ReadAsync(cancellationToken).ConfigureAwait(false) != passphrase)
        {
            throw new BackupException(
                BackupErrorId.KeyVaultSecretUnusable,
                $"'{safe.Location}' reads back otherwise than it was written.",
                "See that nothing else writes to this secret, and set the passphrase again.",
                safe.Location);
        }
    }

    /// <summary>Keeps the passphrase of a new slot. Where the safe surely has not got it, the slot goes too.</summary>
    private static async Task KeepForAsync(IPassphraseSafe safe, string passphrase, KeyRing keys, UnlockedKey slot, CancellationToken cancellationToken)
    {
        try
        {
            await KeepAsync(safe, passphrase, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException)
        {
            if (!await MayHoldAsync(safe, passphrase).ConfigureAwait(false))
            {
                await TryRemoveSlotAsync(keys, slot).ConfigureAwait(false);
            }

            throw;
        }
    }

    private static async Task<bool> MayHoldAsync(IPassphraseSafe safe, string passphrase)
    {
        try
        {
            return await safe.ReadAsync(CancellationToken.None).ConfigureAwait(false) == passphrase;
        }
        catch (BackupException e)
        {
            // Who cannot look cannot know.
            return e.Id is not (BackupErrorId.KeyVaultSecretNotFound or BackupErrorId.KeyVaultSecretForeign);
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
                $"The passphrase is set and opens the backups. The key slot before it, '{key.KeyId}', could not be removed: what opened it opens them still. {e.Message}",
                $"Have somebody who may delete in the vault remove it: 'obengine key remove {key.KeyId}'.",
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

    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What is left is of no use to anybody without the machine's secret, and of none to the machine: it is not read.
        }
    }

    private string PrepareScratch(MachineState machine)
    {
        string scratch = ScratchOf(machine);
        if (machine.Scratch is null)
        {
            folder.MakeFolder(DefaultScratch);
        }

        FindScratch(machine);
        Scratch.Check(scratch);
        if (Scratch.FreeBytes(scratch) < LeastRoom)
        {
            throw Damaged(
                $"The volume of the scratch folder '{scratch}' is full",
                "Free room on the volume, at least 5 % of the data to be protected, or move the scratch folder.",
                scratch);
        }

        return scratch;
    }

    private UnlockedKey ReadForChange(MachineState machine)
    {
        try
        {
            return ReadKey(machine);
        }
        catch (BackupException e) when (e.Id == BackupErrorId.KeyFileInvalid)
        {
            throw Damaged(
                e.Message.TrimEnd('.'),
                "Run 'Repair-OBKey' with the passphrase that was set before, then set the new one.",
                e.Target!,
                e);
        }
    }

    /// <summary>Writes the key file and returns what it says when it is read.</summary>
    private UnlockedKey WriteKey(string scratch, MachineRegistration registration, UnlockedKey key)
    {
        string path = Path.Combine(scratch, KeyFile.Name);
        PrivateFile.Replace(path, KeyFile.Encode(secret.DeriveKey(KeyFile.Name), registration.VaultId, MachineId(registration), key));
        UnlockedKey written = Decode(registration, path);
        return written.StoreId == key.StoreId && written.KeyId == key.KeyId && CryptographicOperations.FixedTimeEquals(written.MasterKey, key.MasterKey)
            ? written
            : throw KeyFile.Invalid(path, "it reads back otherwise than it was written");
    }

    private UnlockedKey Decode(MachineRegistration registration, string path)
    {
        try
        {
            byte[] content = File.ReadAllBytes(path);
            byte[] key = secret.FindKey(KeyFile.Name) ?? throw KeyFile.Invalid(path, "the secret of this machine, by which it was made, is missing");
            return KeyFile.Decode(key, registration.VaultId, MachineId(registration), content, path);
        }
        catch (FileNotFoundException e)
        {
            throw KeyFile.Invalid(path, "it is missing", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw KeyFile.Invalid(path, $"it cannot be read ({e.Message.TrimEnd('.')})", e);
        }
    }

    private static string MachineId(MachineRegistration registration) => VaultHeader.MachineId(registration.VaultId, registration.MachineName);

    private void Record(UnlockedKey key) => state.Update(known => known! with
    {
        Activation = new MachineActivation(key.StoreId, key.KeyId, options.TimeProvider.GetUtcNow(), key.Digest()),
    });

    private void Renew(string scratch, MachineState machine, UnlockedKey key)
    {
        try
        {
            WriteKey(scratch, machine.Registration!, key);
        }
        catch (Exception e) when (IsFailure(e))
        {
            throw Failed($"The key file could not be made anew. The cause: {e.Message}", scratch, e);
        }

        Record(key);
    }

    private string? TryRescue(string passphrase)
    {
        string name = string.Create(CultureInfo.InvariantCulture, $"passphrase-{options.TimeProvider.GetUtcNow().UtcDateTime:yyyyMMdd'T'HHmmss'Z'}.rescue");
        try
        {
            folder.Replace(name, Encoding.UTF8.GetBytes(passphrase + "\n"));
            return folder.PathOf(name);
        }
        catch (BackupException)
        {
            // Said in the error that is on its way.
            return null;
        }
    }

    private void DeleteRescueFiles()
    {
        foreach (string file in Directory.EnumerateFiles(folder.Path, RescuePattern))
        {
            TryDelete(file);
        }
    }
}
