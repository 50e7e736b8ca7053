using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Identity;
using MSOnlineBackup.Storage.Azure.KeyVault;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using Xunit;

namespace MSOnlineBackup.Storage.Azure.Tests.KeyVault;

/// <summary>Clients of a <see cref="KeyVaultServer"/>.</summary>
internal static class KeyVaultClients
{
    public static readonly PassphraseOwner Owner = new("alpha.example.org", "Office", new string('a', 32));

    public static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static KeyVaultKey Key(this KeyVaultServer server, string path = "keys/wrapping", TokenCredential? credential = null) =>
        new(KeyVaultAddress.ParseKey(KeyVaultServer.Uri + path), credential ?? new TestCredential(server.Token), server.Transport());

    public static KeyVaultPassphraseSafe Safe(this KeyVaultServer server, PassphraseOwner? owner = null, TokenCredential? credential = null) =>
        new(KeyVaultAddress.ParseVault(KeyVaultServer.Uri), owner ?? Owner, credential ?? new TestCredential(server.Token), server.Transport());

    public static HttpPipelineTransport Transport(this KeyVaultServer server) => new HttpClientTransport(new HttpClient(server.CreateHandler()));

    public static async Task<BackupException> FailsAsync(BackupErrorId id, string? code, Func<Task> action)
    {
        BackupException fault = await Assert.ThrowsAsync<BackupException>(action);
        Assert.Equal((id, code), (fault.Id, fault.ErrorCode));
        Assert.Contains("backups.vault.azure.net", fault.Message, StringComparison.Ordinal);
        return fault;
    }
}

/// <summary>Offers one token, or none, and notes what for.</summary>
internal sealed class TestCredential(string? token) : TokenCredential
{
    public List<TokenRequestContext> Asked { get; } = [];

    public override AccessToken GetToken(TokenRequestContext requestContext, CancellationToken cancellationToken)
    {
        Asked.Add(requestContext);
        return token is null ? throw new CredentialUnavailableException("No identity is set up here.") : new AccessToken(token, DateTimeOffset.MaxValue);
    }

    public override ValueTask<AccessToken> GetTokenAsync(TokenRequestContext requestContext, CancellationToken cancellationToken) =>
        new(GetToken(requestContext, cancellationToken));
}
