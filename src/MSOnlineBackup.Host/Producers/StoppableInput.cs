namespace MSOnlineBackup.Host.Producers;

/// <summary>
/// Standard input whose reads end when the job is stopped. A read of a silent pipe cannot be cancelled, so a thread of its
/// own waits in it, a buffer ahead of who reads; where the job is stopped, it is left there.
/// </summary>
internal sealed class StoppableInput(Stream input, CancellationToken stop) : Stream
{
    private const int BufferSize = 256 * 1024;

    private readonly byte[][] _buffers = [new byte[BufferSize], new byte[BufferSize]];
    private readonly int[] _lengths = new int[2];
    private readonly SemaphoreSlim _empty = new(2);
    private readonly SemaphoreSlim _full = new(0);
    private Thread? _reader;
    private ReadOnlyMemory<byte> _unread;
    private long _taken;
    private volatile Exception? _failure;
    private bool _ended;
    private bool _isAsked;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Reads what there is.</summary>
    /// <exception cref="OperationCanceledException">The job was stopped.</exception>
    public override int Read(Span<byte> buffer)
    {
        if (_unread.IsEmpty && !_ended)
        {
            Fill();
        }

        return Take(buffer);
    }

    /// <inheritdoc cref="Read(Span{byte})"/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_unread.IsEmpty && !_ended)
        {
            Ask();
            using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, cancellationToken);
            await _full.WaitAsync(either.Token).ConfigureAwait(false);
            Receive();
        }

        return Take(buffer.Span);
    }

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private int Take(Span<byte> buffer)
    {
        int count = Math.Min(buffer.Length, _unread.Length);
        _unread.Span[..count].CopyTo(buffer);
        _unread = _unread[count..];
        return count;
    }

    private void Fill()
    {
        Ask();
        _full.Wait(stop);
        Receive();
    }

    // Gives the buffer back that was read to its end; once, though a read that was stopped may be repeated.
    private void Ask()
    {
        if (_isAsked)
        {
            return;
        }

        _isAsked = true;
        if (_reader is null)
        {
            _reader = new Thread(ReadAhead) { IsBackground = true, Name = "standard input" };
            _reader.Start();
        }
        else
        {
            _empty.Release();
        }
    }

    private void Receive()
    {
        int length = _lengths[_taken % 2];
        if (length < 0)
        {
            // For whoever tries again.
            _full.Release();
            throw new IOException(_failure!.Message, _failure);
        }

        _unread = _buffers[_taken % 2].AsMemory(0, length);
        _taken++;
        _isAsked = false;
        _ended = length == 0;
    }

    private void ReadAhead()
    {
        int length = 1;
        for (long read = 0; length > 0; read++)
        {
            _empty.Wait();
            try
            {
                length = input.Read(_buffers[read % 2]);
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException)
            {
                _failure = e;
                length = -1;
            }

            _lengths[read % 2] = length;
            _full.Release();
        }
    }
}
