namespace MSOnlineBackup.Host.Producers;

/// <summary>
/// Standard input whose reads end when the job is stopped. A read of a silent pipe cannot be cancelled, so a thread of its
/// own waits in it, with a buffer of its own; where the job is stopped, it is left there.
/// </summary>
internal sealed class StoppableInput(Stream input, CancellationToken stop) : Stream
{
    private readonly byte[] _buffer = new byte[256 * 1024];
    private readonly SemaphoreSlim _empty = new(0);
    private readonly SemaphoreSlim _full = new(0);
    private Thread? _reader;
    private ReadOnlyMemory<byte> _unread;
    private Exception? _failure;
    private bool _ended;

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

        int count = Math.Min(buffer.Length, _unread.Length);
        _unread.Span[..count].CopyTo(buffer);
        _unread = _unread[count..];
        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private void Fill()
    {
        if (_reader is null)
        {
            _reader = new Thread(ReadOnDemand) { IsBackground = true, Name = "standard input" };
            _reader.Start();
        }

        _empty.Release();
        _full.Wait(stop);
        if (_failure is not null)
        {
            throw new IOException(_failure.Message, _failure);
        }

        _ended = _unread.IsEmpty;
    }

    private void ReadOnDemand()
    {
        while (!_ended && _failure is null)
        {
            _empty.Wait();
            try
            {
                _unread = _buffer.AsMemory(0, input.Read(_buffer));
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException)
            {
                _failure = e;
            }

            _full.Release();
        }
    }
}
