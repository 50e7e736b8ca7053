using MSOnlineBackup.Mounts.Drives;
using MSOnlineBackup.Mounts.Fuse;
using MSOnlineBackup.Mounts.Projection;
using MSOnlineBackup.Mounts.Serving;
using MSOnlineBackup.Platform.Windows;

namespace MSOnlineBackup.Mounts;

/// <summary>The ways in which this system mounts views.</summary>
internal static class MountWays
{
    /// <summary>That for a place, as somebody names it.</summary>
    public static IMountWay Of(string place) => !OperatingSystem.IsWindows() ? new FuseWay()
        : DriveOf(place) is null ? new ProjectionWay(new ProjectionService(ProjectionLibrary.Load()))
        : new DriveWay(new NetworkDrives());

    /// <summary>The drive letter that a place is, as "R:"; null where it is none, and on systems that have none.</summary>
    public static string? DriveOf(string place) => OperatingSystem.IsWindows() ? DriveLetter.Read(place) : null;
}
