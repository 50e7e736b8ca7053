using MSOnlineBackup.Platform.Unix;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Sources.Unix;

/// <summary>A stream of a file of macOS, open for reading. It owns its handle, which is that of the file. The system does not tell its holes: they are read as
/// zeros.</summary>
internal sealed class UnixSourceStream(UnixSystem system, UnixSourceTree tree, EntryPath path, int handle, SourceStream stream) : ISourceFile
{
    private int _handle = handle;

    public bool TryGetDataRun(long offset, out long start, out long length)
    {
        (start, length) = (offset, stream.Size - offset);
        return length > 0;
    }

    // What was added since it was listed is told by its size.
    public int Read(long offset, Span<byte> destination) =>
        offset < stream.Size ? Check(system.ReadStream(_handle, stream.Name.Span, offset, destination)) : 0;

    public ManifestEntry Stat()
    {
        Check(system.Stat(_handle, out UnixStat stat));
        return stat.ToEntry(path) with { Size = Check(system.GetAttribute(new UnixNode(_handle, -1, default), stream.Name.Span, [])) };
    }

    public void Dispose()
    {
        if (_handle >= 0)
        {
            UnixSystem.Close(_handle);
            _handle = -1;
        }
    }

    private int Check(int result) => result >= 0 ? result : throw UnixSourceError.OfStream(result, stream.Name.Span, tree.FullPath(path));
}
