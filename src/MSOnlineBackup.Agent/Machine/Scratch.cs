using System.Globalization;
using System.Text;
using MSOnlineBackup.Platform.Unix;
using MSOnlineBackup.Platform.Volumes;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Machine;

/// <summary>The scratch folder: where the key file lies. It must be a plain folder on a local, fixed disk.</summary>
internal static class Scratch
{
    private const uint CompressedFlag = 0x4;
    private const uint EncryptedFlag = 0x800;

    // By the beginning of the file system's name: nfs4, cifs, smb3, fuse.sshfs, fuseblk, 9p, …
    private static readonly string[] _remote = ["nfs", "cifs", "smb", "fuse", "9p", "ceph", "afs", "coda", "ncp", "glusterfs", "lustre"];

    /// <summary>Bytes that are free on the folder's volume for this account.</summary>
    public static long FreeBytes(string folder) => new DriveInfo(folder).AvailableFreeSpace;

    /// <summary>Refuses a folder that may not be the scratch folder.</summary>
    /// <exception cref="BackupException">ScratchInvalid, naming why.</exception>
    public static void Check(string folder)
    {
        if (Fault(folder) is { } fault)
        {
            throw new BackupException(
                BackupErrorId.ScratchInvalid,
                $"'{folder}' cannot be the scratch folder: {fault}.",
                "Choose a plain folder on a local disk that is always attached. It must not be compressed, encrypted or a link.",
                folder);
        }
    }

    /// <summary>Whether a device, or a disk that it lies on, can be taken out.</summary>
    /// <param name="root">Where /sys is found.</param>
    /// <param name="device">Major number in the upper, minor in the lower half.</param>
    internal static bool IsRemovable(string root, ulong device) => new BlockDevices(root)
        .FindByNumber(string.Create(CultureInfo.InvariantCulture, $"{device >> 32}:{device & 0xFFFF_FFFF}")) is { IsRemovable: true };

    /// <summary>Whether a file system is on another machine, or made by a program.</summary>
    internal static bool IsRemote(string fileSystem) => _remote.Any(name => fileSystem.StartsWith(name, StringComparison.OrdinalIgnoreCase));

    private static string? Fault(string folder)
    {
        if (!Path.IsPathFullyQualified(folder))
        {
            return "it is not an absolute path";
        }

        var info = new DirectoryInfo(folder);
        if (!info.Exists)
        {
            return "there is no such folder";
        }

        if ((info.Attributes & FileAttributes.ReparsePoint) != 0)
        {
            return "it is a link or a mount point (reparse point)";
        }

        if ((info.Attributes & (FileAttributes.Compressed | FileAttributes.Encrypted)) != 0)
        {
            return "it is compressed or encrypted";
        }

        return OperatingSystem.IsLinux() ? LinuxFault(folder) : DriveFault(folder);
    }

    private static string? DriveFault(string folder) => new DriveInfo(folder).DriveType switch
    {
        DriveType.Network => "it is on a network share",
        DriveType.Removable or DriveType.CDRom => "it is on removable media",
        _ => null,
    };

    private static string? LinuxFault(string folder)
    {
        const int CurrentFolder = -100;
        int handle = UnixSystem.Current.OpenDirectory(CurrentFolder, Encoding.UTF8.GetBytes(folder));
        if (handle < 0)
        {
            return $"it cannot be opened ({UnixSystem.Describe(-handle)})";
        }

        try
        {
            if (UnixSystem.Current.Stat(handle, out UnixStat stat) is < 0 and int error)
            {
                return $"it cannot be read ({UnixSystem.Describe(-error)})";
            }

            if (UnixSystem.Current.FileSystemOf(handle, stat) is { } name && IsRemote(name))
            {
                return $"it is on a network share or a file system provided by a program ({name})";
            }

            if (IsRemovable("/", stat.Device))
            {
                return "it is on removable media";
            }

            // File systems without flags refuse the question: nothing is compressed there by the folder.
            if (UnixSystem.Current.GetAllFlags(handle, out uint flags) < 0)
            {
                return null;
            }

            return (flags & CompressedFlag) != 0 ? "it is compressed" : (flags & EncryptedFlag) != 0 ? "it is encrypted" : null;
        }
        finally
        {
            UnixSystem.Close(handle);
        }
    }
}
