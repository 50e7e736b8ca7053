using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Engine.Restore;

/// <summary>Which errors a restore reports and goes on after, and which stop it.</summary>
internal static class RestoreFault
{
    /// <summary>The target cannot have an item of this name.</summary>
    /// <param name="path">The path that it would have there, as it is shown.</param>
    public static BackupException NameImpossible(string path) => new(
        BackupErrorId.RestoreNameImpossible,
        $"'{path}' was not restored: the target does not allow such names. "
            + "With --map-names (New-OBRecoveryOption -MapNames) it gets a name that the target allows and that can be turned back.",
        "Restore it with --map-names (New-OBRecoveryOption -MapNames), or onto a Linux file system.",
        path);

    /// <summary>Whether an error concerns one item only. A full target or a vault that is gone would fail every other item too.</summary>
    public static bool IsOfOneItem(BackupException fault) =>
        fault.IsDamage
        || fault.Id is BackupErrorId.RestoreItemExists
            or BackupErrorId.RestoreItemFailed
            or BackupErrorId.RestoreNameImpossible
            or BackupErrorId.RestoreTargetInvalid
            or BackupErrorId.RestoreTargetUnwritable
            or BackupErrorId.RestoreMetadataFailed
            or BackupErrorId.RestoreVerifyFailed;
}
