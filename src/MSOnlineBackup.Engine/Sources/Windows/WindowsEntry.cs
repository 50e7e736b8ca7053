using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Platform.Windows;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Sources.Windows;

/// <summary>From what Windows says of an item to what a manifest does.</summary>
internal static class WindowsEntry
{
    /// <summary>The entry that a record describes.</summary>
    public static ManifestEntry ToEntry(this in WindowsRecord record, EntryPath path) => new()
    {
        Path = path,
        Kind = record.Kind,
        Size = record.Kind == EntryKind.File && !record.IsSurrogate ? record.Size : 0,
        Metadata = new EntryMetadata
        {
            Modified = WindowsRecord.ToItemTime(record.Modified),
            Changed = WindowsRecord.ToItemTime(record.Changed),
            Created = record.Created == 0 ? null : WindowsRecord.ToItemTime(record.Created),
            FileId = record.FileId,
            LinkCount = record.IsDirectory ? 1 : record.LinkCount,
            DeviceId = !record.IsDirectory && record.LinkCount > 1 ? record.Volume : 0,
        },
    };
}
