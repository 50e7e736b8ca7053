using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;

namespace MSOnlineBackup.Testing;

/// <summary>
/// A bad network on loopback: stands before an HTTP/1.1 server, and delays, loses, tears and answers requests as a test says. It knows
/// of HTTP only where one message ends and the next begins.
/// </summary>
public sealed class FaultProxy : IAsyncDisposable
{
    private const int MaxHead = 64 << 10;

    private readonly IPEndPoint _server;
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentDictionary<Exchange, byte> _exchanges = new();
    private readonly ConcurrentQueue<ProxiedRequest> _requests = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _accepting;
    private int _count;
    private Task _silence = Task.CompletedTask;

    /// <summary>Stands before a server.</summary>
    /// <param name="server">The server, by an address of this machine; its path is kept.</param>
    public FaultProxy(Uri server)
    {
        _server = new IPEndPoint(IPAddress.Loopback, server.Port);
        _listener.Start();
        Url = new UriBuilder(server) { Host = "127.0.0.1", Port = ((IPEndPoint)_listener.LocalEndpoint).Port }.Uri;
        _accepting = Task.Run(AcceptAsync);
    }

    /// <summary>Where clients ask instead of the server.</summary>
    public Uri Url { get; }

    /// <summary>How much later each request is sent on.</summary>
    public TimeSpan Delay { get; set; }

    /// <summary>What happens to a request; null: nothing. From any thread.</summary>
    public Func<ProxiedRequest, NetworkFault?> Decide { get; set; } = _ => null;

    /// <summary>What was asked, in the order in which it came.</summary>
    public IReadOnlyList<ProxiedRequest> Requests => [.. _requests];

