using System.Buffers.Binary;
using System.Text;
using MSOnlineBackup.Engine.Sources.Windows;
using MSOnlineBackup.Platform.Volumes;
using MSOnlineBackup.Vaults.Errors;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Sources.Rules;

/// <summary>Volumes as Windows and macOS tell of them, by what they are known to answer.</summary>
public sealed class OtherVolumeReadersTests
{
    [Theory]
    [InlineData(@"\\server\share\folder")]
    [InlineData(@"\\?\UNC\server\share")]
    public void A_share_of_Windows_is_known_by_its_path_alone(string path) =>
        Assert.True(new WindowsVolumeReader(new Drives(DriveType.Fixed)).Read(Encoding.UTF8.GetBytes(path))!.IsRemote);

    [Theory]
    [InlineData(DriveType.Fixed)]
    [InlineData(DriveType.Network)]
    [InlineData(DriveType.Removable)]
    [InlineData(DriveType.CDRom)]
    [InlineData(DriveType.Ram)]
    public void A_drive_of_Windows_is_what_it_says(DriveType kind)
    {
        VolumeDescription volume = Read(new Drives(kind));

        Assert.Equal(
            (kind == DriveType.Network, kind == DriveType.Removable, kind == DriveType.CDRom, kind == DriveType.Ram),
            (volume.IsRemote, volume.IsRemovable, volume.IsOptical, volume.IsMemory));
        Assert.Equal((@"D:\", "NTFS", false, false, null), (volume.Place, volume.FileSystem, volume.IsReadOnly, volume.IsMarkedTemporary, volume.LockedBy));
    }

    [Fact]
    public void Locks_labels_and_flags_of_Windows_are_read()
    {
        Assert.Equal("BitLocker", Read(new Drives(DriveType.Fixed) { Volume = new WindowsVolume(unchecked((int)0x80310000)) }).LockedBy);
        Assert.Null(Read(new Drives(DriveType.Fixed) { Volume = new WindowsVolume(21) }).LockedBy);
        Assert.True(Read(new Drives(DriveType.Fixed) { Volume = new WindowsVolume(0, "NTFS", "Temporary Storage") }).IsMarkedTemporary);
        Assert.True(Read(new Drives(DriveType.Fixed) { File = @"D:\DATALOSS_WARNING_README.txt" }).IsMarkedTemporary);
        Assert.True(Read(new Drives(DriveType.Fixed) { Volume = new WindowsVolume(0, "NTFS", Flags: 0x0008_00FF) }).IsReadOnly);
        Assert.Equal(BackupErrorId.SourceLocked, WindowsSourceError.OfRoot(unchecked((int)0x80310000), @"D:\data").Id);
    }

    [Theory]
    [InlineData("apfs", 0x0480_9000u, false, false, false)]
    [InlineData("smbfs", 0x0000_0000u, true, false, false)]
    [InlineData("msdos", 0x0000_1200u, false, true, false)]
    [InlineData("apfs", 0x0000_1001u, false, false, true)]
    public void A_struct_statfs_of_macOS_tells_of_the_volume(string fileSystem, uint flags, bool isRemote, bool isRemovable, bool isReadOnly)
    {
        byte[] status = new byte[2168];
        BinaryPrimitives.WriteUInt32LittleEndian(status.AsSpan(64), flags);
        Encoding.UTF8.GetBytes(fileSystem).CopyTo(status, 72);
        Encoding.UTF8.GetBytes("/Volumes/Data").CopyTo(status, 88);
        Encoding.UTF8.GetBytes("/dev/disk3s1").CopyTo(status, 1112);

        VolumeDescription volume = MacVolumeReader.Parse(status);

        Assert.Equal(("/Volumes/Data", fileSystem, "/dev/disk3s1"), (volume.Place, volume.FileSystem, volume.Device));
        Assert.Equal((isRemote, isRemovable, isReadOnly), (volume.IsRemote, volume.IsRemovable, volume.IsReadOnly));
    }

    private static VolumeDescription Read(Drives drives) => new WindowsVolumeReader(drives).Read(@"D:\data"u8.ToArray())!;

    private sealed class Drives(DriveType kind) : IWindowsVolumes
    {
        public WindowsVolume Volume { get; init; } = new(0, "NTFS", "Data");

        public string? File { get; init; }

        public string? RootOf(string path) => path[..3];

        public DriveType KindOf(string root) => kind;

        public WindowsVolume Query(string root) => Volume;

        public bool HasFile(string path) => path == File;

        public string? NameOf(string root) => null;

        public string? RealPathOf(string path) => path;

        public IReadOnlyList<string> MountFolders() => [];
    }
}
