using MSOnlineBackup.Platform.Unix;

namespace MSOnlineBackup.Engine.Restore.Targets.Unix;

/// <summary>A stream of a file being restored: the resource fork of macOS. The handle is the file's, and stays its.</summary>
internal sealed class UnixRestoreStream(UnixSystem system, int handle, ReadOnlyMemory<byte> name, long length, byte[] fullPath) : IRestoreStream
{
    private long _end;
    private bool _complete;

    /// <inheritdoc/>
    public void Write(long offset, ReadOnlySpan<byte> content)
    {
        Check(system.WriteStream(handle, name.Span, offset, content));
        _end = Math.Max(_end, offset + content.Length);
    }

    /// <inheritdoc/>
    public void Complete()
    {
        if (_end < length)
        {
            Check(system.WriteStream(handle, name.Span, length - 1, [0]));
        }

        _complete = true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_complete)
        {
            _ = system.RemoveAttribute(new UnixNode(handle, -1, default), name.Span);
        }
    }

    private void Check(int result)
    {
        if (result < 0)
        {
            throw UnixRestoreError.OfItem(result, fullPath);
        }
    }
}
