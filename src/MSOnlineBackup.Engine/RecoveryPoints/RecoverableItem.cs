namespace MSOnlineBackup.Engine.RecoveryPoints;

/// <summary>An item as a listing shows it.</summary>
/// <param name="FullPath">The full path as text: the source's path and the entry's.</param>
/// <param name="Entry">The entry.</param>
public sealed record RecoverableItem(string FullPath, ManifestEntry Entry);
