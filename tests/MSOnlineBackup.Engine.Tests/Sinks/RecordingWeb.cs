using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Engine.Tests.Sinks;

/// <summary>A web server on loopback that writes down what it is asked, and answers with a status.</summary>
internal sealed class RecordingWeb : IAsyncDisposable
{
    private readonly LoopbackServer _server;
    private readonly ConcurrentQueue<(string Line, string Body)> _requests = [];

    public RecordingWeb() => _server = new LoopbackServer(ServeAsync);

    /// <summary>What it answers with.</summary>
    public int Status { get; set; } = 200;

    /// <summary>Its address, with a path that nobody else knows.</summary>
    public string Url => $"{_server.Url}secret-path";

    /// <summary>What it was asked: each without its address.</summary>
    public IReadOnlyList<string> Asked => [.. _requests.Select(request => request.Line)];

    /// <summary>What it was sent.</summary>
    public IReadOnlyList<string> Bodies => [.. _requests.Select(request => request.Body)];

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private async Task ServeAsync(Stream stream, CancellationToken stop)
    {
        while (await LoopbackServer.ReadHeadAsync(stream, stop) is { Length: > 0 } head)
        {
            string? length = head.FirstOrDefault(line => line.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase))?.Split(':')[1];
            byte[] body = new byte[int.Parse(length ?? "0", CultureInfo.InvariantCulture)];
            await stream.ReadExactlyAsync(body, stop);
            _requests.Enqueue((head[0].Split(' ')[1].Replace("/secret-path", "", StringComparison.Ordinal), Encoding.UTF8.GetString(body)));
            await LoopbackServer.WriteAsync(stream, $"HTTP/1.1 {Status} Said\r\nContent-Length: 0\r\n\r\n", stop);
        }
    }
}
