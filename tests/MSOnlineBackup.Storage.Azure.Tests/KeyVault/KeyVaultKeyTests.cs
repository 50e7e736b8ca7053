using System.Net.Sockets;
using System.Security.Cryptography;
using Azure.Core.Pipeline;
using MSOnlineBackup.Storage.Azure.KeyVault;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using Xunit;
using static MSOnlineBackup.Storage.Azure.Tests.KeyVault.KeyVaultClients;

namespace MSOnlineBackup.Storage.Azure.Tests.KeyVault;

public class KeyVaultKeyTests
{
    private static readonly byte[] _secret = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];

    [Fact]
    public async Task What_is_wrapped_comes_back_and_only_the_Key_Vault_can_tell_what_it_was()
    {
        await using var server = new KeyVaultServer();
        KeyVaultServer.Key version = server.AddKey("wrapping");
        KeyVaultKey key = server.Key();

        WrappedKey wrapped = await key.WrapAsync(_secret, Cancel);

        Assert.Equal($"{KeyVaultServer.Uri}keys/wrapping/{version.Version}", wrapped.KeyId);
        Assert.Equal(_secret, version.Rsa.Decrypt(wrapped.Content, RSAEncryptionPadding.OaepSHA256));
        Assert.Equal(_secret, await key.UnwrapAsync(wrapped, Cancel));
    }

    [Fact]
    public async Task The_newest_version_wraps_and_an_older_one_unwraps_what_it_wrapped()
    {
        await using var server = new KeyVaultServer();
        server.AddKey("wrapping");
        WrappedKey old = await server.Key().WrapAsync(_secret, Cancel);
        KeyVaultServer.Key second = server.AddKey("wrapping");

        WrappedKey renewed = await server.Key().WrapAsync(_secret, Cancel);

        Assert.EndsWith(second.Version, renewed.KeyId, StringComparison.Ordinal);
        Assert.Equal(_secret, await server.Key().UnwrapAsync(old, Cancel));
        Assert.Equal(_secret, await server.Key($"keys/wrapping/{second.Version}").UnwrapAsync(renewed, Cancel));
    }

    [Fact]
    public async Task The_first_request_carries_neither_a_token_nor_the_key()
    {
        await using var server = new KeyVaultServer();
        KeyVaultServer.Key version = server.AddKey("wrapping");
        var credential = new TestCredential(server.Token);

        await server.Key($"keys/wrapping/{version.Version}", credential).WrapAsync(_secret, Cancel);

        Assert.Equal([(null, true), ($"Bearer {server.Token}", false)], server.Requests.Select(request => (request.Authorization, request.Body.Length == 0)));
        Assert.Equal("https://vault.azure.net/.default", Assert.Single(credential.Asked[0].Scopes));
        Assert.Equal(KeyVaultServer.Tenant, credential.Asked[0].TenantId);
    }

    [Theory]
    [InlineData("https://example.org")]
    [InlineData("https://net")]
    [InlineData("https://management.azure.com")]
    [InlineData("http://vault.azure.net")]
    [InlineData("https://vault.azure.net.example.org")]
    [InlineData("")]
    public async Task Who_asks_for_a_token_for_something_else_gets_none(string resource)
    {
        await using var server = new KeyVaultServer { Resource = resource };
        server.AddKey("wrapping");
        var credential = new TestCredential(server.Token);

        await FailsAsync(BackupErrorId.KeyVaultUntrusted, null, () => server.Key(credential: credential).WrapAsync(_secret, Cancel));

        Assert.Empty(credential.Asked);
        Assert.All(server.Requests, request => Assert.Null(request.Authorization));
    }

    [Fact]
    public async Task What_another_key_wrapped_or_nobody_did_gives_nothing()
    {
        await using var server = new KeyVaultServer();
        server.AddKey("wrapping");
        server.AddKey("other");
        WrappedKey other = await server.Key("keys/other").WrapAsync(_secret, Cancel);
        WrappedKey own = await server.Key().WrapAsync(_secret, Cancel);
        int before = server.Requests.Count;

        Assert.Null(await server.Key().UnwrapAsync(other, Cancel));
        Assert.Null(await server.Key().UnwrapAsync(own with { KeyId = "https://thieves.vault.azure.net/keys/wrapping/1" }, Cancel));
        Assert.Null(await server.Key().UnwrapAsync(own with { KeyId = "https://example.org/" }, Cancel));
        Assert.Null(await server.Key("keys/wrapping/1").UnwrapAsync(own, Cancel));
        Assert.Equal(before, server.Requests.Count);

        Assert.Null(await server.Key().UnwrapAsync(own with { Content = other.Content }, Cancel));
        Assert.Null(await server.Key().UnwrapAsync(own with { Content = [1, 2, 3] }, Cancel));
    }

    [Fact]
    public async Task A_disabled_key_neither_wraps_nor_unwraps()
    {
        await using var server = new KeyVaultServer();
        KeyVaultServer.Key version = server.AddKey("wrapping");
        WrappedKey wrapped = await server.Key().WrapAsync(_secret, Cancel);
        version.IsEnabled = false;

        await FailsAsync(BackupErrorId.KeyVaultKeyUnusable, null, () => server.Key().WrapAsync(_secret, Cancel));
        BackupException fault = await FailsAsync(BackupErrorId.KeyVaultKeyUnusable, null, () => server.Key().UnwrapAsync(wrapped, Cancel));

        Assert.Contains("disabled", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_expired_key_wraps_no_more_and_still_unwraps()
    {
        await using var server = new KeyVaultServer();
        KeyVaultServer.Key version = server.AddKey("wrapping");
        WrappedKey wrapped = await server.Key().WrapAsync(_secret, Cancel);
        version.IsExpired = true;

        await FailsAsync(BackupErrorId.KeyVaultKeyUnusable, null, () => server.Key().WrapAsync(_secret, Cancel));
        Assert.Equal(_secret, await server.Key().UnwrapAsync(wrapped, Cancel));
    }

    [Fact]
    public async Task A_key_that_is_not_RSA_or_not_there_is_told()
    {
        await using var server = new KeyVaultServer();
        server.AddKey("curve", "EC");

        await FailsAsync(BackupErrorId.KeyVaultKeyUnusable, null, () => server.Key("keys/curve").WrapAsync(_secret, Cancel));
        await FailsAsync(BackupErrorId.KeyVaultKeyNotFound, null, () => server.Key().WrapAsync(_secret, Cancel));
    }

    [Theory]
    [InlineData("keys/get")]
    [InlineData("keys/wrapKey")]
    public async Task A_missing_permission_is_error_391225_and_named(string permission)
    {
        await using var server = new KeyVaultServer();
        server.AddKey("wrapping");
        server.Permissions.Remove(permission);

        BackupException fault = await FailsAsync(BackupErrorId.KeyVaultAccessDenied, "391225", () => server.Key().WrapAsync(_secret, Cancel));

        Assert.Contains($"'{permission.Split('/')[1]}'", fault.RecommendedAction, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_identity_and_a_token_that_is_refused_are_error_391224()
    {
        await using var server = new KeyVaultServer();
        server.AddKey("wrapping");

        await FailsAsync(BackupErrorId.KeyVaultIdentityMissing, "391224", () => server.Key(credential: new TestCredential(null)).WrapAsync(_secret, Cancel));
        await FailsAsync(
            BackupErrorId.KeyVaultIdentityMissing, "391224", () => server.Key(credential: new TestCredential("of another tenant")).WrapAsync(_secret, Cancel));
    }

    [Fact]
    public async Task A_firewall_is_told_from_a_missing_permission()
    {
        await using var server = new KeyVaultServer { IsFirewalled = true };
        server.AddKey("wrapping");

        await FailsAsync(BackupErrorId.KeyVaultFirewalled, null, () => server.Key().WrapAsync(_secret, Cancel));
    }

    [Fact]
    public async Task A_Key_Vault_that_is_busy_is_asked_again()
    {
        await using var server = new KeyVaultServer();
        server.AddKey("wrapping");
        KeyVaultKey key = server.Key();
        server.Failures.Enqueue(503);
        server.Failures.Enqueue(null);
        server.Failures.Enqueue(null);
        server.Failures.Enqueue(429);

        WrappedKey wrapped = await key.WrapAsync(_secret, Cancel);

        Assert.Equal(_secret, await key.UnwrapAsync(wrapped, Cancel));
        Assert.Empty(server.Failures);
    }

    [Fact]
    public async Task A_Key_Vault_that_stays_busy_is_a_passing_fault()
    {
        await using var server = new KeyVaultServer();
        for (int i = 0; i < 4; i++)
        {
            server.Failures.Enqueue(503);
        }

        BackupException fault = await FailsAsync(BackupErrorId.KeyVaultUnreachable, null, () => server.Key().WrapAsync(_secret, Cancel));

        Assert.True(fault.IsTransient);
        Assert.Equal(TimeSpan.Zero, fault.RetryAfter);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("1")]
    [InlineData("""{"key":[]}""")]
    [InlineData("""{"key":{"kid":1}}""")]
    [InlineData("""{"key":{"kid":"https://team.vault.azure.net/keys/wrapping/1","kty":1}}""")]
    [InlineData("""{"value":1}""")]
    [InlineData("""{"value":"?"}""")]
    public async Task An_answer_that_makes_no_sense_is_told_as_such(string answer)
    {
        using var handler = new AnsweringHandler(answer);
        foreach (string uri in new[] { "keys/wrapping", "keys/wrapping/1" })
        {
            var key = new KeyVaultKey(
                KeyVaultAddress.ParseKey("https://team.vault.azure.net/" + uri), new TestCredential("none"), new HttpClientTransport(new HttpClient(handler)));

            BackupException fault = await Assert.ThrowsAsync<BackupException>(() => key.WrapAsync(_secret, Cancel));

            Assert.Contains(fault.Id, new[] { BackupErrorId.KeyVaultUnreachable, BackupErrorId.KeyVaultKeyUnusable });
        }
    }

    [Fact]
    public async Task A_Key_Vault_that_no_name_server_knows_is_error_391283()
    {
        using var handler = new SocketsHttpHandler { UseProxy = false, ConnectCallback = (_, _) => throw new SocketException((int)SocketError.HostNotFound) };
        var key = new KeyVaultKey(
            KeyVaultAddress.ParseKey(KeyVaultServer.Uri + "keys/wrapping"), new TestCredential("none"), new HttpClientTransport(new HttpClient(handler)));

        BackupException fault = await FailsAsync(BackupErrorId.KeyVaultNotFound, "391283", () => key.WrapAsync(_secret, Cancel));

        Assert.False(fault.IsTransient);
    }

    private sealed class AnsweringHandler(string answer) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(new HttpResponseMessage(System.Net.HttpStatusCode.OK) { Content = new StringContent(answer) });
    }
}
