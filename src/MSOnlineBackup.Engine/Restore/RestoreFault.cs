using MSOnlineBackup.Engine.Errors;

namespace MSOnlineBackup.Engine.Restore;

/// <summary>Which errors a restore reports and goes on after, and which stop it.</summary>
internal static class RestoreFault
{
    /// <summary>Whether an error concerns one item only. A full target or a vault that is gone would fail every other item too.</summary>
    public static bool IsOfOneItem(BackupException fault) =>
        fault.IsDamage
        || fault.Id is BackupErrorId.RestoreItemExists
            or BackupErrorId.RestoreItemFailed
            or BackupErrorId.RestoreTargetInvalid
            or BackupErrorId.RestoreTargetUnwritable
            or BackupErrorId.RestoreMetadataFailed
            or BackupErrorId.RestoreVerifyFailed;
}
