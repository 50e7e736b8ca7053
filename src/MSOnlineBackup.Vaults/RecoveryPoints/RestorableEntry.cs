namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>What an entry must have to be restored.</summary>
internal static class RestorableEntry
{
    /// <summary>False for what a backup listed without being able to read it, and for what only a later version knows.</summary>
    public static bool IsRestorable(this ManifestEntry entry) =>
        entry.IsUnderstood && (entry.Flags & (EntryFlags.Unreadable | EntryFlags.Partial)) == 0;
}
