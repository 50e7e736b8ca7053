using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Restore;

/// <summary>An entry on its way to the target, and what was decided for it.</summary>
/// <param name="selected">The entry, as the point has it.</param>
/// <param name="place">Where it goes below the target.</param>
/// <param name="placement">What becomes of what is there.</param>
/// <param name="existing">What is there.</param>
/// <param name="folder">The folder that must not be finished before it; null for the target itself.</param>
internal sealed class RestoreItem(SelectedEntry selected, EntryPath place, Placement placement, ManifestEntry? existing, RestoreFolder? folder)
{
    private int _reported;
    private bool _isBeside;

    /// <summary>The entry, its path being its place below the target.</summary>
    public ManifestEntry Entry { get; private set; } = selected.Entry with { Path = place };

    public Placement Placement => placement;

    /// <summary>What is at its place; null where nothing is, or where it gets another name.</summary>
    public ManifestEntry? Existing { get; } = placement == Placement.Rename ? null : existing;

    public RestoreFolder? Folder => folder;

    /// <summary>Whether something that is there gives way when it is written.</summary>
    public bool Replaces => Existing is not null && !_isBeside;

    /// <summary>What is there turned out to be another: this goes beside it.</summary>
    public void GoBeside(EntryPath other)
    {
        _isBeside = true;
        Entry = Entry with { Path = other };
    }

    /// <summary>The full path in the recovery point, as text.</summary>
    public string FullPath => selected.FullPath;

    /// <summary>True the first time.</summary>
    public bool TryMarkReported() => Interlocked.Exchange(ref _reported, 1) == 0;

    /// <summary>What is there is not the same, and stays.</summary>
    public BackupException Exists() => new(
        BackupErrorId.RestoreItemExists,
        Existing is null || (Existing.Kind == Entry.Kind)
            ? $"'{PathText.Show(place)}' already exists in the target and differs from the recovery point. It was left unchanged."
            : $"'{PathText.Show(place)}' exists in the target as {Name(Existing.Kind)}, "
                + $"but is {Name(Entry.Kind)} in the recovery point. It was left unchanged.",
        "Restore into another folder, or choose to overwrite it or to restore beside it. "
            + "First move away a folder that is not empty, or a link in place of a folder.",
        target: selected.FullPath);

    private static string Name(EntryKind kind) => kind switch
    {
        EntryKind.File => "a file",
        EntryKind.Directory => "a folder",
        EntryKind.SymbolicLink => "a link",
        EntryKind.Fifo => "a pipe",
        EntryKind.Socket => "a socket",
        _ => "a device",
    };
}
