using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Backup;

/// <summary>A folder that was a mount point in the last backup and is none now: its volume is away, and nothing of it was deleted.</summary>
internal static class MountRule
{
    /// <summary>Whether an item below a source whose mounts belong to it was a mount point in the last backup and is none now. One that is not entered says why.</summary>
    public static bool IsUnmounted(SourceItem item, KnownEntries known, BackupRequest request) =>
        !item.IsCrossedMountPoint && item.Note is null && !request.ReadEverything && known.Previous is { } mounted && mounted.HasAttribute(AttributeTag.MountPoint);

    /// <summary>That it is not mounted.</summary>
    public static BackupException NotMounted(string path) => new(
        BackupErrorId.SourceNotMounted,
        $"'{path}' was a mount point in the last backup but is not one now: its volume is not mounted.",
        "Mount the volume. If this is meant to be an ordinary folder from now on, back it up once with 'obengine backup --force'.",
        path);
}
