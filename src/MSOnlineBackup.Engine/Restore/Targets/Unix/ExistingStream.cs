using MSOnlineBackup.Platform.Unix;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Engine.Restore.Targets.Unix;

/// <summary>A stream that a file at the target has, to be read. It owns the file's handle.</summary>
internal sealed class ExistingStream(UnixSystem system, int handle, ReadOnlyMemory<byte> name, long length, byte[] fullPath) : Stream
{
    private int _handle = handle;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => length;

    public override long Position { get; set; }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <exception cref="BackupException">RestoreItemFailed, RestoreTargetUnwritable.</exception>
    public override int Read(Span<byte> buffer)
    {
        int read = system.ReadStream(_handle, name.Span, Position, buffer);
        if (read < 0)
        {
            throw UnixRestoreError.OfItem(read, fullPath);
        }

        Position += read;
        return read;
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (_handle >= 0)
        {
            UnixSystem.Close(_handle);
            _handle = -1;
        }

        base.Dispose(disposing);
    }
}
