namespace MSOnlineBackup.Vaults.Registers;

/// <summary>What a vault is used for.</summary>
public enum VaultUse
{
    /// <summary>Listing, restoring, verifying.</summary>
    Read,

    /// <summary>Adding: backups, index segments, key slots.</summary>
    Write,

    /// <summary>Deleting what nothing needs.</summary>
    Collect,
}
