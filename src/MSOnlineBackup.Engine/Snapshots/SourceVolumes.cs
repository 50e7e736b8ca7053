using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Snapshots;

/// <summary>The volumes that a source lies on.</summary>
/// <param name="RealPath">The absolute path of its root without links, raw (on Windows as WTF-8).</param>
/// <param name="Root">What the root lies on.</param>
/// <param name="Below">Other volumes that are seen below the root.</param>
internal sealed record SourceVolumes(byte[] RealPath, VolumePart Root, IReadOnlyList<VolumePart> Below)
{
    /// <summary>All parts that are read.</summary>
    public IEnumerable<VolumePart> Taken => Below.Where(part => part.IsTaken).Prepend(Root);

    /// <summary>The absolute path of a part where nobody looks at snapshots, raw.</summary>
    public byte[] LivePathOf(VolumePart part)
    {
        if (part.Path.IsRoot)
        {
            return RealPath;
        }

        // An absolute path of Unix begins with its separator; one of Windows never does.
        byte separator = RealPath[0] == (byte)'/' ? (byte)'/' : (byte)'\\';
        byte[] below = part.Path.Bytes.ToArray();
        below.AsSpan().Replace((byte)'/', separator);
        return [.. RealPath.AsSpan().TrimEnd(separator), separator, .. below];
    }
}

/// <summary>A part of a source that lies on one volume.</summary>
/// <param name="Path">Where it begins below the source's root.</param>
/// <param name="Volume">The volume; null where nothing can keep it.</param>
/// <param name="Obstacle">Why nothing can, in a sentence; null where something may.</param>
internal sealed record VolumePart(EntryPath Path, SnapshotVolume? Volume, string? Obstacle)
{
    /// <summary>Whether another file system is mounted there.</summary>
    public bool IsMountPoint { get; init; }

    /// <summary>Whether it belongs to what is backed up. What does not is no more than a name in the folder that holds it.</summary>
    public bool IsTaken { get; init; } = true;
}