    /// <summary>Nothing travels for a time, in either direction; then whatever was connected is no longer, as after a router has forgotten it.</summary>
    public Task FallSilentAsync(TimeSpan time) => _silence = SilenceAsync(time);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        CutAll();
        await _accepting;
        _stop.Dispose();
    }

    /// <summary>Faults by chance, the same for the same seed: about one in so many requests meets one of them.</summary>
    public static Func<ProxiedRequest, NetworkFault?> AtRandom(int seed, int oneIn, params NetworkFault[] faults) => request =>
    {
        // By number, not by a row of random numbers: requests come in any order.
        var random = new Random((seed * 1_000_003) ^ (request.Number * 7919));
        return random.Next(oneIn) == 0 ? faults[random.Next(faults.Length)] : null;
    };

    private async Task SilenceAsync(TimeSpan time)
    {
        await Task.Delay(time);
        CutAll();
    }

    private void CutAll()
    {
        foreach (Exchange exchange in _exchanges.Keys)
        {
            exchange.Reset();
        }
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var exchange = new Exchange(this, await _listener.AcceptSocketAsync(_stop.Token));
                _exchanges.TryAdd(exchange, 0);
                _ = Task.Run(exchange.RunAsync);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The listener was stopped: nothing more is accepted.
        }
    }

    /// <summary>One connection of a client, and the one to the server that belongs to it.</summary>
    private sealed class Exchange(FaultProxy proxy, Socket client) : IDisposable
    {
        private readonly Socket _server = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

        public async Task RunAsync()
        {
            try
            {
                client.NoDelay = true;
                await _server.ConnectAsync(proxy._server, proxy._stop.Token);
                using var fromClient = new MessageReader(client);
                using var fromServer = new MessageReader(_server);
                while (await fromClient.ReadHeadAsync() is { } head && await PassOnAsync(head, fromClient, fromServer))
                {
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException or IOException)
            {
                // Either side went away, or a test had it cut: so does the other.
            }
            finally
            {
                proxy._exchanges.TryRemove(this, out _);
                Dispose();
            }
        }

        public void Dispose()
        {
            client.Dispose();
            _server.Dispose();
        }

        /// <summary>Ends both connections at once, as a reset.</summary>
        public void Reset()
        {
            foreach (Socket socket in new[] { client, _server })
            {
                try
                {
                    socket.LingerState = new LingerOption(enable: true, seconds: 0);
                }
                catch (Exception e) when (e is SocketException or ObjectDisposedException)
                {
                    // It has ended by itself.
                }

                socket.Dispose();
            }
        }

        // Returns whether the connection goes on.
        private async Task<bool> PassOnAsync(MessageHead head, MessageReader fromClient, MessageReader fromServer)
        {
            string[] line = head.FirstLine.Split(' ');
            var request = new ProxiedRequest(Interlocked.Increment(ref proxy._count), line[0], line[1], head.BodyLength ?? 0);
            proxy._requests.Enqueue(request);
            await proxy._silence;
            if (proxy.Delay > TimeSpan.Zero)
            {
                await Task.Delay(proxy.Delay, proxy._stop.Token);
            }

            NetworkFault? fault = proxy.Decide(request);
            switch (fault)
            {
                case NetworkFault.Reset { Of: Direction.Request } reset:
                    await fromClient.CopyAsync(head, hasBody: true, _server, reset.After);
                    Reset();
                    return false;
                case NetworkFault.Loss:
                    // The server did it; nobody is told.
                    await fromClient.CopyAsync(head, hasBody: true, _server, null);
                    await fromServer.ReadHeadAsync();
                    return false;
                case NetworkFault.Answer answer:
                    await fromClient.CopyAsync(head, hasBody: true, null, null);
                    (byte[] answerHead, byte[] answerBody) = answer.ToMessage(hasBody: request.Method != "HEAD");
                    await MessageReader.SendAsync(client, answerHead);
                    await Task.Delay(answer.BodyDelay, proxy._stop.Token);
                    await MessageReader.SendAsync(client, answerBody);
                    return true;
            }

            await fromClient.CopyAsync(head, hasBody: true, _server, null);
            MessageHead response = await fromServer.ReadHeadAsync() ?? throw new IOException("the server hung up");
            while (response.Status is >= 100 and < 200)
            {
                // It asks for what it has already.
                response = await fromServer.ReadHeadAsync() ?? throw new IOException("the server hung up");
            }

            await proxy._silence;
            bool hasBody = request.Method != "HEAD" && response.Status is not (204 or 304);
            switch (fault)
            {
                case NetworkFault.Reset reset:
                    await fromServer.CopyAsync(response, hasBody, client, reset.After);
                    Reset();
                    return false;
                case NetworkFault.TornBody torn:
                    await fromServer.CopyAsync(response, hasBody, client, response.Bytes.Length + torn.After);
                    client.Shutdown(SocketShutdown.Both);
                    return false;
                default:
                    await fromServer.CopyAsync(response, hasBody, client, null);
                    return !response.Closes;
            }
        }
    }

    /// <summary>The first line and the headers of a message, as they came.</summary>
    private sealed record MessageHead(byte[] Bytes)
    {
        private readonly string _text = Encoding.Latin1.GetString(Bytes);

        public string FirstLine => _text[.._text.IndexOf('\r', StringComparison.Ordinal)];

        public int Status => int.Parse(FirstLine.Split(' ')[1], CultureInfo.InvariantCulture);

        public long? BodyLength => Header("Content-Length") is { } length ? long.Parse(length, CultureInfo.InvariantCulture) : null;

        public bool IsChunked => Header("Transfer-Encoding") is "chunked";

        public bool Closes => Header("Connection") is "close";

        private string? Header(string name) => _text.Split("\r\n")
            .Where(line => line.StartsWith(name + ':', StringComparison.OrdinalIgnoreCase))
            .Select(line => line[(name.Length + 1)..].Trim())
            .FirstOrDefault();
    }

    /// <summary>Reads messages from a connection, one after the other.</summary>
    private sealed class MessageReader(Socket source) : IDisposable
    {
        private readonly BufferedStream _stream = new(new NetworkStream(source, ownsSocket: false), 64 << 10);

        /// <summary>The head of the next message; null where there is none.</summary>
        public async Task<MessageHead?> ReadHeadAsync()
        {
            var bytes = new List<byte>(1024);
            while (!EndsHead(bytes))
            {
                if (!await ReadLineAsync(bytes))
                {
                    return bytes.Count == 0 ? null : throw new IOException("the message broke off");
                }
            }

            return new MessageHead([.. bytes]);
        }

        /// <summary>Sends a message on, or swallows it.</summary>
        /// <param name="limit">How many bytes of it; null for all.</param>
        public async Task CopyAsync(MessageHead head, bool hasBody, Socket? target, long? limit)
        {
            long left = limit ?? long.MaxValue;
            await PassAsync(head.Bytes);
            if (hasBody && head.IsChunked)
            {
                for (bool last = false; !last && left > 0;)
                {
                    var line = new List<byte>();
                    await ReadLineAsync(line);
                    long length = long.Parse(Encoding.Latin1.GetString([.. line]).Trim(), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
                    last = length == 0;
                    await PassAsync(line.ToArray());
                    await PassBodyAsync(length + 2);
                }
            }
            else if (hasBody)
            {
                await PassBodyAsync(head.BodyLength ?? 0);
            }

            async Task PassBodyAsync(long length)
            {
                byte[] buffer = new byte[64 << 10];
                while (length > 0 && left > 0)
                {
                    int read = await _stream.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, length)));
                    if (read == 0)
                    {
                        throw new IOException("the message broke off");
                    }

                    length -= read;
                    await PassAsync(buffer.AsMemory(0, read));
                }
            }

            async Task PassAsync(ReadOnlyMemory<byte> bytes)
            {
                ReadOnlyMemory<byte> part = bytes[..(int)Math.Min(bytes.Length, left)];
                left -= part.Length;
                if (target is not null)
                {
                    await SendAsync(target, part);
                }
            }
        }

        public static async Task SendAsync(Socket target, ReadOnlyMemory<byte> bytes)
        {
            while (bytes.Length > 0)
            {
                bytes = bytes[await target.SendAsync(bytes)..];
            }
        }

        public void Dispose() => _stream.Dispose();

        private async Task<bool> ReadLineAsync(List<byte> bytes)
        {
            byte[] one = new byte[1];
            do
            {
                if (await _stream.ReadAsync(one) == 0)
                {
                    return false;
                }

                bytes.Add(one[0]);
            }
            while (one[0] != '\n' && bytes.Count < MaxHead);
            return true;
        }

        private static bool EndsHead(List<byte> bytes) => CollectionsMarshal.AsSpan(bytes).EndsWith("\r\n\r\n"u8);
    }
}

