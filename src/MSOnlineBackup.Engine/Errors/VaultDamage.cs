namespace MSOnlineBackup.Engine.Errors;

/// <summary>The errors of damaged and missing objects, worded in one place.</summary>
internal static class VaultDamage
{
    /// <summary>An object that is there but not as it was written.</summary>
    public static BackupException Corrupt(string name, string why, Exception? inner = null) => new(
        BackupErrorId.VaultDataCorrupt,
        $"Object '{name}' of the vault is damaged: {why}.",
        "Run 'obengine verify --read-data' or 'Test-OBRecoveryPoint -Level Data' to see what is affected. Data that the next backup reads again are stored anew; files of other recovery points stay restorable.",
        name,
        innerException: inner);

    /// <summary>Something that is named and not there.</summary>
    public static BackupException Missing(string name, string what) => new(
        BackupErrorId.VaultDataMissing,
        $"{what} '{name}' is not in the vault.",
        "Bring the file back from a copy of the vault if there is one; 'obengine repair index' makes a lost index anew from the packs. 'obengine verify' or 'Test-OBRecoveryPoint' lists what is affected.",
        name);
}
