using System.Net;
using MSOnlineBackup.Storage.Azure.Transport;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;
using Xunit;

namespace MSOnlineBackup.Storage.Azure.Tests.Transport;

/// <summary>What the tests of the transport share.</summary>
internal static class TransportFixture
{
    public const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

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
}
