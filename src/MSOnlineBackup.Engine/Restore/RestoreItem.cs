using MSOnlineBackup.Engine.RecoveryPoints;

namespace MSOnlineBackup.Engine.Restore;

/// <summary>An entry on its way to the target.</summary>
/// <param name="selected">The entry, as the point has it.</param>
/// <param name="place">Where it goes below the target.</param>
/// <param name="replace">Whether what is there gives way.</param>
/// <param name="folder">The folder that must not be finished before it; null for the target itself.</param>
internal sealed class RestoreItem(SelectedEntry selected, EntryPath place, bool replace, RestoreFolder? folder)
{
    private int _reported;

    /// <summary>The entry, its path being its place below the target.</summary>
    public ManifestEntry Entry { get; } = selected.Entry with { Path = place };

    public bool Replace => replace;

    public RestoreFolder? Folder => folder;

    /// <summary>The full path in the recovery point, as text.</summary>
    public string FullPath => selected.FullPath;

    /// <summary>True the first time.</summary>
    public bool TryMarkReported() => Interlocked.Exchange(ref _reported, 1) == 0;
}

/// <summary>What an entry must have to be restored.</summary>
internal static class RestorableEntry
{
    /// <summary>False for what a backup listed without being able to read it.</summary>
    public static bool IsRestorable(this ManifestEntry entry) =>
        (entry.Flags & (EntryFlags.Unreadable | EntryFlags.Partial)) == 0;
}
