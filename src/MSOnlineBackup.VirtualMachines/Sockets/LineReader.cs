namespace MSOnlineBackup.VirtualMachines.Sockets;

/// <summary>Reads lines that a program writes, none longer than it may be.</summary>
/// <param name="stream">What is read.</param>
/// <param name="mostBytes">Most bytes of a line, and most that are skipped.</param>
internal sealed class LineReader(Stream stream, int mostBytes)
{
    private byte[] _buffer = new byte[4096];
    private int _start;
    private int _end;

    /// <summary>Skips what is before a byte, and the byte.</summary>
    /// <exception cref="EndOfStreamException">The other side has gone.</exception>
    /// <exception cref="InvalidDataException">More than a line may have came before it.</exception>
    public async Task SkipPastAsync(byte mark, CancellationToken cancellationToken)
    {
        int skipped = 0;
        while (true)
        {
            int at = _buffer.AsSpan(_start.._end).IndexOf(mark);
            if (at >= 0)
            {
                _start += at + 1;
                return;
            }

            skipped += _end - _start;
            _start = _end = 0;
            if (skipped > mostBytes)
            {
                throw new InvalidDataException("It does not stop to say what nobody asked.");
            }

            await FillAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>The next line, without its end.</summary>
    /// <exception cref="EndOfStreamException">The other side has gone.</exception>
    /// <exception cref="InvalidDataException">The line is longer than it may be.</exception>
    public async Task<ReadOnlyMemory<byte>> ReadAsync(CancellationToken cancellationToken)
    {
        int looked = 0;
        while (true)
        {
            int at = _buffer.AsSpan((_start + looked).._end).IndexOf((byte)'\n');
            if (at >= 0)
            {
                int length = looked + at;
                ReadOnlyMemory<byte> line = _buffer.AsSpan(_start, length).ToArray();
                _start += length + 1;
                return line;
            }

            looked = _end - _start;
            if (looked > mostBytes)
            {
                throw new InvalidDataException("It says more in one line than is read.");
            }

            await FillAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task FillAsync(CancellationToken cancellationToken)
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start.._end).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }

        if (_end == _buffer.Length)
        {
            Array.Resize(ref _buffer, _buffer.Length * 2);
        }

        int read = await stream.ReadAsync(_buffer.AsMemory(_end), cancellationToken).ConfigureAwait(false);
        _end += read > 0 ? read : throw new EndOfStreamException("It closed the connection.");
    }
}
