using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Engine.Sources.Unix;
using MSOnlineBackup.Platform.Unix;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Snapshots;

/// <summary>Finds the volumes that sources lie on, on Linux: mounts, and subvolumes of Btrfs.</summary>
/// <param name="mounts">What is mounted.</param>
internal sealed class LinuxVolumes(IReadOnlyList<MountedVolume> mounts)
{
    private readonly UnixSystem _system = UnixSystem.Current;

    /// <summary>The volumes of a source; null where nothing is at its path: the backup itself says so.</summary>
    public SourceVolumes? Find(string path, SourceSelection selection)
    {
        byte[] given = UnixPath.Resolve(path);
        if (UnixSystem.RealPath(given) is not { } real)
        {
            return null;
        }

        int folder = _system.OpenDirectory(-1, real, followLink: true);
        bool isFolder = folder >= 0;
        if (!isFolder)
        {
            int slash = Array.LastIndexOf(real, (byte)'/');
            folder = _system.OpenDirectory(-1, slash == 0 ? "/"u8 : real.AsSpan(0, slash), followLink: true);
        }

        if (folder < 0)
        {
            return null;
        }

        try
        {
            var root = new VolumePart(EntryPath.Root, VolumeAt(folder, isFolder ? real : FolderOf(real), out string? obstacle), obstacle);
            Search? search = null;
            if (isFolder && !selection.NonRecursive)
            {
                ExclusionRules rules = ExclusionRules.Compile(selection.Exclude, given, filePatterns: selection.ExcludeFiles);
                search = new Search(real, path => rules.LeavesOut(path), selection);
                AddSubvolumes(root.Volume, search);
                AddMounts(search);
            }

            return new SourceVolumes(real, root, search?.Below ?? []);
        }
        finally
        {
            UnixSystem.Close(folder);
        }
    }

    // What lies at a folder that is open, and seen at a path without links.
    private SnapshotVolume? VolumeAt(int folder, byte[] path, out string? obstacle)
    {
        obstacle = null;
        if (_system.Stat(folder, out UnixStat stat) < 0 || stat.MountId == 0 || mounts.FirstOrDefault(mount => mount.Id == stat.MountId) is not { } mount)
        {
            obstacle = "The kernel does not tell what it lies on.";
            return null;
        }

        var volume = new SnapshotVolume
        {
            Path = mount.Point,
            FileSystem = mount.FileSystem,
            Device = mount.Device,
            DeviceNumber = mount.DeviceNumber,
            Root = mount.Root,
            Identity = $"{mount.Device} {mount.DeviceNumber}",
            IsReadOnly = mount.IsReadOnly,
        };
        return mount.FileSystem == BtrfsSubvolumes.FileSystem ? SubvolumeAt(volume, path, stat.MountId, out obstacle) : volume;
    }

    private SnapshotVolume? SubvolumeAt(SnapshotVolume mount, byte[] path, ulong mountId, out string? obstacle)
    {
        obstacle = null;
        while (true)
        {
            int folder = _system.OpenDirectory(-1, path);
            try
            {
                if (folder < 0 || _system.Stat(folder, out UnixStat stat) < 0 || stat.MountId != mountId)
                {
                    obstacle = "Only a part of its subvolume is mounted here, and a snapshot needs its top.";
                    return null;
                }

                if (BtrfsSubvolumes.IsTop(stat))
                {
                    int result = BtrfsSubvolumes.Read(folder, out Subvolume subvolume);
                    obstacle = result < 0 ? $"Its subvolume cannot be read: {UnixSystem.Describe(-result)}." : null;
                    return result < 0 ? null : mount with
                    {
                        Path = path,
                        Root = "/"u8.ToArray(),
                        Identity = $"{subvolume.FileSystem}:{subvolume.Id}",
                        IsReadOnly = mount.IsReadOnly || subvolume.IsReadOnly,
                    };
                }
            }
            finally
            {
                if (folder >= 0)
                {
                    UnixSystem.Close(folder);
                }
            }

            if (path.Length == 1)
            {
                obstacle = "Only a part of its subvolume is mounted here, and a snapshot needs its top.";
                return null;
            }

            path = FolderOf(path);
        }
    }

