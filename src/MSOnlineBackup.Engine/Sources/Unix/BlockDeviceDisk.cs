using MSOnlineBackup.Platform.Unix;

namespace MSOnlineBackup.Engine.Sources.Unix;

/// <summary>A block device of Linux. Nothing tells its holes, and nothing what was written to it.</summary>
internal sealed class BlockDeviceDisk : ISourceDisk
{
    private readonly byte[] _path;
    private int _handle;

    /// <param name="handle">Open for reading; from now on its own.</param>
    /// <param name="path">Its path, raw, for messages.</param>
    /// <param name="length">How many bytes it has.</param>
    public BlockDeviceDisk(int handle, byte[] path, long length)
    {
        _handle = handle;
        _path = path;
        Length = length;
        UnixSystem.Current.ExpectSequentialRead(handle);
    }

    /// <inheritdoc/>
    public long Length { get; }

    /// <inheritdoc/>
    public DiskChanges? Changes => null;

    /// <inheritdoc/>
    public bool TryGetDataRun(long offset, out long start, out long length)
    {
        (start, length) = (offset, Length - offset);
        return length > 0;
    }

    /// <inheritdoc/>
    public void Read(long offset, Span<byte> destination)
    {
        while (!destination.IsEmpty)
        {
            int count = UnixSystem.Read(_handle, offset, destination);
            if (count <= 0)
            {
                // Where it ends early it was made smaller, or is no longer there.
                throw UnixSourceError.OfItem(count == 0 ? -Errno.InputOutput : count, _path);
            }

            destination = destination[count..];
            offset += count;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_handle >= 0)
        {
            UnixSystem.Close(_handle);
            _handle = -1;
        }
    }
}
