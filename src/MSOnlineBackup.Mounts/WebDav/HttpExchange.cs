namespace MSOnlineBackup.Mounts.WebDav;

/// <summary>A request and its answer.</summary>
internal sealed class HttpExchange(HttpHead request, HttpReader reader, Stream stream, HttpTimes times, DateTimeOffset now)
{
    /// <summary>The request, without its body.</summary>
    public HttpHead Request => request;

    /// <summary>The answer.</summary>
    public HttpAnswer Answer { get; } = new(stream, request, times, now);

    /// <summary>Whether the request's body has been read.</summary>
    public bool IsBodyRead { get; private set; }

    /// <summary>Whether the answer broke off.</summary>
    public bool IsCut { get; set; }

    /// <summary>The request's body.</summary>
    public async Task<byte[]> ReadBodyAsync(int most, CancellationToken cancellationToken)
    {
        if (request.HasItem("Expect", "100-continue"))
        {
            await stream.WriteAsync("HTTP/1.1 100 Continue\r\n\r\n"u8.ToArray(), cancellationToken).ConfigureAwait(false);
        }

        byte[] body = await reader.ReadBodyAsync(request, most, cancellationToken).ConfigureAwait(false);
        IsBodyRead = true;
        return body;
    }
}
