namespace MSOnlineBackup.Engine.RecoveryPoints;

/// <summary>An item as a listing shows it.</summary>
/// <param name="FullPath">The full path as text: the source's path and the entry's.</param>
/// <param name="Entry">The entry.</param>
public sealed record RecoverableItem(string FullPath, ManifestEntry Entry);

/// <summary>An item that a search has found.</summary>
/// <param name="Point">The recovery point that holds it.</param>
/// <param name="Item">The item.</param>
public sealed record FoundItem(RecoveryPoint Point, RecoverableItem Item);
