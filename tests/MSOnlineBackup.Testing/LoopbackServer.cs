using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace MSOnlineBackup.Testing;

/// <summary>A server on loopback that talks as the test says, and counts what reaches it.</summary>
public sealed class LoopbackServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;
    private int _connections;

    /// <summary>Listens.</summary>
    /// <param name="serveAsync">What is done with each connection; it is closed afterwards.</param>
    public LoopbackServer(Func<Stream, CancellationToken, Task> serveAsync)
    {
        _listener.Start();
        _running = AcceptAsync(serveAsync);
    }

    /// <summary>The certificate of all of them, which nobody trusts.</summary>
    public static X509Certificate2 Certificate { get; } = CreateCertificate();

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public Uri Url => new($"http://127.0.0.1:{Port}/");

    public int Connections => Volatile.Read(ref _connections);

    /// <summary>The lines of a request's head, or of an answer's; empty at the end of the connection.</summary>
    public static async Task<string[]> ReadHeadAsync(Stream stream, CancellationToken stop)
    {
        var head = new StringBuilder();
        var one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            if (await stream.ReadAsync(one, stop) == 0)
            {
                return [];
            }

            head.Append((char)one[0]);
        }

        return head.ToString().Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>Writes text.</summary>
    public static ValueTask WriteAsync(Stream stream, string text, CancellationToken stop) => stream.WriteAsync(Encoding.Latin1.GetBytes(text), stop);

    /// <summary>Answers each request of a connection with the same text.</summary>
    public static Func<Stream, CancellationToken, Task> Answering(string answer) => async (stream, stop) =>
    {
        while (await ReadHeadAsync(stream, stop) is { Length: > 0 })
        {
            await WriteAsync(stream, answer, stop);
        }
    };

    /// <summary>Speaks TLS first.</summary>
    public static Func<Stream, CancellationToken, Task> Secured(
        Func<Stream, CancellationToken, Task> serveAsync, SslProtocols protocols = SslProtocols.None) => async (stream, stop) =>
    {
        await using var secure = new SslStream(stream);
        await secure.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = Certificate, EnabledSslProtocols = protocols }, stop);
        await serveAsync(secure, stop);
    };

    /// <summary>A port at which nobody listens.</summary>
    public static int ClosedPort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>Stops, and waits for what it serves to end.</summary>
    public async ValueTask StopAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _listener.Stop();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stop.Dispose();
    }

    private static X509Certificate2 CreateCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=loopback.invalid", key, HashAlgorithmName.SHA256);
        using X509Certificate2 made = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(200));

        // Windows serves only with a key that was loaded from a container.
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
    }

    private async Task AcceptAsync(Func<Stream, CancellationToken, Task> serveAsync)
    {
        var serving = new List<Task>();
        try
        {
            while (true)
            {
                TcpClient client = await _listener.AcceptTcpClientAsync(_stop.Token);
                Interlocked.Increment(ref _connections);
                serving.Add(ServeAsync(client, serveAsync));
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(serving);
        }
    }

    private async Task ServeAsync(TcpClient client, Func<Stream, CancellationToken, Task> serveAsync)
    {
        using (client)
        {
            try
            {
                await serveAsync(client.GetStream(), _stop.Token);
            }
            catch (Exception e) when (e is IOException or OperationCanceledException or AuthenticationException)
            {
                // The client left, or the test is over.
            }
        }
    }
}
