using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace MSOnlineBackup.Platform.Volumes;

/// <summary>What Windows tells of its volumes.</summary>
internal interface IWindowsVolumes
{
    /// <summary>The root of the volume that a path lies on, with a backslash at its end; null where there is none.</summary>
    string? RootOf(string path);

    /// <summary>What kind of drive a root is.</summary>
    DriveType KindOf(string root);

    /// <summary>What is told of the volume at a root.</summary>
    WindowsVolume Query(string root);

    /// <summary>Whether there is a file of that path.</summary>
    bool HasFile(string path);

    /// <summary>The name of the volume at a root, as <c>\\?\Volume{…}\</c>; null where Windows knows none, as of shares and of drives that a program makes up.</summary>
    string? NameOf(string root);

    /// <summary>The path of what is at a path, as the file system writes it, without links, junctions and made-up drives; null where that is not told.</summary>
    /// <param name="path">A full path.</param>
    string? RealPathOf(string path);

    /// <summary>The folders at which volumes are mounted, each a full path with a backslash at its end.</summary>
    IReadOnlyList<string> MountFolders();
}

/// <summary>A volume of Windows.</summary>
/// <param name="Error">0, or why nothing is told: a Win32 error.</param>
/// <param name="FileSystem">The name of its file system.</param>
/// <param name="Label">Its label.</param>
/// <param name="Flags">FILE_READ_ONLY_VOLUME and the like.</param>
internal readonly record struct WindowsVolume(int Error, string? FileSystem = null, string? Label = null, uint Flags = 0);

/// <summary>The real ones.</summary>
internal sealed unsafe partial class WindowsVolumes : IWindowsVolumes
{
    private const int Room = 1024;
    private const int PathRoom = 33 << 10;

    /// <inheritdoc/>
    public string? RootOf(string path)
    {
        char* root = stackalloc char[Room];
        return VolumePathName(path, root, Room) ? new string(root) : null;
    }

    /// <inheritdoc/>
    public DriveType KindOf(string root) => (DriveType)DriveTypeOf(root);

    /// <inheritdoc/>
    public WindowsVolume Query(string root)
    {
        char* label = stackalloc char[Room];
        char* fileSystem = stackalloc char[Room];
        uint flags;
        return VolumeInformation(root, label, Room, null, null, &flags, fileSystem, Room)
            ? new WindowsVolume(0, new string(fileSystem), new string(label), flags)
            : new WindowsVolume(Marshal.GetLastPInvokeError());
    }

    /// <inheritdoc/>
    public bool HasFile(string path) => File.Exists(path);

    /// <inheritdoc/>
    public string? NameOf(string root)
    {
        char* name = stackalloc char[Room];
        return VolumeName(root, name, Room) ? new string(name) : null;
    }

    /// <inheritdoc/>
    public string? RealPathOf(string path)
    {
        const uint ReadAttributes = 0x80;
        const uint ShareAll = 0x7;
        const uint OpenExisting = 3;
        const uint BackupSemantics = 0x200_0000;
        string extended = path.StartsWith(@"\\", StringComparison.Ordinal) ? path : @"\\?\" + path;
        using SafeFileHandle handle = OpenFile(extended, ReadAttributes, ShareAll, 0, OpenExisting, BackupSemantics, 0);
        if (handle.IsInvalid)
        {
            return null;
        }

        char[] real = new char[PathRoom];
        fixed (char* text = real)
        {
            uint length = FinalPath(handle, text, PathRoom, 0);
            return length is 0 or >= PathRoom ? null : new string(text, 0, (int)length);
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> MountFolders()
    {
        var folders = new List<string>();
        char* volume = stackalloc char[Room];
        nint search = FirstVolume(volume, Room);
        if (search == -1)
        {
            return folders;
        }

        do
        {
            AddPaths(new string(volume), folders);
        }
        while (NextVolume(search, volume, Room));
        CloseVolumes(search);
        return folders;
    }

    // What is mounted as a drive alone has but one path, of three characters.
    private static void AddPaths(string volume, List<string> folders)
    {
        char[] paths = new char[PathRoom];
        fixed (char* text = paths)
        {
            if (VolumePaths(volume, text, PathRoom, out uint length))
            {
                folders.AddRange(new string(text, 0, (int)length).Split('\0', StringSplitOptions.RemoveEmptyEntries).Where(path => path.Length > @"C:\".Length));
            }
        }
    }

    [LibraryImport("kernel32", EntryPoint = "GetVolumePathNameW", SetLastError = true, StringMarshalling = StringMarshalling.Utf16)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool VolumePathName(string path, char* root, uint room);

    [LibraryImport("kernel32", EntryPoint = "GetVolumeNameForVolumeMountPointW", StringMarshalling = StringMarshalling.Utf16)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool VolumeName(string root, char* name, uint room);

    [LibraryImport("kernel32", EntryPoint = "CreateFileW", StringMarshalling = StringMarshalling.Utf16)]
    private static partial SafeFileHandle OpenFile(string path, uint access, uint share, nint security, uint disposition, uint flags, nint template);

    [LibraryImport("kernel32", EntryPoint = "GetFinalPathNameByHandleW")]
    private static partial uint FinalPath(SafeFileHandle handle, char* path, uint room, uint kind);

    [LibraryImport("kernel32", EntryPoint = "FindFirstVolumeW")]
    private static partial nint FirstVolume(char* volume, uint room);

    [LibraryImport("kernel32", EntryPoint = "FindNextVolumeW")]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool NextVolume(nint search, char* volume, uint room);

    [LibraryImport("kernel32", EntryPoint = "FindVolumeClose")]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool CloseVolumes(nint search);

    [LibraryImport("kernel32", EntryPoint = "GetVolumePathNamesForVolumeNameW", StringMarshalling = StringMarshalling.Utf16)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool VolumePaths(string volume, char* paths, uint room, out uint length);

    [LibraryImport("kernel32", EntryPoint = "GetDriveTypeW", StringMarshalling = StringMarshalling.Utf16)]
    private static partial uint DriveTypeOf(string root);

    [LibraryImport("kernel32", EntryPoint = "GetVolumeInformationW", SetLastError = true, StringMarshalling = StringMarshalling.Utf16)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool VolumeInformation(
        string root, char* label, uint labelRoom, uint* serial, uint* longest, uint* flags, char* fileSystem, uint fileSystemRoom);
}
