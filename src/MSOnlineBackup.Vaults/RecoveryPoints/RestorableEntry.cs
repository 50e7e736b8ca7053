using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>What an entry must have to be restored or read.</summary>
internal static class RestorableEntry
{
    /// <summary>False for what a backup listed without being able to read it, and for what only a later version knows.</summary>
    public static bool IsRestorable(this ManifestEntry entry) =>
        entry.IsUnderstood && (entry.Flags & (EntryFlags.Unreadable | EntryFlags.Partial)) == 0;

    /// <summary>Why an entry for which <see cref="IsRestorable"/> is false cannot be had.</summary>
    public static BackupException Unrestorable(this ManifestEntry entry, string fullPath) => entry.IsUnderstood
        ? new BackupException(
            BackupErrorId.RestoreItemFailed,
            $"The recovery point has no content of '{fullPath}': it could not be read when the backup ran.",
            "Look for the item in another recovery point.",
            fullPath)
        : new BackupException(
            BackupErrorId.RestoreItemFailed,
            $"'{fullPath}' was not restored: it is of a kind, or has a property, that only a later version knows.",
            "Restore it with the version that backed it up, or a later one.",
            fullPath);
}
