namespace MSOnlineBackup.Vaults.Errors;

/// <summary>The errors of damaged and missing objects, worded in one place.</summary>
internal static class VaultDamage
{
    private const string Mend =
        "A repair is due, while what takes its place is whole: run 'obengine repair' or 'Repair-OBVault'. '--recorded-only' or -RecordedOnly mends at once what was met, and reads nothing else.";

    /// <summary>An object that is there but not as it was written.</summary>
    public static BackupException Corrupt(string name, string why, Exception? inner = null) => new(
        BackupErrorId.VaultDataCorrupt,
        $"Object '{name}' of the vault is damaged: {why}.",
        "Run 'obengine verify --read-data' or 'Test-OBRecoveryPoint -Level Data' to see what is affected; everything else stays restorable. Bring the object back from a copy of the vault. If there is none, run 'obengine repair' or 'Repair-OBVault', then back up: what the sources still hold is stored again.",
        name,
        innerException: inner);

    /// <summary>An object that stays unreadable while the vault answers for others.</summary>
    /// <param name="name">The object.</param>
    /// <param name="location">The vault.</param>
    /// <param name="why">What the medium or the file system says, without a full stop.</param>
    /// <param name="inner">The cause.</param>
    public static BackupException Unreadable(string name, string location, string why, Exception? inner = null) => new(
        BackupErrorId.VaultDataUnreadable,
        $"Object '{name}' of the vault '{location}' cannot be read, while others can: {why}.",
        "Check the disk, and that this account may read every file of the vault. Until then the object counts as damaged: 'obengine verify' or 'Test-OBRecoveryPoint' lists what is affected, and everything else stays restorable.",
        name,
        innerException: inner);

    /// <summary>A chunk of which no copy opens.</summary>
    public static BackupException Unopened(string chunk) => Corrupt(chunk, "no copy of it opens");

    /// <summary>A pack that is damaged or missing, and of which everything that was needed came from parity.</summary>
    public static BackupException Reconstructed(string pack) => new(
        BackupErrorId.VaultDataCorrupt,
        $"Pack '{pack}' of the vault is damaged or missing. What was needed of it was reconstructed from parity: nothing was left out.",
        Mend,
        pack);

    /// <summary>A damage in the place of which another copy was taken.</summary>
    public static BackupException Evaded(BackupException damage) => new(
        damage.Id, $"{damage.Message} Another copy was taken: nothing was left out.", Mend, damage.Target, innerException: damage);

    /// <summary>A record without a valid proof of who wrote it.</summary>
    public static BackupException NotSigned(string name) => new(
        BackupErrorId.VaultDataCorrupt,
        $"Object '{name}' of the vault is damaged or forged: it was altered, belongs elsewhere, or was written by somebody who may not.",
        "Bring it back from a copy of the vault. If there is none, or nobody here has written it, delete it: no backup depends on it.",
        name);

    /// <summary>A recovery point that was made, as the vault says, and is gone.</summary>
    public static BackupException LostPoint(string name) => new(
        BackupErrorId.VaultDataMissing,
        $"The recovery point '{name}' was made, but is no longer in the vault: it was deleted or lost.",
        $"Bring the file back from a copy of the vault if there is one. Where it was deleted on purpose, delete '{name.Replace("/points/", "/commits/", StringComparison.Ordinal)}' too.",
        name);

    /// <summary>A record of what was decided on the deletion of a recovery point that cannot be read.</summary>
    public static BackupException Undecided(string name, BackupException damage) => new(
        damage.Id,
        $"What was decided on the deletion of a recovery point cannot be read, so the point is not deleted. {damage.Message}",
        "Decide again, which takes the place of this record: delete the point ('obengine points delete', 'Remove-OBRecoveryPoint') or bring it back ('obengine points undelete', 'Restore-OBRecoveryPoint').",
        name,
        innerException: damage);

    /// <summary>Parity that is missing or not as it was written. Nothing is lost with it.</summary>
    public static BackupException Parity(string name, string why) => new(
        BackupErrorId.VaultDataCorrupt,
        $"The parity object '{name}' of the vault is damaged: {why}. No backup is affected, but the packs that it covers are not protected.",
        "Run 'obengine maintain' or 'Invoke-OBMaintenance', which writes parity that is missing; what is damaged within, 'obengine repair' removes first.",
        name);

    /// <summary>Something that is named and not there.</summary>
    public static BackupException Missing(string name, string what) => new(
        BackupErrorId.VaultDataMissing,
        $"{what} '{name}' is not in the vault.",
        "Bring the file back from a copy of the vault if there is one. If there is none, run 'obengine repair' or 'Repair-OBVault', then back up: what the sources still hold is stored again. 'obengine verify' or 'Test-OBRecoveryPoint' lists what is affected.",
        name);

    /// <summary>An object, or a pack, whose key is not at hand.</summary>
    public static BackupException KeyMissing(string name, byte epoch) => new(
        BackupErrorId.VaultFormatUnsupported,
        $"'{name}' is sealed by master key number {epoch} of its chunk store, which what opened the vault does not lead to: the master key was rotated.",
        "Open the vault with a passphrase or Key Vault key that was set when the key was rotated, or later; on a registered machine run 'Repair-OBKey' with it.",
        name);
}
