using MSOnlineBackup.Disks.Reading;

namespace MSOnlineBackup.Disks.Tests.Images;

/// <summary>A disk in memory that counts what is read of it, and gives up on a reader that reads without end.</summary>
internal sealed class MemoryImage(byte[] bytes, long mostRead = long.MaxValue) : IDiskContent
{
    private readonly List<(long Offset, int Count)>? _reads;
    private long _bytesRead;

    /// <summary>One that keeps which bytes were read, as a list.</summary>
    public MemoryImage(byte[] bytes, List<(long Offset, int Count)> reads)
        : this(bytes) => _reads = reads;

    public long Length => bytes.Length;

    public ValueTask ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        _bytesRead += destination.Length + 64;
        if (_bytesRead > mostRead)
        {
            throw new InvalidOperationException($"It reads without end: more than {mostRead} bytes.");
        }

        _reads?.Add((offset, destination.Length));
        bytes.AsMemory((int)offset, destination.Length).CopyTo(destination);
        return ValueTask.CompletedTask;
    }
}
