using Microsoft.Win32.SafeHandles;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Platform.Unix;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.VirtualMachines.Images;

/// <summary>A file that has the bytes of a disk as they are. What was never written is a hole, where the system tells.</summary>
internal sealed class RawSourceDisk : ISourceDisk
{
    private readonly string _file;
    private readonly SafeFileHandle _handle;

    private RawSourceDisk(string file, SafeFileHandle handle) => (_file, _handle, Length) = (file, handle, RandomAccess.GetLength(handle));

    /// <inheritdoc/>
    public long Length { get; }

    /// <inheritdoc/>
    public DiskChanges? Changes => null;

    /// <summary>Opens it.</summary>
    /// <exception cref="BackupException">SourceItemUnreadable.</exception>
    public static RawSourceDisk Open(string file)
    {
        try
        {
            return new RawSourceDisk(file, File.OpenHandle(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(file, e.Message, e);
        }
    }

    /// <inheritdoc/>
    public bool TryGetDataRun(long offset, out long start, out long length)
    {
        (start, length) = (offset, Length - offset);
        if (length <= 0 || OperatingSystem.IsWindows())
        {
            return length > 0;
        }

        int handle = (int)_handle.DangerousGetHandle();
        long data = UnixSystem.Current.SeekData(handle, offset);
        if (data == -Errno.NoSuchDevice)
        {
            return false;
        }

        if (data >= 0)
        {
            long hole = UnixSystem.Current.SeekHole(handle, data);
            (start, length) = (data, (hole > data ? Math.Min(hole, Length) : Length) - data);
        }

        return length > 0;
    }

    /// <inheritdoc/>
    public void Read(long offset, Span<byte> destination)
    {
        try
        {
            while (!destination.IsEmpty)
            {
                int read = RandomAccess.Read(_handle, destination, offset);
                destination = read > 0 ? destination[read..] : throw Unreadable(_file, "it was cut meanwhile");
                offset += read;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(_file, e.Message, e);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _handle.Dispose();

    private static BackupException Unreadable(string file, string why, Exception? cause = null) => new(
        BackupErrorId.SourceItemUnreadable, $"The disk '{file}' cannot be read: {why.TrimEnd('.')}.", "See to the file, and run the backup again.", file, innerException: cause);
}
