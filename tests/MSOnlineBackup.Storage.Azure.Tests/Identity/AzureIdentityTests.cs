using Azure;
using Azure.Core;
using Azure.Identity;
using Azure.Storage.Blobs;
using MSOnlineBackup.Storage.Azure.Identity;
using MSOnlineBackup.Storage.Azure.Locations;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;
using Xunit;

namespace MSOnlineBackup.Storage.Azure.Tests.Identity;

public sealed class AzureIdentityTests
{
    private const string Signature = "sv=2024-11-04&se=9000-12-01T00%3A00%3A00Z&sr=c&sp=racl&sig=c2VjcmV0";
    private const string Key = "c2VjcmV0c2VjcmV0";

    private static readonly DateTimeOffset _now = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);
    private static readonly BlobLocation _location = BlobLocation.Parse("https://acct.blob.core.windows.net/vault");
    private static readonly BlobLocation _emulator = BlobLocation.Parse("http://127.0.0.1:10000/devstoreaccount1/vault");

    [Fact]
    public void What_the_registration_keeps_comes_before_all_of_the_environment()
    {
        StorageSecret? found = Find(
            _location,
            secret: "?" + Signature,
            ("AZURE_STORAGE_CONNECTION_STRING", $"AccountName=acct;AccountKey={Key}"),
            ("AZURE_STORAGE_SAS_TOKEN", "sv=1&sig=other"),
            ("AZURE_STORAGE_KEY", Key));

        Assert.Equal(Signature, Assert.IsType<StorageSecret.SharedAccess>(found).Signature);
    }

    [Fact]
    public void A_connection_string_comes_before_a_signature_and_that_before_a_key()
    {
        (string, string) key = ("AZURE_STORAGE_KEY", "a2V5MQ==");
        (string, string) signature = ("AZURE_STORAGE_SAS_TOKEN", Signature);
        (string, string) connection =
            ("AZURE_STORAGE_CONNECTION_STRING", $"DefaultEndpointsProtocol=https;AccountName=acct;AccountKey={Key}==;EndpointSuffix=core.windows.net");

        Assert.Equal("a2V5MQ==", Assert.IsType<StorageSecret.AccountKey>(Find(_location, null, key)).Key);
        Assert.Equal(Signature, Assert.IsType<StorageSecret.SharedAccess>(Find(_location, null, key, signature)).Signature);
        Assert.Equal(
            "c2VjcmV0", Assert.IsType<StorageSecret.AccountKey>(Find(_location, null, key, signature, ("AZURE_STORAGE_CONNECTION_STRING", "AccountName=acct;AccountKey=c2VjcmV0"))).Key);
        Assert.Equal(BackupErrorId.StorageSecretInvalid, Fail(_location, null, connection).Id);
    }

    [Theory]
    [InlineData("BlobEndpoint=https://acct.blob.core.windows.net/;SharedAccessSignature=" + Signature)]
    [InlineData("SharedAccessSignature=" + Signature + ";AccountName=ACCT")]
    public void A_connection_string_may_hold_a_signature(string text) =>
        Assert.Equal(Signature, Assert.IsType<StorageSecret.SharedAccess>(Find(_location, text)).Signature);

    [Fact]
    public void The_emulator_on_this_machine_needs_nothing_and_everything_else_the_machines_identity()
    {
        Assert.IsType<StorageSecret.AccountKey>(Find(_emulator, null));
        Assert.IsType<StorageSecret.AccountKey>(Find(_emulator, "UseDevelopmentStorage=true"));
        Assert.Null(Find(_location, null, ("AZURE_STORAGE_KEY", " ")));
    }

    [Theory]
    [InlineData("AZURE_STORAGE_CONNECTION_STRING", "AccountName=other;AccountKey=" + Key, "other")]
    [InlineData("AZURE_STORAGE_CONNECTION_STRING", "BlobEndpoint=https://other.blob.core.windows.net;SharedAccessSignature=" + Signature, "other.blob.core.windows.net")]
    [InlineData("AZURE_STORAGE_CONNECTION_STRING", "UseDevelopmentStorage=true", "devstoreaccount1")]
    public void A_secret_of_another_account_is_refused_by_name(string name, string value, string account)
    {
        BackupException error = Fail(_location, null, (name, value));

        Assert.Equal(BackupErrorId.StorageSecretForeign, error.Id);
        Assert.StartsWith($"{name} is for the storage account '{account}'", error.Message, StringComparison.Ordinal);
        Assert.Contains("'acct'", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("AZURE_STORAGE_SAS_TOKEN", Signature)]
    [InlineData("AZURE_STORAGE_KEY", Key)]
    public void A_key_or_signature_belongs_to_the_account_that_is_named_beside_it(string name, string value)
    {
        Assert.NotNull(Find(_location, null, (name, value), ("AZURE_STORAGE_ACCOUNT", "acct")));
        Assert.Equal(BackupErrorId.StorageSecretForeign, Fail(_location, null, (name, value), ("AZURE_STORAGE_ACCOUNT", "other")).Id);
    }

    [Theory]
    [InlineData("2026-11-21T12:00:00Z", "2026-11-21 at 12:00 UTC")]
    [InlineData("2026-11-21T11%3A59Z", "2026-11-21 at 11:59 UTC")]
    [InlineData("2026-11-20", "2026-11-20 at 00:00 UTC")]
    public void An_expired_signature_says_since_when(string expires, string told)
    {
        BackupException error = Fail(_location, $"sv=2024-11-04&se={expires}&sp=racl&sig=c2VjcmV0");

        Assert.Equal(BackupErrorId.StorageSecretExpired, error.Id);
        Assert.Contains(told, error.Message, StringComparison.Ordinal);
        Assert.False(error.IsTransient);
    }

    [Theory]
    [InlineData("c2VjcmV0")]
    [InlineData("https://acct.blob.core.windows.net/vault?" + Signature)]
    [InlineData("AccountName=acct;Nothing=c2VjcmV0")]
    [InlineData("AccountName=acct;AccountKey=c2VjcmV0!")]
    [InlineData("sv=1&se=2030-01-01;c2VjcmV0")]
    public void What_is_no_secret_of_an_account_is_refused_without_being_repeated(string text)
    {
        BackupException error = Fail(_location, text);

        Assert.Equal(BackupErrorId.StorageSecretInvalid, error.Id);
        Assert.DoesNotContain("c2VjcmV0", error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("?" + Signature)]
    [InlineData("AccountName=acct;AccountKey=" + Key)]
    public void No_text_repeats_a_secret(string secret)
    {
        var connection = new VaultConnection { Secret = secret };
        StorageSecret found = Find(_location, secret)!;

        Assert.DoesNotContain("c2VjcmV0", found.ToString() + connection, StringComparison.Ordinal);
    }

    [Fact]
    public void A_client_has_the_containers_address_and_no_secret_in_it()
    {
        BlobContainerClient client =
            AzureIdentity.CreateContainerClient(_location, new VaultConnection { Secret = Signature }, new BlobClientOptions(), _ => null);

        Assert.Equal(_location.Url, client.Uri);
        Assert.Equal(("acct", "vault"), (client.AccountName, client.Name));
    }

    [Fact]
    public void A_token_is_never_sent_in_the_clear()
    {
        BlobLocation other = BlobLocation.Parse("http://127.0.0.1:10000/another/vault");

        BackupException error =
            Assert.Throws<BackupException>(() => AzureIdentity.CreateContainerClient(other, new VaultConnection(), new BlobClientOptions(), _ => null));

        Assert.Equal(BackupErrorId.IdentityNotFound, error.Id);
    }

    [Fact]
    public async Task Where_nothing_identifies_the_machine_the_error_lists_what_was_tried()
    {
        BackupException error = await FailAsync(new CredentialUnavailableException("EnvironmentCredential authentication unavailable."));

        Assert.Equal(BackupErrorId.IdentityNotFound, error.Id);
        Assert.False(error.IsTransient);
        Assert.All(
            ["AZURE_STORAGE_CONNECTION_STRING", "AZURE_STORAGE_SAS_TOKEN", "AZURE_STORAGE_KEY", "AZURE_CLIENT_ID", "managed identity", "workload identity", "az"],
            tried => Assert.Contains(tried, error.Message, StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_identity_that_has_worked_may_be_away_for_a_moment()
    {
        var inner = new Scripted(() => new AccessToken("token", _now), () => throw new CredentialUnavailableException("gone"));
        var credential = new MachineCredential(inner);
        await credential.GetTokenAsync(new TokenRequestContext(["scope"]), TestContext.Current.CancellationToken);

        BackupException error = await Assert.ThrowsAsync<BackupException>(
            async () => await credential.GetTokenAsync(new TokenRequestContext(["scope"]), TestContext.Current.CancellationToken));

        Assert.True(error.IsTransient);
    }

    [Fact]
    public async Task A_rejected_identity_comes_with_the_reason_and_is_not_tried_again()
    {
        BackupException error =
            await FailAsync(new AuthenticationFailedException("AADSTS7000222: The provided client secret keys are expired.\r\nTrace ID: 1"));

        Assert.Equal((BackupErrorId.IdentityRejected, false), (error.Id, error.IsTransient));
        Assert.EndsWith("AADSTS7000222: The provided client secret keys are expired.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_network_that_is_away_is_waited_for()
    {
        BackupException error =
            await FailAsync(new AuthenticationFailedException("failed", new AggregateException(new HttpRequestException("No such host is known."))));

        Assert.Equal((BackupErrorId.VaultUnreachable, true), (error.Id, error.IsTransient));
        Assert.Contains("No such host is known.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_the_way_there_has_explained_is_not_explained_again()
    {
        var known = new BackupException(BackupErrorId.VaultUnreachable, "The proxy asks for a password.", "Give it.", errorCode: "100050");

        Assert.Same(known, await FailAsync(new AuthenticationFailedException("failed", new RequestFailedException(0, "failed", known))));
    }

    [Fact]
    public void Tokens_are_asked_for_without_a_wait_too()
    {
        var credential = new MachineCredential(new Scripted(() => new AccessToken("token", _now), () => throw new AuthenticationFailedException("no")));

        Assert.Equal("token", credential.GetToken(new TokenRequestContext(["scope"]), TestContext.Current.CancellationToken).Token);
        Assert.Equal(
            BackupErrorId.IdentityRejected,
            Assert.Throws<BackupException>(() => credential.GetToken(new TokenRequestContext(["scope"]), TestContext.Current.CancellationToken)).Id);
    }

    private static StorageSecret? Find(BlobLocation location, string? secret, params (string Name, string Value)[] environment) => StorageSecret.Find(
        location,
        new VaultConnection { Secret = secret, TimeProvider = new FakeClock(_now) },
        name => environment.SingleOrDefault(variable => variable.Name == name).Value);

    private static BackupException Fail(BlobLocation location, string? secret, params (string Name, string Value)[] environment) =>
        Assert.Throws<BackupException>(() => Find(location, secret, environment));

    private static async Task<BackupException> FailAsync(Exception failure)
    {
        var credential = new MachineCredential(new Scripted(() => throw failure));
        return await Assert.ThrowsAsync<BackupException>(
            async () => await credential.GetTokenAsync(new TokenRequestContext(["scope"]), TestContext.Current.CancellationToken));
    }

    private sealed class Scripted(params Func<AccessToken>[] answers) : TokenCredential
    {
        private int _asked;

        public override AccessToken GetToken(TokenRequestContext requestContext, CancellationToken cancellationToken) => answers[_asked++]();

        public override ValueTask<AccessToken> GetTokenAsync(TokenRequestContext requestContext, CancellationToken cancellationToken) =>
            ValueTask.FromResult(GetToken(requestContext, cancellationToken));
    }
}
