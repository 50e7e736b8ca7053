using MSOnlineBackup.Platform.Windows;

namespace MSOnlineBackup.Platform.Volumes;

/// <summary>Tells of volumes by what Windows tells of drives.</summary>
internal sealed class WindowsVolumeReader(IWindowsVolumes volumes) : IVolumeReader
{
    /// <summary>FVE_E_LOCKED_VOLUME: BitLocker keeps the volume locked.</summary>
    internal const int LockedVolume = unchecked((int)0x8031_0000);

    private const uint ReadOnlyFlag = 0x0008_0000;
    private const string TemporaryLabel = "Temporary Storage";

    /// <inheritdoc/>
    public VolumeDescription? Read(byte[] path)
    {
        if (WtfName.FromBytes(path) is not { } text)
        {
            return null;
        }

        if (IsShare(text))
        {
            return new VolumeDescription { Place = text, Device = text, IsRemote = true };
        }

        if (volumes.RootOf(text) is not { } root)
        {
            return null;
        }

        DriveType kind = volumes.KindOf(root);
        WindowsVolume found = volumes.Query(root);
        return new VolumeDescription
        {
            Place = root,
            FileSystem = found.FileSystem,
            Device = root,
            IsReadOnly = (found.Flags & ReadOnlyFlag) != 0,
            IsRemovable = kind == DriveType.Removable,
            IsOptical = kind == DriveType.CDRom,
            IsRemote = kind == DriveType.Network,
            IsMemory = kind == DriveType.Ram,
            IsMarkedTemporary = found.Label == TemporaryLabel || volumes.HasFile(root + LinuxVolumeReader.TemporaryMark),
            LockedBy = found.Error == LockedVolume ? "BitLocker" : null,
        };
    }

    // \\server\share, also as \\?\UNC\server\share.
    private static bool IsShare(string path) =>
        path.StartsWith(@"\\?\UNC\", StringComparison.OrdinalIgnoreCase)
        || (path.StartsWith(@"\\", StringComparison.Ordinal) && !path.StartsWith(@"\\?\", StringComparison.Ordinal) && !path.StartsWith(@"\\.\", StringComparison.Ordinal));
}
