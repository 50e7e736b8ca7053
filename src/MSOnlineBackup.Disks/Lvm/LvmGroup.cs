using MSOnlineBackup.Disks.Reading;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Disks.Lvm;

/// <summary>A volume group, as the newest text on its physical volumes has it.</summary>
internal sealed class LvmGroup
{
    private const int SectorSize = 512;
    private const long LargestExtent = 1L << 40;

    private readonly LvmSection _group;
    private readonly IReadOnlyList<LvmPhysicalVolume> _atHand;
    private readonly long _extentSize;
    private readonly HashSet<string> _snapshots;

    private LvmGroup(LvmSection group, IReadOnlyList<LvmPhysicalVolume> atHand)
    {
        _group = group;
        _atHand = atHand;
        long sectors = group.Number("extent_size");
        _extentSize = sectors is > 0 and <= LargestExtent / SectorSize ? sectors * SectorSize : throw LvmFault.Corrupt($"its extents have {sectors} sectors");

        // The name of a snapshot is that of the volume that has its changes.
        _snapshots = [.. Volumes.SelectMany(volume => volume.Sections).SelectMany(segment => segment.List("cow_store"))];
    }

    private IReadOnlyList<LvmSection> Volumes => _group.Find("logical_volumes")?.Sections ?? [];

    /// <summary>How often a group had been changed when a text of it was written.</summary>
    public static long SequenceOf(LvmSection text) => GroupIn(text).Number("seqno");

    /// <summary>The logical volumes of all groups of which something is at hand, but those that are parts of others.</summary>
    /// <param name="atHand">The physical volumes.</param>
    /// <param name="onDamage">Is told of a group whose text contradicts itself.</param>
    public static List<LogicalVolume> Assemble(IReadOnlyList<LvmPhysicalVolume> atHand, Action<BackupException> onDamage)
    {
        var found = new List<LogicalVolume>();
        IEnumerable<LvmSection> newest = atHand.Where(volume => volume.Text is not null).Select(volume => volume.Text!)
            .GroupBy(text => GroupIn(text).Text("id")).Select(texts => texts.MaxBy(SequenceOf)!);
        foreach (LvmSection text in newest)
        {
            try
            {
                var group = new LvmGroup(GroupIn(text), atHand);
                found.AddRange(group.Volumes.Where(volume => volume.List("status").Contains("VISIBLE")).Select(group.Open));
            }
            catch (BackupException e) when (e.Id == BackupErrorId.VolumeCorrupt)
            {
                onDamage(e);
            }
        }

        return found;
    }

    /// <summary>Looks whether a text has what must be there to tell it from others.</summary>
    /// <exception cref="BackupException">VolumeCorrupt.</exception>
    public static LvmSection Checked(LvmSection text)
    {
        SequenceOf(text);
        GroupIn(text).Text("id");
        return text;
    }

    private static LvmSection GroupIn(LvmSection text) => text.Sections is [LvmSection group, ..] ? group : throw LvmFault.Corrupt("its text has no volume group");

    private LogicalVolume Open(LvmSection volume)
    {
        string name = $"{_group.Name}/{volume.Name}";
        try
        {
            return new LogicalVolume(_group.Name, volume.Name, _snapshots.Contains(volume.Name) ? throw LvmFault.Unsupported(name, "it is a snapshot") : Join(volume, name), null);
        }
        catch (BackupException e) when (e.Id is BackupErrorId.VolumeCorrupt or BackupErrorId.VolumeUnsupported)
        {
            return new LogicalVolume(_group.Name, volume.Name, null, e);
        }
    }

    private JoinedContent Join(LvmSection volume, string name)
    {
        var pieces = new List<IDiskContent>();
        long next = 0;
        long segments = volume.Number("segment_count");
        for (int i = 1; i <= segments; i++)
        {
            LvmSection segment = volume.Find($"segment{i}") ?? throw LvmFault.Corrupt(name, $"segment {i} is missing");
            string type = segment.Text("type");
            if (type is not ("striped" or "linear") || segment.List("stripes").Count != 2)
            {
                throw LvmFault.Unsupported(name, $"it is of the kind '{type}'{(type == "striped" ? $" over {segment.List("stripes").Count / 2} physical volumes" : "")}");
            }

            long count = segment.Number("extent_count");
            if (segment.Number("start_extent") != next || count < 1 || count > (long.MaxValue / _extentSize) - next)
            {
                throw LvmFault.Corrupt(name, "its segments do not follow each other");
            }

            pieces.Add(Piece(segment, count, name));
            next += count;
        }

        return pieces.Count > 0 ? new JoinedContent(pieces) : throw LvmFault.Corrupt(name, "it has no segments");
    }

    private DiskPart Piece(LvmSection segment, long count, string name)
    {
        string key = segment.List("stripes")[0];
        LvmSection described = _group.Find("physical_volumes")?.Find(key) ?? throw LvmFault.Corrupt(name, $"there is no physical volume '{key}'");
        string id = described.Text("id").Replace("-", "", StringComparison.Ordinal);
        IDiskContent content = _atHand.Where(volume => volume.Id == id).ToList() switch
        {
            [LvmPhysicalVolume one] => one.Content,
            [] => throw LvmFault.Unsupported(name, $"the physical volume '{key}' ({described.Text("id")}) is on a disk that is not at hand"),
            _ => throw LvmFault.Unsupported(name, $"the physical volume '{key}' ({described.Text("id")}) is there twice: one is a copy of the other"),
        };
        long first = long.TryParse(segment.List("stripes")[1], out long extent) && extent >= 0 ? extent : throw LvmFault.Corrupt(name, "a segment has no place");
        long start = described.Number("pe_start");
        long most = content.Length / _extentSize;
        return start <= content.Length / SectorSize && first <= most && count <= most - first && (start * SectorSize) + ((first + count) * _extentSize) <= content.Length
            ? new DiskPart(content, (start * SectorSize) + (first * _extentSize), count * _extentSize)
            : throw LvmFault.Corrupt(name, $"it lies beyond the end of the physical volume '{key}'");
    }
}
