using System.Runtime.InteropServices;

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

    [LibraryImport("kernel32", EntryPoint = "GetVolumePathNameW", SetLastError = true, StringMarshalling = StringMarshalling.Utf16)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool VolumePathName(string path, char* root, uint room);

    [LibraryImport("kernel32", EntryPoint = "GetDriveTypeW", StringMarshalling = StringMarshalling.Utf16)]
    private static partial uint DriveTypeOf(string root);

    [LibraryImport("kernel32", EntryPoint = "GetVolumeInformationW", SetLastError = true, StringMarshalling = StringMarshalling.Utf16)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool VolumeInformation(
        string root, char* label, uint labelRoom, uint* serial, uint* longest, uint* flags, char* fileSystem, uint fileSystemRoom);
}
