using MSOnlineBackup.Model;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Recovery;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Drives;

/// <summary>From what a drive shows to what scripts see of it.</summary>
internal static class DriveItems
{
    /// <summary>An item as scripts see it.</summary>
    /// <param name="place">The item.</param>
    /// <param name="directory">The folder that it is in, as the drive has it.</param>
    /// <param name="name">What the root is called.</param>
    /// <param name="access">The way into the vault; null for this machine's own.</param>
    public static OBRecoveryDriveItem ToOutput(this DrivePlace place, string directory, string name, VaultAccess? access)
    {
        ManifestEntry entry = place.Item.Entry;
        RecoveryPoint? point = place.Item.Point;
        string path = place.FullPath;
        string source = place.Item.Source?.ShownPath ?? "";
        return new OBRecoveryDriveItem
        {
            IsDir = entry.Kind == EntryKind.Directory,
            ItemNameFriendly = path,
            ItemNameGuid = path,
            LocalMountPoint = source,
            MountPointName = source,
            Name = place.Folder is null ? name : place.Name,
            PointInTime = (point?.Started ?? place.Item.PointId?.Announced)?.UtcDateTime ?? default,
            ServerName = point?.MachineName ?? MachineOf(place),
            ItemSize = entry.Kind == EntryKind.File ? entry.Size : null,
            ItemLastModifiedTime = entry.Metadata.Modified == default ? null : entry.Metadata.Modified.ToDateTimeOffset()?.UtcDateTime,
            RecoverySourceId = source.Length > 0 ? SourceNumber.Of(source) : 0,
            RecoveryPointId = place.Item.PointId?.ToString() ?? "",
            IsWholePoint = path.Length == 0,
            Access = access,
            Mode = DrivePath.Mode(entry, place.Item.Form),
            Directory = directory,
            LinkTarget = entry.Kind == EntryKind.SymbolicLink ? PathText.Show(place.Item.Form, entry.LinkTarget.Span) : null,
        };
    }

    // All points of a vault lie in folders of their machines.
    private static string MachineOf(DrivePlace place) => place.Depth switch
    {
        0 => "",
        1 => place.Name,
        _ => MachineOf(place.Folder!),
    };
}
