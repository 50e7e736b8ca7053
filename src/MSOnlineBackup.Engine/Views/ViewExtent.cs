namespace MSOnlineBackup.Engine.Views;

/// <summary>A run of a file's bytes that are all alike.</summary>
/// <param name="IsHole">Whether it is a hole: zeros that take no room.</param>
/// <param name="Length">How many bytes, from 1.</param>
public readonly record struct ViewExtent(bool IsHole, long Length);
