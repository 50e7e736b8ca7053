using System.Buffers.Binary;
using System.Text;
using MSOnlineBackup.Platform.Unix;

namespace MSOnlineBackup.Platform.Volumes;

/// <summary>Tells of volumes by macOS's statfs.</summary>
internal sealed class MacVolumeReader(MacSystem system) : IVolumeReader
{
    private const uint ReadOnlyFlag = 0x1;
    private const uint RemovableFlag = 0x200;
    private const uint LocalFlag = 0x1000;

    /// <inheritdoc/>
    public VolumeDescription? Read(byte[] path)
    {
        byte[] status = new byte[4096];
        byte[] real = UnixSystem.RealPath(path) ?? path;
        int slash = Array.LastIndexOf(real, (byte)'/');
        int handle = system.OpenBase(-1, real, followLink: true);
        if (handle < 0 && slash >= 0)
        {
            handle = system.OpenBase(-1, slash == 0 ? "/"u8 : real.AsSpan(0, slash), followLink: true);
        }

        if (handle < 0)
        {
            return null;
        }

        int told = system.ReadFileSystem(handle, status);
        UnixSystem.Close(handle);
        return told < 0 ? null : Parse(status);
    }

    /// <summary>What a struct statfs of 2,168 bytes tells.</summary>
    internal static VolumeDescription Parse(ReadOnlySpan<byte> status)
    {
        // f_flags at 64, f_fstypename at 72, f_mntonname at 88, f_mntfromname at 1,112.
        uint flags = BinaryPrimitives.ReadUInt32LittleEndian(status[64..]);
        string fileSystem = MacSystem.FileSystemName(status);
        return new VolumeDescription
        {
            Place = Text(status.Slice(88, 1024)),
            FileSystem = fileSystem,
            Device = Text(status.Slice(1112, 1024)),
            IsReadOnly = (flags & ReadOnlyFlag) != 0,
            IsRemovable = (flags & RemovableFlag) != 0,
            IsRemote = (flags & LocalFlag) == 0,
            IsOptical = fileSystem is "cd9660" or "cddafs" || (fileSystem == "udf" && (flags & RemovableFlag) != 0),
        };
    }

    private static string Text(ReadOnlySpan<byte> bytes)
    {
        int end = bytes.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? bytes : bytes[..end]);
    }
}
