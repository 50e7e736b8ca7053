using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MSOnlineBackup.Engine.Errors;
using MSOnlineBackup.Engine.Storage;
using MSOnlineBackup.Storage.Azure.Transport;
using Xunit;

namespace MSOnlineBackup.Storage.Azure.Tests.Transport;

/// <summary>What the tests of the transport share.</summary>
internal static class TransportFixture
{
    public const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    /// <summary>A certificate that nobody trusts.</summary>
    public static X509Certificate2 Certificate { get; } = CreateCertificate();

    /// <summary>Options by which nothing of the machine the tests run on counts: no proxy, and every name unknown.</summary>
    public static TransportOptions Isolated { get; } = new()
    {
        SurroundingProxy = new WebProxy(),
        Variable = _ => null,
        ResolveAsync = (host, _) => throw new InvalidOperationException($"'{host}' was resolved."),
    };

    /// <summary>Isolated, and the server's certificate is taken as it is.</summary>
    public static TransportOptions Trusting { get; } = Isolated with { CertificateCheck = (_, certificate, _, _) => certificate is not null };

    /// <summary>A resolver that knows one answer.</summary>
    public static Func<string, CancellationToken, Task<IPAddress[]>> Resolving(params string[] addresses) =>
        (_, _) => Task.FromResult(addresses.Select(IPAddress.Parse).ToArray());

    public static async Task<string> GetAsync(VaultConnection connection, TransportOptions options, Uri url)
    {
        using var client = new HttpClient(AzureTransport.CreateHandler(connection, options));
        using HttpResponseMessage response = await client.GetAsync(url, TestContext.Current.CancellationToken);
        response.EnsureSuccessStatusCode();
        return await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>The error that a request ends with, as the clients' users get it.</summary>
    public static async Task<BackupException> FailAsync(VaultConnection connection, TransportOptions options, Uri url)
    {
        Exception thrown = await Assert.ThrowsAnyAsync<Exception>(() => GetAsync(connection, options, url));
        return Assert.IsType<BackupException>(TransportErrors.Find(thrown));
    }

    /// <summary>A server's side of TLS.</summary>
    public static async Task<SslStream> AuthenticateAsync(Stream stream, System.Security.Authentication.SslProtocols protocols, CancellationToken stop)
    {
        var secure = new SslStream(stream);
        await secure.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = Certificate, EnabledSslProtocols = protocols }, stop);
        return secure;
    }

    private static X509Certificate2 CreateCertificate()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=vault.invalid", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, new DateTimeOffset(2100, 1, 1, 0, 0, 0, TimeSpan.Zero));

        // Windows serves only with a key that was loaded from a container.
        return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pfx), null);
    }
}
