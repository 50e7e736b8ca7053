using System.Text;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Engine.Sources.Unix;
using MSOnlineBackup.Platform.Unix;
using MSOnlineBackup.Platform.Volumes;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Snapshots;

/// <summary>Finds the volumes that sources lie on, on macOS.</summary>
/// <param name="readMounts">What is mounted now, in the order in which it was.</param>
/// <param name="realPath">The path of an item without links, and the one without firm links as well: the one on the volume that it lies on. Null where nothing is there.</param>
internal sealed class MacDisks(Func<IReadOnlyList<VolumeDescription>> readMounts, Func<byte[], (byte[] Seen, byte[] Own)?> realPath)
{
    private const string WovenRoot = "macOS weaves folders of other volumes into its own, which is read in place. Name such folders as sources, as /Users, and they are kept by snapshots.";

    /// <summary>Those of this machine.</summary>
    public MacDisks(MacSystem system)
        : this(() => [.. system.ReadFileSystems().Select(status => MacVolumeReader.Parse(status))], path => ReadRealPath(system, path))
    {
    }

    /// <summary>What is mounted now.</summary>
    public IReadOnlyList<VolumeDescription> Mounts() => readMounts();

    /// <summary>The volumes of a source; null where nothing is at its path: the backup itself says so.</summary>
    public SourceVolumes? Find(string path, SourceSelection selection)
    {
        byte[] given = UnixPath.Resolve(path);
        if (realPath(given) is not { } real)
        {
            return null;
        }

        IReadOnlyList<VolumeDescription> mounts = readMounts();
        string own = Encoding.UTF8.GetString(real.Own);
        VolumeDescription? mount = mounts.Where(each => IsAtOrBelow(own, each.Place)).Reverse().MaxBy(each => each.Place.Length);
        SnapshotVolume? volume = VolumeOf(mount, mount?.Place, out string? obstacle);
        var root = new VolumePart(EntryPath.Root, volume, obstacle);
        return new SourceVolumes(real.Own, root, selection.NonRecursive ? [] : [.. FindBelow(mounts, given, real, selection)]);
    }

    private static SnapshotVolume? VolumeOf(VolumeDescription? mount, string? place, out string? obstacle)
    {
        obstacle = mount is null ? "macOS does not tell what it lies on."
            : mount is { Place: "/", FileSystem: ApfsSnapshots.FileSystem } ? WovenRoot
            : null;
        return obstacle is not null ? null : new SnapshotVolume
        {
            Path = Encoding.UTF8.GetBytes(place!),
            FileSystem = mount!.FileSystem ?? "",
            Device = mount.Device ?? "",
            Identity = mount.Device ?? "",
            IsReadOnly = mount.IsReadOnly,
        };
    }

    // A volume is mounted at the path by which somebody has reached that folder, and that may be one with firm links in it.
    private static IEnumerable<VolumePart> FindBelow(
        IReadOnlyList<VolumeDescription> mounts, byte[] given, (byte[] Seen, byte[] Own) real, SourceSelection selection)
    {
        ExclusionRules rules = ExclusionRules.Compile(selection.Exclude, given, filePatterns: selection.ExcludeFiles);
        string own = Encoding.UTF8.GetString(real.Own);
        string seen = Encoding.UTF8.GetString(real.Seen);
        var found = new HashSet<string>(StringComparer.Ordinal);
        foreach (VolumeDescription mount in mounts.Reverse())
        {
            string? below = Below(mount.Place, own) ?? Below(mount.Place, seen);
            if (below is null || !found.Add(below) || rules.LeavesOutFolder(Encoding.UTF8.GetBytes(below)))
            {
                continue;
            }

            bool isTaken = selection.CrossMountPoints
                && selection.Rules.WhyNotEntered(mount.FileSystem) is null
                && mount.FileSystem is not ("devfs" or "autofs" or "fdesc");
            string? obstacle = null;
            SnapshotVolume? volume = isTaken ? VolumeOf(mount, $"{own.TrimEnd('/')}/{below}", out obstacle) : null;
            yield return new VolumePart(new EntryPath(Encoding.UTF8.GetBytes(below)), volume, obstacle) { IsMountPoint = true, IsTaken = isTaken };
        }
    }

    private static string? Below(string place, string folder)
    {
        string above = folder.TrimEnd('/') + '/';
        return place.Length > above.Length && place.StartsWith(above, StringComparison.Ordinal) ? place[above.Length..] : null;
    }

    private static bool IsAtOrBelow(string path, string place) => path == place || place == "/" || Below(path, place) is not null;

    private static (byte[] Seen, byte[] Own)? ReadRealPath(MacSystem system, byte[] path)
    {
        if (UnixSystem.RealPath(path) is not { } seen)
        {
            return null;
        }

        // Of a file that lies there, by its folder: a file need not be readable to be found.
        int slash = Array.LastIndexOf(seen, (byte)'/');
        byte[] name = [];
        int handle = system.OpenDirectory(-1, seen, followLink: true);
        if (handle < 0)
        {
            name = seen[(slash + 1)..];
            handle = system.OpenDirectory(-1, slash <= 0 ? "/"u8 : seen.AsSpan(0, slash), followLink: true);
        }

        if (handle < 0)
        {
            return null;
        }

        byte[] own = system.RealPathOf(handle) ?? (name.Length == 0 ? seen : slash <= 0 ? "/"u8.ToArray() : seen[..slash]);
        UnixSystem.Close(handle);
        return (seen, name.Length == 0 ? own : [.. own.AsSpan().TrimEnd((byte)'/'), (byte)'/', .. name]);
    }
}
