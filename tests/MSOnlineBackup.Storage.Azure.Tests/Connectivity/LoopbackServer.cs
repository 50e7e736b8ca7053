using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace MSOnlineBackup.Storage.Azure.Tests.Connectivity;

/// <summary>A server on this machine that answers every request with the same bytes.</summary>
internal sealed class LoopbackServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Func<Stream, CancellationToken, Task> _serve;
    private readonly Task _accepting;
    private int _requests;

    private LoopbackServer(Func<Stream, CancellationToken, Task> serve)
    {
        _serve = serve;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>How many connections have sent something.</summary>
    public int Requests => Volatile.Read(ref _requests);

    /// <summary>One that speaks plain HTTP.</summary>
    public static LoopbackServer Http(int status, params string[] headers) => new((stream, stop) => AnswerAsync(stream, status, headers, stop));

    /// <summary>One that speaks TLS with a certificate of its own, for <c>localhost</c>.</summary>
    public static LoopbackServer Https(int status, params string[] headers)
    {
        X509Certificate2 certificate = SelfSigned();
        return new LoopbackServer(async (stream, stop) =>
        {
            var secure = new SslStream(stream);
            await secure.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate }, stop);
            await AnswerAsync(secure, status, headers, stop);
        });
    }

    /// <summary>One that knows TLS 1.0 only: to a greeting of TLS 1.2 it has the alert "protocol version", and nothing else.</summary>
    public static LoopbackServer OldTls() => new(async (stream, stop) =>
    {
        await stream.ReadAtLeastAsync(new byte[64], 1, cancellationToken: stop);
        await stream.WriteAsync(new byte[] { 21, 3, 1, 0, 2, 2, 70 }, stop);
    });

    /// <summary>A port at which nobody listens.</summary>
    public static int ClosedPort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _stop.Dispose();
    }

    private static async Task AnswerAsync(Stream stream, int status, string[] headers, CancellationToken stop)
    {
        using var reader = new StreamReader(stream, Encoding.ASCII, leaveOpen: true);
        while (await reader.ReadLineAsync(stop) is { Length: > 0 })
        {
        }

        string text = $"HTTP/1.1 {status} Told\r\nContent-Length: 0\r\nConnection: close\r\n{string.Concat(headers.Select(header => header + "\r\n"))}\r\n";
        await stream.WriteAsync(Encoding.ASCII.GetBytes(text), stop);
    }

    private static X509Certificate2 SelfSigned()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256) { CertificateExtensions = { names.Build() } };
        using X509Certificate2 made = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
    }

    private async Task AcceptAsync()
    {
        var serving = new List<Task>();
        try
        {
            while (true)
            {
                serving.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(serving);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                // A connection that is only made, to see whether it can be, is no request.
                if (await client.Client.ReceiveAsync(new byte[1], SocketFlags.Peek, _stop.Token) > 0)
                {
                    Interlocked.Increment(ref _requests);
                    await _serve(client.GetStream(), _stop.Token);
                }
            }
            catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or System.Security.Authentication.AuthenticationException)
            {
                // The other side has broken off: what it makes of it is what is tested.
            }
        }
    }
}