    // Subvolumes below one, and below those: in a snapshot each would be an empty folder.
    private void AddSubvolumes(SnapshotVolume? volume, Search search)
    {
        if (volume is null || volume.FileSystem != BtrfsSubvolumes.FileSystem)
        {
            return;
        }

        int top = _system.OpenDirectory(-1, volume.Path);
        if (top < 0)
        {
            return;
        }

        var children = new List<byte[]>();
        _system.Stat(top, out UnixStat stat);
        BtrfsSubvolumes.ListChildren(top, children);
        UnixSystem.Close(top);
        foreach (byte[] child in children)
        {
            byte[] path = Join(volume.Path, child);
            if (!search.TryBegin(path, out EntryPath entry) || OwnFolders.IsNameOfSnapshot(entry.Name))
            {
                continue;
            }

            int folder = _system.OpenDirectory(-1, path);
            if (folder < 0)
            {
                continue;
            }

            // One that lies beneath a mount is not seen.
            SnapshotVolume? found = null;
            string? obstacle = null;
            bool isSeen = _system.Stat(folder, out UnixStat seen) >= 0 && seen.MountId == stat.MountId && BtrfsSubvolumes.IsTop(seen);
            if (isSeen)
            {
                found = VolumeAt(folder, path, out obstacle);
            }

            UnixSystem.Close(folder);
            if (isSeen)
            {
                search.Add(new VolumePart(entry, found, obstacle));
                AddSubvolumes(found, search);
            }
        }
    }

    private void AddMounts(Search search)
    {
        foreach (byte[] point in mounts.Select(mount => mount.Point).DistinctBy(Convert.ToHexString))
        {
            if (!search.TryBegin(point, out EntryPath entry))
            {
                continue;
            }

            int folder = _system.OpenBase(-1, point);
            if (folder < 0)
            {
                // The mount of a program that is gone, or no folder.
                continue;
            }

            bool isSeen = _system.Stat(folder, out UnixStat stat) >= 0
                && mounts.FirstOrDefault(mount => mount.Id == stat.MountId) is { } mounted
                && mounted.Point.AsSpan().SequenceEqual(point);
            string? fileSystem = isSeen ? mounts.First(mount => mount.Id == stat.MountId).FileSystem : null;
            bool isTaken = search.Enters(fileSystem) && !_system.IsPseudoFileSystem(fileSystem);
            string? obstacle = null;
            SnapshotVolume? volume = isSeen && isTaken ? VolumeAt(folder, point, out obstacle) : null;
            UnixSystem.Close(folder);
            if (isSeen)
            {
                search.Add(new VolumePart(entry, volume, obstacle) { IsMountPoint = true, IsTaken = isTaken });
                AddSubvolumes(volume, search);
            }
        }
    }

    private static byte[] FolderOf(byte[] path)
    {
        int slash = Array.LastIndexOf(path, (byte)'/');
        return slash <= 0 ? "/"u8.ToArray() : path[..slash];
    }

    private static byte[] Join(byte[] folder, byte[] path) => folder.Length == 1 ? [.. folder, .. path] : [.. folder, (byte)'/', .. path];

    private delegate bool PathTest(ReadOnlySpan<byte> path);

    // What lies below the root of a source, and is not left out of it.
    private sealed class Search(byte[] root, PathTest isLeftOut, SourceSelection selection)
    {
        private readonly HashSet<EntryPath> _found = [];

        public List<VolumePart> Below { get; } = [];

        public bool Enters(string? fileSystem) => selection.CrossMountPoints && selection.Rules.WhyNotEntered(fileSystem) is null;

        // Each path once.
        public bool TryBegin(byte[] path, out EntryPath entry)
        {
            ReadOnlySpan<byte> above = root.AsSpan().TrimEnd((byte)'/');
            bool isBelow = path.Length > above.Length + 1 && path.AsSpan().StartsWith(above) && path[above.Length] == (byte)'/' && !isLeftOut(path.AsSpan(above.Length + 1));
            entry = isBelow ? new EntryPath(path[(above.Length + 1)..]) : EntryPath.Root;
            return isBelow && !_found.Contains(entry);
        }

        public void Add(VolumePart part)
        {
            _found.Add(part.Path);
            Below.Add(part);
        }
    }
}
