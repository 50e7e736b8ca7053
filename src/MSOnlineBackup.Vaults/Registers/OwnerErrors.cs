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
}
