using System.Collections.Concurrent;
using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Tests.Restore;

/// <summary>What a stream in memory has: its length, and what was written; all else is a hole.</summary>
internal sealed record SparseContent(long Length, IReadOnlyList<(long Offset, byte[] Content)> Runs)
{
    /// <summary>How many bytes were written.</summary>
    public long Written => Runs.Sum(run => (long)run.Content.Length);

    /// <summary>Reads, zeros where nothing was written.</summary>
    public int Read(long offset, Span<byte> destination)
    {
        int count = (int)Math.Clamp(Length - offset, 0, destination.Length);
        destination[..count].Clear();
        foreach ((long at, byte[] content) in Runs)
        {
            long from = Math.Max(at, offset);
            long to = Math.Min(at + content.Length, offset + count);
            if (from < to)
            {
                content.AsSpan((int)(from - at), (int)(to - from)).CopyTo(destination[(int)(from - offset)..]);
            }
        }

        return count;
    }
}

/// <summary>A stream being restored into memory.</summary>
internal sealed class MemoryRestoreStream(
    ReadOnlyMemory<byte> name, long length, ConcurrentDictionary<string, SparseContent> streams, Action beforeWrite, Func<SparseContent, SparseContent> onComplete)
    : IRestoreStream
{
    private readonly List<(long Offset, byte[] Content)> _runs = [];

    public void Write(long offset, ReadOnlySpan<byte> content)
    {
        beforeWrite();
        _runs.Add((offset, content.ToArray()));
    }

    public void Complete() => streams[EntryName.Escape(name.Span)] = onComplete(new SparseContent(length, _runs));

    public void Dispose()
    {
    }
}

/// <summary>Reads a stream in memory.</summary>
internal sealed class SparseStream(SparseContent content) : Stream
{
    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => content.Length;

    public override long Position { get; set; }

    public override int Read(Span<byte> buffer)
    {
        int read = content.Read(Position, buffer);
        Position += read;
        return read;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
