using System.Buffers;
using System.Security.Cryptography;

namespace MSOnlineBackup.Vaults.Pipes;

/// <summary>Reads frames, one after the other, and takes from the stream as much as has come.</summary>
internal sealed class PipeReader(Stream stream)
{
    private const int Most = PipeFrame.HeadLength + PipeFrame.MostBody;

    // Of what was read, the frame that was given out last, and what came after it.
    private byte[] _buffer = new byte[16 << 10];
    private int _start;
    private int _count;
    private int _given;

    /// <summary>Reads the other side's greeting.</summary>
    /// <exception cref="Errors.BackupException">VaultProgramUnusable.</exception>
    /// <exception cref="EndOfStreamException">Nothing came.</exception>
    public async ValueTask ReadGreetingAsync(CancellationToken cancellationToken)
    {
        await FillAsync(PipeGreeting.Length, cancellationToken).ConfigureAwait(false);
        Memory<byte> greeting = _buffer.AsMemory(_start, Math.Min(_count, PipeGreeting.Length));
        if (PipeGreeting.IsBeginning(greeting.Span))
        {
            throw new EndOfStreamException(_count == 0 ? "the other side ended without a word" : "it ended within a greeting");
        }

        PipeGreeting.Decode(greeting.Span);
        _given = greeting.Length;
    }

    /// <summary>The next frame, whose body is good until the one after it; null at the end.</summary>
    /// <exception cref="Errors.BackupException">VaultProgramUnusable.</exception>
    /// <exception cref="EndOfStreamException">The end came within a frame.</exception>
    public async ValueTask<PipeFrame?> ReadAsync(CancellationToken cancellationToken)
    {
        (_start, _count, _given) = (_start + _given, _count - _given, 0);
        if (!await FillAsync(PipeFrame.HeadLength, cancellationToken).ConfigureAwait(false))
        {
            return _count == 0 ? null : throw new EndOfStreamException("it ended within a frame");
        }

        (PipeFrameKind kind, uint call, int length) = PipeFrame.DecodeHead(_buffer.AsSpan(_start, PipeFrame.HeadLength));
        if (!await FillAsync(PipeFrame.HeadLength + length, cancellationToken).ConfigureAwait(false))
        {
            throw new EndOfStreamException("it ended within a frame");
        }

        _given = PipeFrame.HeadLength + length;
        return new PipeFrame(kind, call, _buffer.AsMemory(_start + PipeFrame.HeadLength, length));
    }

    // False where the end came first.
    private async ValueTask<bool> FillAsync(int wanted, CancellationToken cancellationToken)
    {
        if (_count == 0)
        {
            _start = 0;
        }

        if (_start + wanted > _buffer.Length)
        {
            byte[] target = wanted > _buffer.Length ? new byte[Most] : _buffer;
            Buffer.BlockCopy(_buffer, _start, target, 0, _count);
            if (target != _buffer)
            {
                // What was in it may have been a key.
                CryptographicOperations.ZeroMemory(_buffer);
            }

            (_buffer, _start) = (target, 0);
        }

        while (_count < wanted)
        {
            int read = await stream.ReadAsync(_buffer.AsMemory(_start + _count), cancellationToken).ConfigureAwait(false);
            if (read == 0)
            {
                return false;
            }

            _count += read;
        }

        return true;
    }
}

/// <summary>Writes frames. Whoever writes waits for the one before; a frame that was begun is written to its end.</summary>
internal sealed class PipeWriter(Stream stream) : IDisposable
{
    private readonly SemaphoreSlim _turn = new(1, 1);

    /// <summary>Sends this side's greeting.</summary>
    /// <exception cref="IOException">The pipe broke.</exception>
    public async ValueTask WriteGreetingAsync(CancellationToken cancellationToken)
    {
        await stream.WriteAsync(PipeGreeting.Encode(), cancellationToken).ConfigureAwait(false);
        await stream.FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Writes a frame.</summary>
    /// <param name="kind">What it says.</param>
    /// <param name="call">Which call it is of.</param>
    /// <param name="body">What belongs to it.</param>
    /// <param name="turn">Ends the wait for those before; nothing is written then.</param>
    /// <param name="isSecret">Whether nothing of it is to stay in memory.</param>
    /// <exception cref="IOException">The pipe broke.</exception>
    /// <exception cref="ObjectDisposedException">It was closed.</exception>
    public async ValueTask WriteAsync(PipeFrameKind kind, uint call, ReadOnlyMemory<byte> body, CancellationToken turn, bool isSecret = false)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(body.Length, PipeFrame.MostBody);
        int length = PipeFrame.HeadLength + body.Length;
        byte[] frame = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            PipeFrame.EncodeHead(frame, kind, call, body.Length);
            body.CopyTo(frame.AsMemory(PipeFrame.HeadLength));
            await _turn.WaitAsync(turn).ConfigureAwait(false);
            try
            {
                await stream.WriteAsync(frame.AsMemory(0, length), CancellationToken.None).ConfigureAwait(false);
                await stream.FlushAsync(CancellationToken.None).ConfigureAwait(false);
            }
            finally
            {
                _turn.Release();
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(frame, clearArray: isSecret);
        }
    }

    public void Dispose() => _turn.Dispose();
}
