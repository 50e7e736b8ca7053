using System.Globalization;
using System.Text;

namespace MSOnlineBackup.Mounts.WebDav;

/// <summary>Reads requests from a connection, one after the other. It keeps no more of them than a head may be long.</summary>
internal sealed class HttpReader(Stream stream, HttpTimes times)
{
    private readonly byte[] _buffer = new byte[HttpHead.MaxLength];
    private int _start;
    private int _end;

    private static ReadOnlySpan<byte> HeadEnd => "\r\n\r\n"u8;

    private static ReadOnlySpan<byte> LineEnd => "\r\n"u8;

    private ReadOnlySpan<byte> Buffered => _buffer.AsSpan(_start, _end - _start);

    /// <summary>The next request's head; null where there is none any more, or none comes for long.</summary>
    /// <exception cref="HttpRefusal">It is no request, or longer than one may be.</exception>
    public async Task<HttpHead?> ReadHeadAsync(CancellationToken cancellationToken)
    {
        if (_start == _end && !await FillAsync(times.Idle, cancellationToken).ConfigureAwait(false))
        {
            return null;
        }

        // Not byte by byte, for ever.
        using CancellationTokenSource late = HttpTimes.Limit(times.Head, cancellationToken);
        int length;
        while ((length = Buffered.IndexOf(HeadEnd)) < 0)
        {
            if (_end - _start == _buffer.Length)
            {
                throw new HttpRefusal(431, "The request's head is too long.", endsConnection: true);
            }

            bool isMore;
            try
            {
                isMore = await FillAsync(times.Head, late.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                isMore = false;
            }

            if (!isMore)
            {
                throw new HttpRefusal(408, "The request has no end.", endsConnection: true);
            }
        }

        HttpHead head = HttpHead.Parse(Buffered[..length]);
        _start += length + HeadEnd.Length;
        return head;
    }

    /// <summary>A request's body.</summary>
    /// <exception cref="HttpRefusal">It is longer than it may be, or breaks off.</exception>
    public async Task<byte[]> ReadBodyAsync(HttpHead head, int most, CancellationToken cancellationToken)
    {
        using CancellationTokenSource late = HttpTimes.Limit(times.Body, cancellationToken);
        if (!head.IsChunked)
        {
            return head.ContentLength <= most ? await ReadAsync((int)head.ContentLength, late.Token).ConfigureAwait(false) : throw TooLong();
        }

        var body = new List<byte>();
        while (true)
        {
            string size = (await ReadLineAsync(late.Token).ConfigureAwait(false)).Split(';')[0].Trim();
            if (size.Length is 0 or > 8 || !uint.TryParse(size, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint length))
            {
                throw HttpRefusal.Malformed("the length of a chunk of its body is no number");
            }

            if (length == 0)
            {
                // Whatever follows the last chunk is not asked for; it may not go on for ever.
                int lines = 0;
                while ((await ReadLineAsync(late.Token).ConfigureAwait(false)).Length > 0)
                {
                    if (++lines > 16)
                    {
                        throw TooLong();
                    }
                }

                return [.. body];
            }

            if (length > most - body.Count)
            {
                throw TooLong();
            }

            body.AddRange(await ReadAsync((int)length, late.Token).ConfigureAwait(false));
            if ((await ReadLineAsync(late.Token).ConfigureAwait(false)).Length > 0)
            {
                throw HttpRefusal.Malformed("a chunk of its body is longer than it says");
            }
        }
    }

    /// <summary>Reads what comes until the client ends, or enough has come: a client that is still sending hears an answer only then.</summary>
    public async Task DrainAsync(long most, CancellationToken cancellationToken)
    {
        _start = _end;
        for (long read = 0; read < most && await FillAsync(times.Linger, cancellationToken).ConfigureAwait(false);)
        {
            read += _end - _start;
            _start = _end;
        }
    }

    private static HttpRefusal TooLong() => new(413, "The request's body is longer than any that is needed here.", endsConnection: true);

    private async Task<byte[]> ReadAsync(int length, CancellationToken cancellationToken)
    {
        byte[] bytes = new byte[length];
        for (int done = 0; done < length;)
        {
            if (_start == _end && !await FillAsync(times.Body, cancellationToken).ConfigureAwait(false))
            {
                throw new HttpRefusal(408, "The request's body breaks off.", endsConnection: true);
            }

            int part = Math.Min(length - done, _end - _start);
            Buffered[..part].CopyTo(bytes.AsSpan(done));
            (_start, done) = (_start + part, done + part);
        }

        return bytes;
    }

    private async Task<string> ReadLineAsync(CancellationToken cancellationToken)
    {
        int length;
        while ((length = Buffered.IndexOf(LineEnd)) < 0)
        {
            if (_end - _start > 1024 || !await FillAsync(times.Body, cancellationToken).ConfigureAwait(false))
            {
                throw HttpRefusal.Malformed("its body breaks off, or is not in chunks");
            }
        }

        string line = Encoding.Latin1.GetString(Buffered[..length]);
        _start += length + LineEnd.Length;
        return line;
    }

    // False where nothing more comes, or not in time.
    private async Task<bool> FillAsync(TimeSpan within, CancellationToken cancellationToken)
    {
        if (_start == _end)
        {
            (_start, _end) = (0, 0);
        }
        else if (_end == _buffer.Length)
        {
            Buffered.CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }

        using CancellationTokenSource late = HttpTimes.Limit(within, cancellationToken);
        try
        {
            int read = await stream.ReadAsync(_buffer.AsMemory(_end), late.Token).ConfigureAwait(false);
            _end += read;
            return read > 0;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }
}
