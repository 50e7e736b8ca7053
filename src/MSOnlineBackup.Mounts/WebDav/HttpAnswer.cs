using System.Globalization;
using System.Text;

namespace MSOnlineBackup.Mounts.WebDav;

/// <summary>The answer to one request: first its head, then its body, of a known length or in chunks.</summary>
internal sealed class HttpAnswer(Stream stream, HttpHead request, HttpTimes times, DateTimeOffset now)
{
    private bool _isChunked;

    /// <summary>Whether anything was sent: nothing but what was begun can follow.</summary>
    public bool IsBegun { get; private set; }

    /// <summary>Whether the connection goes on after it.</summary>
    public bool KeepsConnection { get; set; } = request.KeepsConnection;

    private bool HasBody => request.Method != "HEAD";

    /// <summary>Begins an answer whose body has a known length.</summary>
    public Task BeginAsync(int status, long length, IEnumerable<(string Name, string Value)> headers, CancellationToken cancellationToken) =>
        WriteHeadAsync(status, [.. headers, ("Content-Length", length.ToString(CultureInfo.InvariantCulture))], cancellationToken);

    /// <summary>Says that what the client has is what there is.</summary>
    public Task WriteUnchangedAsync(IEnumerable<(string Name, string Value)> headers, CancellationToken cancellationToken) => WriteHeadAsync(304, [.. headers], cancellationToken);

    /// <summary>Begins an answer whose body is as long as it gets; <see cref="EndAsync"/> ends it. A client that sees no end knows that something is missing.</summary>
    public Task BeginChunkedAsync(int status, IEnumerable<(string Name, string Value)> headers, CancellationToken cancellationToken)
    {
        _isChunked = true;
        return WriteHeadAsync(status, [.. headers, ("Transfer-Encoding", "chunked")], cancellationToken);
    }

    /// <summary>A part of the body.</summary>
    public async Task WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        if (!HasBody || bytes.IsEmpty)
        {
            return;
        }

        if (_isChunked)
        {
            byte[] chunk = [.. Encoding.ASCII.GetBytes($"{bytes.Length:x}\r\n"), .. bytes.Span, .. "\r\n"u8];
            bytes = chunk;
        }

        await SendAsync(bytes, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Ends a body of chunks.</summary>
    public Task EndAsync(CancellationToken cancellationToken) => HasBody ? SendAsync("0\r\n\r\n"u8.ToArray(), cancellationToken) : Task.CompletedTask;

    /// <summary>A whole answer of text.</summary>
    public async Task WriteTextAsync(int status, string type, string text, IEnumerable<(string Name, string Value)> headers, CancellationToken cancellationToken)
    {
        byte[] body = Encoding.UTF8.GetBytes(text);
        await BeginAsync(status, body.Length, [("Content-Type", $"{type}; charset=utf-8"), .. headers], cancellationToken).ConfigureAwait(false);
        await WriteAsync(body, cancellationToken).ConfigureAwait(false);
    }

    private static string ReasonOf(int status) => status switch
    {
        200 => "OK",
        206 => "Partial Content",
        207 => "Multi-Status",
        304 => "Not Modified",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        416 => "Range Not Satisfiable",
        421 => "Misdirected Request",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        _ => "Other",
    };

    private Task WriteHeadAsync(int status, IReadOnlyList<(string Name, string Value)> headers, CancellationToken cancellationToken)
    {
        IsBegun = true;
        var head = new StringBuilder();
        head.Append(CultureInfo.InvariantCulture, $"HTTP/1.1 {status} {ReasonOf(status)}\r\nDate: {now:R}\r\n");

        // Pages of a backup run nothing, and tell nobody where they are.
        head.Append("X-Content-Type-Options: nosniff\r\nContent-Security-Policy: sandbox; default-src 'none'\r\nReferrer-Policy: no-referrer\r\n");
        foreach ((string name, string value) in headers)
        {
            head.Append(CultureInfo.InvariantCulture, $"{name}: {value}\r\n");
        }

        head.Append(KeepsConnection ? "\r\n" : "Connection: close\r\n\r\n");
        return SendAsync(Encoding.Latin1.GetBytes(head.ToString()), cancellationToken);
    }

    private async Task SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        using CancellationTokenSource late = HttpTimes.Limit(times.Write, cancellationToken);
        await stream.WriteAsync(bytes, late.Token).ConfigureAwait(false);
    }
}
