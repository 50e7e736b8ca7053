using System.Diagnostics.CodeAnalysis;
using MSOnlineBackup.Platform.Machine;

namespace MSOnlineBackup.Host.Terminal;

/// <summary>
/// Standard output or standard error, which never decide how a command ends: the first failure is noted, and what is
/// written from then on goes nowhere. Readers that have gone (<c>| head -1</c>) are no failure to the base library.
/// </summary>
internal sealed class ForgivingStream : Stream
{
    private readonly Stream _stream;

    /// <summary>Opens it.</summary>
    /// <param name="open">Opens what is written to.</param>
    /// <param name="descriptor">Its number on Unix.</param>
    [SuppressMessage("Design", "CA1031", Justification = "Whatever it is, it must not end the command, and is told at its end.")]
    public ForgivingStream(Func<Stream> open, int descriptor)
    {
        _stream = Null;
        try
        {
            if (StandardStream.IsOpen(descriptor))
            {
                _stream = open();
            }
            else
            {
                Closed = true;
            }
        }
        catch (Exception)
        {
            Closed = true;
        }
    }

    /// <summary>The first failure.</summary>
    public Exception? Fault { get; private set; }

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    // Only what is written there and lost is a failure.
    private bool Closed { get; }

    [SuppressMessage("Design", "CA1031", Justification = "Whatever it is, it must not end the command, and is told at its end.")]
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (Fault is not null || buffer.IsEmpty)
        {
            return;
        }

        if (Closed)
        {
            Fault = new IOException("It is closed.");
            return;
        }

        try
        {
            _stream.Write(buffer);
        }
        catch (Exception e)
        {
            Fault = e;
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