/// <summary>A request as a <see cref="FaultProxy"/> saw it.</summary>
/// <param name="Number">From 1, in the order in which they came.</param>
/// <param name="Method">As in "PUT".</param>
/// <param name="Target">Path and query.</param>
/// <param name="Length">Bytes of its body.</param>
public sealed record ProxiedRequest(int Number, string Method, string Target, long Length);

/// <summary>Which half of an exchange.</summary>
public enum Direction
{
    Request,
    Response,
}

/// <summary>What becomes of a request on a bad network.</summary>
public abstract record NetworkFault
{
    /// <summary>The connection is reset when so many bytes of the message have passed, head included.</summary>
    public sealed record Reset(Direction Of, long After) : NetworkFault;

    /// <summary>It is carried out, and its answer lost with the connection.</summary>
    public sealed record Loss : NetworkFault;

    /// <summary>The answer's body ends, in order, after so many bytes.</summary>
    public sealed record TornBody(long After) : NetworkFault;

    /// <summary>It does not come to the server: somebody else answers.</summary>
    /// <param name="Status">The HTTP status.</param>
    /// <param name="Code">The code by which Azure Storage names the error.</param>
    /// <param name="RetryAfter">In whole seconds; null to leave it open.</param>
    public sealed record Answer(int Status, string Code, TimeSpan? RetryAfter = null) : NetworkFault
    {
        /// <summary>How much later than its head its body comes.</summary>
        public TimeSpan BodyDelay { get; init; }

        internal (byte[] Head, byte[] Body) ToMessage(bool hasBody)
        {
            string body =
                !hasBody ? "" : $"<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>{Code}</Code><Message>The test's network says so.</Message></Error>";
            string retryAfter = RetryAfter is { } time ? string.Create(CultureInfo.InvariantCulture, $"Retry-After: {(long)time.TotalSeconds}\r\n") : "";
            string head =
                $"HTTP/1.1 {Status} {Code}\r\nx-ms-error-code: "
                    + $"{Code}\r\n{(hasBody ? "Content-Type: application/xml\r\n" : "")}{retryAfter}Content-Length: {body.Length}\r\n\r\n";
            return (Encoding.Latin1.GetBytes(head), Encoding.Latin1.GetBytes(body));
        }
    }
}
