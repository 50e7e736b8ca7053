using MSOnlineBackup.Platform.Unix;

namespace MSOnlineBackup.Platform.Volumes;

/// <summary>Tells what volume a path lies on.</summary>
internal interface IVolumeReader
{
    /// <summary>The volume; null where nothing tells.</summary>
    /// <param name="path">An absolute path, raw (on Windows as WTF-8), whether something is there or not. Links are followed.</param>
    VolumeDescription? Read(byte[] path);
}

/// <summary>The readers of volumes.</summary>
internal static class VolumeReaders
{
    /// <summary>This system's.</summary>
    /// <param name="mounts">What is mounted, by <see cref="MountTable.Read"/>; of use on Linux alone.</param>
    public static IVolumeReader ForThisSystem(IReadOnlyList<MountedVolume> mounts) =>
        OperatingSystem.IsWindows() ? new WindowsVolumeReader(new WindowsVolumes())
        : UnixSystem.Current is MacSystem mac ? new MacVolumeReader(mac)
        : new LinuxVolumeReader(mounts);
}
