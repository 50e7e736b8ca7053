using System.Buffers.Binary;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Engine.Backup;

/// <summary>
/// Gathers the contents of small files into chunks: one name, one compression, one seal and one index record for dozens
/// of files. Cut only between files, where the end of the last one says so, so that the same run of files gives the same
/// bundle wherever it stands.
/// </summary>
internal sealed class Bundler(ChunkWriter chunks, ReadOnlyMemory<byte> boundaryKey)
{
    /// <summary>The largest file that goes into a bundle, in bytes.</summary>
    public const int MaxFileLength = 128 << 10;

    private const int MinLength = 256 << 10;
    private const int MaxLength = 1 << 20;
    private const int BoundaryBits = 5;

    /// <summary>A bundle is closed after this many drafts, however small it is: the manifest waits for its name.</summary>
    public const int MaxDrafts = 4096;

    /// <summary>… or after this many bytes of other files, because there can be no checkpoint while it is open.</summary>
    private const long MaxOtherBytes = 16 << 20;

    private readonly SipHash _hash = new(boundaryKey.Span);
    private byte[]? _buffer;
    private int _length;
    private int _drafts;
    private long _otherBytes;
    private TaskCompletionSource<ChunkId> _name = new();

    public bool IsOpen => _buffer is not null;

    /// <summary>Room for a file, in the open bundle or a new one.</summary>
    public async ValueTask<Memory<byte>> ReserveAsync(int length)
    {
        if (_buffer is not null && _length + length > MaxLength)
        {
            await CloseAsync().ConfigureAwait(false);
        }

        if (_buffer is null)
        {
            _buffer = await chunks.RentBufferAsync().ConfigureAwait(false);
            _length = 0;
            _drafts = 0;
            _otherBytes = 0;
            _name = new TaskCompletionSource<ChunkId>(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        return _buffer.AsMemory(_length, length);
    }

    /// <summary>Keeps the first <paramref name="length"/> reserved bytes. The name comes when the bundle is closed.</summary>
    public async ValueTask<(Task<ChunkId> Name, int Offset)> CommitAsync(int length)
    {
        (Task<ChunkId> Name, int Offset) slice = (_name.Task, _length);
        bool boundary = EndsHere(_buffer.AsSpan(_length, length));
        _length += length;
        if (_length >= MinLength && boundary)
        {
            await CloseAsync().ConfigureAwait(false);
        }

        return slice;
    }

    /// <summary>Counts what goes by while the bundle is open: a draft, and bytes that are not bundled.</summary>
    public ValueTask CountAsync(long otherBytes)
    {
        _otherBytes += otherBytes;
        return IsOpen && (++_drafts >= MaxDrafts || _otherBytes >= MaxOtherBytes) ? CloseAsync() : ValueTask.CompletedTask;
    }

    public async ValueTask CloseAsync()
    {
        if (_buffer is { } buffer)
        {
            _buffer = null;
            if (_length == 0)
            {
                // Reserved for a file that turned out empty or unreadable.
                chunks.ReturnBuffer(buffer);
                _name.TrySetCanceled();
                return;
            }

            await chunks.SubmitAsync(buffer, _length, _name).ConfigureAwait(false);
        }
    }

    /// <summary>Gives up: nobody will get this bundle's name.</summary>
    public void Abandon()
    {
        if (_buffer is { } buffer)
        {
            _buffer = null;
            chunks.ReturnBuffer(buffer);
            _name.TrySetCanceled();
        }
    }

    private bool EndsHere(ReadOnlySpan<byte> file)
    {
        Span<byte> end = stackalloc byte[sizeof(int) + 64];
        BinaryPrimitives.WriteInt32LittleEndian(end, file.Length);
        ReadOnlySpan<byte> tail = file[^Math.Min(64, file.Length)..];
        tail.CopyTo(end[sizeof(int)..]);
        return (_hash.Hash(end[..(sizeof(int) + tail.Length)]) & ((1UL << BoundaryBits) - 1)) == 0;
    }
}
