namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>What became of an item between two recovery points.</summary>
public enum PointChange
{
    /// <summary>It is there, and was not in the reference.</summary>
    Added,

    /// <summary>It is in both, and differs.</summary>
    Changed,

    /// <summary>It was in the reference, and is there no more.</summary>
    Gone,

    /// <summary>Whether it differs is not known: one of the points has something in its place, or of it, that cannot be read.</summary>
    NotCompared,
}

/// <summary>By what an item differs from what it was.</summary>
[Flags]
public enum ItemAspects
{
    /// <summary>By nothing.</summary>
    None = 0,

    /// <summary>It is of another kind: a folder in the place of a file.</summary>
    Kind = 1,

    /// <summary>A file's bytes.</summary>
    Content = 2,

    /// <summary>Where a symbolic link leads.</summary>
    Target = 4,

    /// <summary>Permission bits.</summary>
    Mode = 8,

    /// <summary>Owner or group.</summary>
    Owner = 16,

    /// <summary>When it was modified. Of a folder that says only that something in it came or went, which is told by itself; so it does not count.</summary>
    Modified = 32,

    /// <summary>When it was created; only of Windows, where that is part of an item.</summary>
    Created = 64,

    /// <summary>How many names the file has.</summary>
    Links = 128,

    /// <summary>Extended attributes, access lists, flags, and whatever else it has.</summary>
    Attributes = 256,
}

/// <summary>How an item differs between two recovery points.</summary>
/// <param name="Change">What became of it.</param>
/// <param name="Item">The item; as the reference has it where it is gone.</param>
/// <param name="Earlier">The item as the reference has it; null where it has none, or none that can be read.</param>
/// <param name="Aspects">By what it differs, where it has changed.</param>
public sealed record PointDifference(PointChange Change, RecoverableItem Item, RecoverableItem? Earlier, ItemAspects Aspects)
{
    /// <summary>
    /// Bytes of its content that the vault got after the reference was made: 0 where all of it was there already, as of a large file that was only moved. Before compression.
    /// What two files have in common counts for the first. Null where the reference is not the earlier of the two points. What maintenance has written anew since then
    /// counts as new unless the file had it before.
    /// </summary>
    public long? NewBytes { get; init; }

    /// <summary>What they take up in the vault: compressed, without what packs and lists need. Of a chunk that holds many files, each file's share. Null likewise.</summary>
    public long? StoredBytes { get; init; }
}

/// <summary>What a folder, with all that is below it, adds to a reference.</summary>
/// <param name="Path">The folder's full path for people.</param>
/// <param name="Depth">How many folders are above it, up to the source's root: that has 0.</param>
/// <param name="Files">Files that were added, whose content has changed, or that were stored anew.</param>
/// <param name="Bytes">Their size.</param>
/// <param name="NewBytes">As for <see cref="PointDifference.NewBytes"/>.</param>
/// <param name="StoredBytes">As for <see cref="PointDifference.StoredBytes"/>.</param>
public sealed record FolderWeight(string Path, int Depth, long Files, long Bytes, long NewBytes, long StoredBytes);
