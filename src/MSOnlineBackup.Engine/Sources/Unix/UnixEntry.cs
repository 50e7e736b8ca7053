using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Platform.Unix;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Sources.Unix;

/// <summary>From what the system says of an item to what a manifest does.</summary>
internal static class UnixEntry
{
    /// <summary>The entry that a stat describes.</summary>
    public static ManifestEntry ToEntry(this in UnixStat stat, EntryPath path)
    {
        EntryKind kind = stat.Kind;
        bool isDirectory = kind == EntryKind.Directory;
        return new ManifestEntry
        {
            Path = path,
            Kind = kind,
            Size = kind == EntryKind.File ? stat.Size : 0,
            Metadata = new EntryMetadata
            {
                Mode = stat.Mode & 0xFFF,
                UserId = stat.UserId,
                GroupId = stat.GroupId,
                Modified = stat.Modified,
                Changed = stat.Changed,
                Created = stat.Created,
                FileId = stat.Inode,
                DeviceId = !isDirectory && stat.LinkCount > 1 ? stat.Device : 0,
                LinkCount = isDirectory ? 1 : stat.LinkCount,
                DeviceNumber = kind is EntryKind.CharacterDevice or EntryKind.BlockDevice ? stat.DeviceNumber : 0,
            },
        };
    }
}
