using System.Security.Authentication;
using MSOnlineBackup.Storage.Azure.Transport;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;
using Xunit;
using static MSOnlineBackup.Storage.Azure.Tests.Transport.TransportFixture;

namespace MSOnlineBackup.Storage.Azure.Tests.Transport;

public sealed class TlsTests
{
    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task TLS_from_1_2_on_is_spoken(SslProtocols protocol)
    {
        await using LoopbackServer server = Secure(protocol);

        Assert.Equal("ok", await GetAsync(new VaultConnection(), Trusting, UrlOf(server)));
    }

    // The server's side by hand: not every system lets a program serve these versions.
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_server_with_TLS_1_0_or_1_1_is_refused_before_a_request_is_sent(byte minor)
    {
        byte[]? received = null;
        await using var server = new LoopbackServer(async (stream, stop) =>
        {
            var header = new byte[5];
            await stream.ReadExactlyAsync(header, stop);
            await stream.ReadExactlyAsync(new byte[(header[3] << 8) | header[4]], stop);
            byte[] hello = [3, minor, .. new byte[32], 0, 0, 0x2F, 0];
            await stream.WriteAsync((byte[])[22, 3, minor, 0, (byte)(hello.Length + 4), 2, 0, 0, (byte)hello.Length, .. hello], stop);
            using var rest = new MemoryStream();
            await stream.CopyToAsync(rest, stop);
            received = rest.ToArray();
        });

        BackupException error = await FailAsync(new VaultConnection(), Trusting, UrlOf(server));
        await server.StopAsync();

        Assert.Equal((BackupErrorId.SecureConnectionFailed, false), (error.Id, error.IsTransient));
        Assert.Contains("TLS 1.2", error.Message, StringComparison.Ordinal);
        Assert.True(received is null or [] or [21, ..], "Only an alert answers such a server.");
    }

    [Fact]
    public async Task A_certificate_that_is_not_trusted_is_refused()
    {
        await using LoopbackServer server = Secure(SslProtocols.None);

        BackupException error = await FailAsync(new VaultConnection(), Isolated, UrlOf(server));

        Assert.Equal((BackupErrorId.SecureConnectionFailed, false), (error.Id, error.IsTransient));
        Assert.Contains("certificate", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_connection_that_breaks_off_during_the_handshake_may_succeed_later()
    {
        await using var server = new LoopbackServer((_, _) => Task.CompletedTask);

        BackupException error = await FailAsync(new VaultConnection(), Trusting, UrlOf(server));

        Assert.Equal((BackupErrorId.VaultUnreachable, true), (error.Id, error.IsTransient));
    }

    [Fact]
    public void Production_leaves_certificates_to_the_system() => Assert.Null(new TransportOptions().CertificateCheck);

    private static LoopbackServer Secure(SslProtocols protocols) => new(LoopbackServer.Secured(LoopbackServer.Answering(Ok), protocols));

    private static Uri UrlOf(LoopbackServer server) => new($"https://127.0.0.1:{server.Port}/");
}
