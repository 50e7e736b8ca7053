using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Engine.Sources.Windows;
using MSOnlineBackup.Platform.Volumes;
using MSOnlineBackup.Platform.Windows;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Snapshots;

/// <summary>Finds the volumes that sources lie on, on Windows: drives, and volumes that are mounted in folders.</summary>
/// <param name="volumes">What Windows tells of them.</param>
internal sealed class WindowsDrives(IWindowsVolumes volumes)
{
    private const uint ReadOnlyFlag = 0x0008_0000;

    /// <summary>The volumes of a source; null where nothing is at its path: the backup itself says so.</summary>
    public SourceVolumes? Find(string path, SourceSelection selection)
    {
        WindowsPrivileges.Enable();
        return FindAt(WindowsPath.Normalize(path), selection);
    }

    /// <summary>As <see cref="Find"/>, for a path in its one spelling.</summary>
    internal SourceVolumes? FindAt(string full, SourceSelection selection)
    {
        if (WindowsPath.IsDevice(full))
        {
            return null;
        }

        // A shadow copy that somebody has made has no path but the one it is named by.
        string? real = volumes.RealPathOf(full) is { } told ? WindowsPath.Shorten(told) : full.StartsWith(@"\\?\", StringComparison.Ordinal) ? full : null;
        if (real is null)
        {
            return null;
        }

        SnapshotVolume? volume = VolumeAt(real, out string? obstacle);
        var root = new VolumePart(EntryPath.Root, volume, obstacle);
        VolumePart[] below = selection is { CrossMountPoints: true, NonRecursive: false } ? [.. FindBelow(full, real, selection)] : [];
        return new SourceVolumes(WtfName.ToBytes(real), root, below);
    }

    private SnapshotVolume? VolumeAt(string path, out string? obstacle)
    {
        obstacle = null;
        if (IsShare(path))
        {
            obstacle = "It is on a network share, and only the machine that shares it can take snapshots of it.";
            return null;
        }

        if (volumes.RootOf(path) is not { } root)
        {
            obstacle = "Windows does not tell what it lies on.";
            return null;
        }

        if (volumes.KindOf(root) == DriveType.Network)
        {
            obstacle = "It is on a network drive, and only the machine that shares it can take snapshots of it.";
            return null;
        }

        if (volumes.NameOf(root) is not { } name)
        {
            obstacle = $"'{root}' is no volume that Windows has a name for, and of others there are no shadow copies.";
            return null;
        }

        WindowsVolume found = volumes.Query(root);
        if (found.Error == WindowsVolumeReader.LockedVolume)
        {
            obstacle = "BitLocker keeps the volume locked.";
            return null;
        }

        if (found.Error != 0)
        {
            obstacle = $"The volume '{root}' does not tell what it is (error {found.Error}).";
            return null;
        }

        return new SnapshotVolume
        {
            Path = WtfName.ToBytes(root),
            FileSystem = found.FileSystem ?? "",
            Device = root,
            Identity = name,
            IsReadOnly = (found.Flags & ReadOnlyFlag) != 0,
        };
    }

    private IEnumerable<VolumePart> FindBelow(string full, string real, SourceSelection selection)
    {
        ExclusionRules rules = ExclusionRules.Compile(selection.Exclude, WtfName.ToBytes(full.Replace('\\', '/')), windows: true, selection.ExcludeFiles);
        string above = real.TrimEnd('\\') + '\\';
        foreach (string folder in volumes.MountFolders().Order(StringComparer.OrdinalIgnoreCase))
        {
            string trimmed = WindowsPath.Shorten(folder);
            if (trimmed.Length > above.Length && trimmed.StartsWith(above, StringComparison.OrdinalIgnoreCase))
            {
                byte[] path = WtfName.ToBytes(trimmed[above.Length..].Replace('\\', '/'));
                if (!rules.LeavesOutFolder(path))
                {
                    // As the source's own path has it: what is read there begins with it.
                    SnapshotVolume? volume = VolumeAt(folder, out string? obstacle);
                    string seen = above + trimmed[above.Length..] + '\\';
                    yield return new VolumePart(new EntryPath(path), volume is null ? null : volume with { Path = WtfName.ToBytes(seen) }, obstacle) { IsMountPoint = true };
                }
            }
        }
    }

    private static bool IsShare(string path) =>
        path.StartsWith(@"\\", StringComparison.Ordinal) && !path.StartsWith(@"\\?\", StringComparison.Ordinal) && !path.StartsWith(@"\\.\", StringComparison.Ordinal);
}
