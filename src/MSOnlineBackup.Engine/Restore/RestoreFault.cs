using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Engine.Restore;

/// <summary>Which errors a restore reports and goes on after, and which stop it.</summary>
internal static class RestoreFault
{
    /// <summary>The target cannot have an item of this name.</summary>
    /// <param name="path">The path that it would have there, as it is shown.</param>
    public static BackupException NameImpossible(string path) => new(
        BackupErrorId.RestoreNameImpossible,
        $"'{path}' was not restored: the target has no such names. With --map-names (of New-OBRecoveryOption: -MapNames) it gets a name that can be had, and that can be turned back.",
        "Restore it with --map-names (New-OBRecoveryOption -MapNames), or to a file system of Linux.",
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
