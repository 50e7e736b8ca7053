using System.Text;
using MSOnlineBackup.Platform.Unix;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Mounts.Fuse;

/// <summary>The folder that something is mounted on.</summary>
public static class MountFolder
{
    /// <summary>What the kernel calls our file systems.</summary>
    private const string Kind = "fuse.msonlinebackup";

    /// <summary>Whether a view is mounted on a folder, whoever serves it, and whether anybody does.</summary>
    public static bool IsMounted(string folder) => Find(Path.GetFullPath(folder)).Any(IsOurs);

    /// <summary>Takes a view off a folder that nobody serves any more; nothing where none is there. Nothing else is ever taken off.</summary>
    public static void Clean(string folder)
    {
        string full = Path.GetFullPath(folder);
        while (OperatingSystem.IsLinux() && IsMounted(full) && FuseDevice.Unmount(full, lazily: true) >= 0)
        {
            // Whatever else is mounted there comes to light.
        }
    }

    /// <summary>The full path of a folder, without symbolic links where it can be looked at: so it is mounted on, and so a mount's record has it.</summary>
    public static string Resolve(string folder)
    {
        string full = Path.GetFullPath(folder);
        return OperatingSystem.IsLinux() && UnixSystem.RealPath(Encoding.UTF8.GetBytes(full)) is { } real ? Encoding.UTF8.GetString(real) : full;
    }

    /// <summary>Makes the folder where there is none, and refuses one that does not serve.</summary>
    /// <returns>Its full path, without symbolic links.</returns>
    /// <exception cref="BackupException">MountFolderInvalid.</exception>
    internal static string Check(string folder)
    {
        string full = Path.GetFullPath(folder);
        try
        {
            Directory.CreateDirectory(full);
            full = Resolve(full);
            return Find(full).Any() ? throw MountErrors.Folder(full, "something is mounted there already")
                : Directory.EnumerateFileSystemEntries(full).Any() ? throw MountErrors.Folder(full, "it is not empty")
                : full;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw MountErrors.Folder(full, e.Message.TrimEnd('.'), e);
        }
    }

    private static bool IsOurs(MountedVolume volume) => volume.FileSystem == Kind || (volume.FileSystem == "overlay" && volume.Device == FuseOptions.Device);

    private static IEnumerable<MountedVolume> Find(string full)
    {
        byte[] path = Encoding.UTF8.GetBytes(full);
        return MountTable.Read().Where(volume => volume.Point.AsSpan().SequenceEqual(path));
    }
}
