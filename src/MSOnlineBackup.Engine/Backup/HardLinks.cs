using MSOnlineBackup.Engine.RecoveryPoints;

namespace MSOnlineBackup.Engine.Backup;

/// <summary>Files with several names that were met once: their content is read once. A file is forgotten when all its names were met.</summary>
internal sealed class HardLinks
{
    private readonly Dictionary<(ulong Device, ulong File), Met> _met = [];

    /// <summary>The content of the file under the name it was first met, if it was.</summary>
    public Task<EntryContent>? Find(ManifestEntry entry)
    {
        (ulong DeviceId, ulong FileId) key = (entry.Metadata.DeviceId, entry.Metadata.FileId);
        if (entry.Metadata.LinkCount < 2 || !_met.TryGetValue(key, out Met? met) || !met.Entry.SameStateAs(entry))
        {
            return null;
        }

        if (--met.Left <= 0)
        {
            _met.Remove(key);
        }

        return met.Content;
    }

    public void Add(ManifestEntry entry, Task<EntryContent> content)
    {
        if (entry.Metadata.LinkCount > 1)
        {
            _met[(entry.Metadata.DeviceId, entry.Metadata.FileId)] = new Met(entry, content) { Left = entry.Metadata.LinkCount - 1 };
        }
    }

    private sealed record Met(ManifestEntry Entry, Task<EntryContent> Content)
    {
        public uint Left { get; set; }
    }
}
