using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.RecoveryPoints;

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

    /// <summary>What is there is of another kind, and is taken away before; a folder only where it is empty.</summary>
    Clear,

    /// <summary>What is there may be the same: where its content is, it stays; else it gives way, is left as it is, or gets company.</summary>
    Compare,

    /// <summary>What is there is what was backed up, in content and metadata.</summary>
    Same,

    /// <summary>What is there stays; the entry is left out.</summary>
    Skip,

    /// <summary>What is there stays; the entry gets another name beside it.</summary>
    Rename,
}

/// <summary>The one place that decides on conflicts, as far as it can be told without reading contents.</summary>
internal static class ConflictRule
{
    /// <summary>Decides for one entry.</summary>
    public static Placement Decide(ManifestEntry entry, ManifestEntry? existing, RestoreConflict conflict)
    {
        if (existing is null)
        {
            return Placement.Free;
        }

        bool isFolder = entry.Kind == EntryKind.Directory;
        bool wasFolder = existing.Kind == EntryKind.Directory;
        return (isFolder && wasFolder, conflict) switch
        {
            (true, _) => Placement.Merge,

            // What was read of a disk is not put in the place of its device, nor beside that, where nothing lasts.
            _ when entry.Kind == EntryKind.File && existing.Kind == EntryKind.BlockDevice => Placement.Skip,
            (_, RestoreConflict.Copy) => MayBeSame(entry, existing) ? Placement.Compare : Placement.Rename,
            (_, RestoreConflict.Skip) => MayBeSame(entry, existing) ? Placement.Compare : Placement.Skip,

            // A link in place of a folder may be where somebody keeps it now.
            _ when isFolder && existing.Kind == EntryKind.SymbolicLink => Placement.Skip,
            _ when isFolder || wasFolder => Placement.Clear,

            // A file that has names besides those it should have must not be changed under them.
            _ => MayBeSame(entry, existing) && existing.Metadata.LinkCount <= entry.Metadata.LinkCount ? Placement.Compare : Placement.Replace,
        };
    }

    /// <summary>
    /// Whether what is there is the very file that was backed up, unchanged since: what a backup trusts too. Nobody can set a file's change time.
    /// </summary>
    public static bool IsOriginal(ManifestEntry entry, ManifestEntry existing) =>
        entry.Kind == EntryKind.File
        && entry.Metadata.FileId != 0
        && (entry.Flags & (EntryFlags.Racy | EntryFlags.KeptFromEarlier | EntryFlags.ChangedWhileRead)) == 0
        && entry.SameStateAs(existing);

    /// <summary>Whether a folder was made by a restore that did not come to its end, and has no metadata of its own yet.</summary>
    public static bool IsUnfinished(ManifestEntry? existing) =>
        existing is { Kind: EntryKind.Directory, Metadata.Mode: IRestoreTarget.UnfinishedMode };

    private static bool MayBeSame(ManifestEntry entry, ManifestEntry existing) =>
        entry.Kind == existing.Kind
        && entry.Size == existing.Size
        && entry.LinkTarget.Span.SequenceEqual(existing.LinkTarget.Span)
        && entry.Metadata.DeviceNumber == existing.Metadata.DeviceNumber;
}
