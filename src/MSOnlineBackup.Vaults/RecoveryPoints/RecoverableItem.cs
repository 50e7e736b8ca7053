namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>An item as a listing shows it.</summary>
/// <param name="Source">The source that it is of.</param>
/// <param name="Entry">The entry.</param>
public sealed record RecoverableItem(RecoveryPointSource Source, ManifestEntry Entry)
{
    /// <summary>The full path for people, in the form of the point: the source's path and the entry's.</summary>
    public string FullPath { get; } = SourcePath.Join(Source, Entry.Path);

    /// <summary>The last part of the path, likewise; the whole path for a source's root.</summary>
    public string Name => Entry.Path.IsRoot ? FullPath : PathText.Show(Source.Form, Entry.Path.Name);
}

/// <summary>An item that a search has found.</summary>
/// <param name="Point">The recovery point that holds it.</param>
/// <param name="Item">The item.</param>
public sealed record FoundItem(RecoveryPoint Point, RecoverableItem Item);

/// <summary>A version of an item, and the recovery points of its machine that have it.</summary>
/// <param name="Item">The item, as the last of them has it.</param>
/// <param name="First">The first of them.</param>
/// <param name="Last">The last of them.</param>
/// <param name="Points">How many have it: fewer than there are between the two, where it was gone meanwhile.</param>
public sealed record ItemVersion(RecoverableItem Item, RecoveryPoint First, RecoveryPoint Last, int Points);
