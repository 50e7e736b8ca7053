using MSOnlineBackup.Vaults.Errors;


namespace MSOnlineBackup.Vaults.Registers;

/// <summary>The refusals of what only a vault's owner may do, worded in one place.</summary>
internal static class OwnerErrors
{
    /// <summary>The owner's key is needed, and is not at hand.</summary>
    /// <param name="location">The vault.</param>
    /// <param name="why">The end of "Only the owner … may do this: ".</param>
    public static BackupException Required(string location, string why) => new(
        BackupErrorId.OwnerRequired,
        $"Only the owner of the vault '{location}' may do this: {why}.",
        "Name the owner's file with -OwnerFile, and its passphrase with -OwnerPassphrase; or do it on the machine that created the vault and keeps the key.",
        location);

    /// <summary>Another owner than the one that is expected.</summary>
    /// <param name="location">The vault.</param>
    /// <param name="why">The end of "The owner of the vault … is another one: ".</param>
    public static BackupException Foreign(string location, string why) => new(
        BackupErrorId.OwnerForeign,
        $"The owner of the vault '{location}' is not the one expected: {why}.",
        "Nothing was done. If a file was named, take the one of this vault. Else somebody may have put another 'vault.json' in the place of the vault's own: bring that back from a copy, or ask the owner.",
        location);

    /// <summary>What is locked would be loosened.</summary>
    /// <param name="location">The vault.</param>
    /// <param name="days">For how many days recovery points are immutable.</param>
    public static BackupException Locked(string location, int days) => new(
        BackupErrorId.VaultImmutable,
        $"The immutability of the vault '{location}' is locked: its recovery points are immutable for {days:N0} days, and nobody, its owner included, can shorten that or switch it off.",
        "Leave it, or choose more days. For a vault with another protection create a new one.",
        location,
        errorCode: "810001");
}
