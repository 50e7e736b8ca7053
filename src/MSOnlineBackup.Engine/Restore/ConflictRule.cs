using MSOnlineBackup.Engine.RecoveryPoints;

namespace MSOnlineBackup.Engine.Restore;

/// <summary>What becomes of an entry whose place at the target is taken, or is not.</summary>
internal enum Placement
{
    /// <summary>Nothing is there: it is written.</summary>
    Free,

    /// <summary>A folder is there, and a folder is wanted: its entries join it.</summary>
    Merge,

    /// <summary>What is there gives way.</summary>
    Replace,

    /// <summary>What is there is the same already.</summary>
    AlreadyThere,

    /// <summary>What is there stays; the entry is left out.</summary>
    Skip,

    /// <summary>What is there stays; the entry gets another name beside it.</summary>
    Rename,
}

/// <summary>The one place that decides on conflicts, for plan and execution alike.</summary>
internal static class ConflictRule
{
    /// <summary>Decides for one entry.</summary>
    public static Placement Decide(ManifestEntry entry, ManifestEntry? existing, RestoreConflict conflict) => existing switch
    {
        null => Placement.Free,
        { Kind: EntryKind.Directory } when entry.Kind == EntryKind.Directory => Placement.Merge,
        _ => conflict switch
        {
            RestoreConflict.Skip => Placement.Skip,
            RestoreConflict.Copy => Placement.Rename,
            _ => IsSame(entry, existing) ? Placement.AlreadyThere : Placement.Replace,
        },
    };

    // Microseconds: some file systems keep no finer times.
    private static bool IsSame(ManifestEntry entry, ManifestEntry existing) =>
        entry.Kind == EntryKind.File
        && existing.Kind == EntryKind.File
        && entry.Size == existing.Size
        && entry.Metadata.Modified.Seconds == existing.Metadata.Modified.Seconds
        && entry.Metadata.Modified.Nanoseconds / 1000 == existing.Metadata.Modified.Nanoseconds / 1000;
}
