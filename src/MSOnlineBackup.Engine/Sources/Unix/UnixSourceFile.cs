using MSOnlineBackup.Platform.Unix;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Sources.Unix;

/// <summary>An open regular file of a source. It owns its handle.</summary>
internal sealed class UnixSourceFile : ISourceFile
{
    // Below this the kernel's own read-ahead is as good.
    private const long LargeFile = 4 << 20;

    private readonly UnixSystem _system;
    private readonly UnixSourceTree _tree;
    private readonly EntryPath _path;
    private readonly long _size;
    private readonly bool _sparse;
    private int _handle;

    public UnixSourceFile(UnixSystem system, UnixSourceTree tree, EntryPath path, int handle, in UnixStat stat)
    {
        _system = system;
        _tree = tree;
        _path = path;
        _handle = handle;
        _size = stat.Size;
        _sparse = stat.Blocks * 512 < stat.Size;
        if (_size >= LargeFile)
        {
            system.ExpectSequentialRead(handle);
        }
    }

    public bool TryGetDataRun(long offset, out long start, out long length)
    {
        start = offset;
        length = _size - offset;
        if (length <= 0)
        {
            return false;
        }

        if (!_sparse)
        {
            return true;
        }

        long data = _system.SeekData(_handle, offset);
        if (data == -Errno.NoSuchDevice)
        {
            return false;
        }

        if (data < 0)
        {
            // The file system does not tell its holes: everything is data.
            return true;
        }

        // Between the two calls a hole may be dug; then the data that were there are read as zeros.
        long hole = _system.SeekHole(_handle, data);
        start = data;
        length = (hole > data ? Math.Min(hole, _size) : _size) - data;
        return length > 0;
    }

    public int Read(long offset, Span<byte> destination)
    {
        int count = UnixSystem.Read(_handle, offset, destination);
        return count >= 0 ? count : throw UnixSourceError.OfItem(count, _tree.FullPath(_path));
    }

    public ManifestEntry Stat()
    {
        int result = _system.Stat(_handle, out UnixStat stat);
        return result >= 0 ? stat.ToEntry(_path) : throw UnixSourceError.OfItem(result, _tree.FullPath(_path));
    }

    public void Dispose()
    {
        if (_handle >= 0)
        {
            UnixSystem.Close(_handle);
            _handle = -1;
        }
    }
}
