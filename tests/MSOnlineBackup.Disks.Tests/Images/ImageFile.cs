using MSOnlineBackup.Disks.Reading;

namespace MSOnlineBackup.Disks.Tests.Images;

/// <summary>An image file as a disk, with what was read of it.</summary>
internal sealed class ImageFile : IDiskContent, IDisposable
{
    private readonly Microsoft.Win32.SafeHandles.SafeFileHandle _file;
    private long _bytesRead;

    public ImageFile(string path)
    {
        _file = File.OpenHandle(path);
        Length = RandomAccess.GetLength(_file);
    }

    public long Length { get; }

    public long BytesRead => Interlocked.Read(ref _bytesRead);

    public ValueTask ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        Interlocked.Add(ref _bytesRead, destination.Length);
        for (int done = 0; done < destination.Length;)
        {
            int count = RandomAccess.Read(_file, destination.Span[done..], offset + done);
            done += count > 0 ? count : throw new EndOfStreamException();
        }

        return ValueTask.CompletedTask;
    }

    public void Dispose() => _file.Dispose();
}
