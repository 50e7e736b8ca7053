using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>
/// A file of a recovery point, fetched from the vault as it is wanted, from any position. For one reader at a time. Memory: one chunk and one slice list.
/// </summary>
/// <param name="chunks">Where its chunks are.</param>
/// <param name="entry">The file.</param>
internal sealed class ItemStream(IChunkReader chunks, ManifestEntry entry) : Stream
{
    private readonly EntryContentReader _contents = new(chunks);

    // The slice that was read last: its place in the file, and its chunk.
    private IReadOnlyList<ContentSlice> _slices = [];
    private long _slicesAt;
    private int _slice;
    private long _sliceAt;
    private ChunkId? _chunk;
    private ReadOnlyMemory<byte> _bytes;
    private long _position;

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => entry.Size;

    public override long Position
    {
        get => _position;
        set => _position = value >= 0 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "Before the beginning.");
    }

    /// <inheritdoc/>
    /// <exception cref="BackupException">VaultDataCorrupt, VaultDataMissing, VaultDataUnreadable, VaultUnreachable, …</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        long left = Math.Min(buffer.Length, Length - _position);
        if (left <= 0)
        {
            return 0;
        }

        ContentSlice slice = await FindAsync(cancellationToken).ConfigureAwait(false);
        long within = _position - _sliceAt;
        int count = (int)Math.Min(left, slice.Length - within);
        Memory<byte> destination = buffer[..count];
        if (slice.Chunk is { } chunk)
        {
            if (_chunk != chunk)
            {
                _bytes = await chunks.ReadAsync(ChunkKind.Content, chunk, cancellationToken).ConfigureAwait(false);
                _chunk = chunk;
            }

            if (slice.Offset + slice.Length > _bytes.Length)
            {
                throw VaultDamage.Corrupt(chunk.ToString(), "a file names more bytes of it than it has");
            }

            _bytes.Slice((int)(slice.Offset + within), count).CopyTo(destination);
        }
        else
        {
            destination.Span.Clear();
        }

        _position += count;
        return count;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

#pragma warning disable VSTHRD002 // For readers that know no other way. Nothing in the engine has a context to block.
    public override int Read(byte[] buffer, int offset, int count) => ReadAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();
#pragma warning restore VSTHRD002

    public override long Seek(long offset, SeekOrigin origin) => Position = origin switch
    {
        SeekOrigin.Begin => offset,
        SeekOrigin.Current => _position + offset,
        _ => Length + offset,
    };

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    // The slice that holds the position.
    private async ValueTask<ContentSlice> FindAsync(CancellationToken cancellationToken)
    {
        if (_position < _slicesAt || Reach(_position) < 0)
        {
            await OpenListAsync(cancellationToken).ConfigureAwait(false);
            if (Reach(_position) < 0)
            {
                throw VaultDamage.Corrupt(entry.Path.ToString(), "its slices do not cover it");
            }
        }

        return _slices[_slice];
    }

    // Goes from the slice that was read last to the one that holds a position; -1 where these slices do not.
    private int Reach(long position)
    {
        if (position < _sliceAt)
        {
            (_slice, _sliceAt) = (0, _slicesAt);
        }

        while (_slice < _slices.Count && position - _sliceAt >= _slices[_slice].Length)
        {
            _sliceAt += _slices[_slice++].Length;
        }

        return _slice < _slices.Count ? _slice : -1;
    }

    private async ValueTask OpenListAsync(CancellationToken cancellationToken)
    {
        (_slices, _slicesAt) = (entry.Content.Slices, 0);
        foreach (SliceListReference list in entry.Content.Lists)
        {
            if (_position - _slicesAt < list.Length)
            {
                _slices = await _contents.ReadListAsync(list, cancellationToken).ConfigureAwait(false);
                break;
            }

            _slicesAt += list.Length;
        }

        (_slice, _sliceAt) = (0, _slicesAt);
    }
}
