using MSOnlineBackup.Storage.Azure.KeyVault;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using Xunit;
using static MSOnlineBackup.Storage.Azure.Tests.KeyVault.KeyVaultClients;

namespace MSOnlineBackup.Storage.Azure.Tests.KeyVault;

public class KeyVaultPassphraseSafeTests
{
    private const string Name = "AzBackup-alpha-example-org-Office";

    [Fact]
    public async Task A_passphrase_is_a_secret_of_the_documented_name_and_another_one_its_next_version()
    {
        await using var server = new KeyVaultServer();

        await server.Safe().WriteAsync("the first passphrase", Cancel);
        await server.Safe().WriteAsync("the second passphrase", Cancel);

        Assert.Equal(["the first passphrase", "the second passphrase"], server.SecretsOf(Name).Select(version => version.Value));
        Assert.Equal("the second passphrase", await server.Safe().ReadAsync(Cancel));
        Assert.Equal($"{KeyVaultServer.Uri}secrets/{Name}", server.Safe().Location);
    }

    [Fact]
    public async Task The_passphrase_of_another_machine_is_neither_read_nor_covered_up()
    {
        await using var server = new KeyVaultServer();
        await server.Safe().WriteAsync("the passphrase of alpha", Cancel);

        foreach (var other in new[] { Owner with { Machine = "alpha-example.org" }, Owner with { VaultId = new string('b', 32) } })
        {
            await FailsAsync(BackupErrorId.KeyVaultSecretForeign, null, () => server.Safe(other).ReadAsync(Cancel));
            await FailsAsync(BackupErrorId.KeyVaultSecretForeign, null, () => server.Safe(other).WriteAsync("another passphrase", Cancel));
        }

        Assert.Equal("the passphrase of alpha", Assert.Single(server.SecretsOf(Name)).Value);
        Assert.Equal("the passphrase of alpha", await server.Safe(Owner with { Machine = "ALPHA.example.org" }).ReadAsync(Cancel));
    }

    [Fact]
    public async Task A_secret_that_was_made_by_hand_is_read()
    {
        await using var server = new KeyVaultServer();
        server.Put(Name, new KeyVaultServer.Secret("made in the portal", []));

        Assert.Equal("made in the portal", await server.Safe().ReadAsync(Cancel));
    }

    [Fact]
    public async Task A_secret_that_is_deleted_softly_is_error_391282()
    {
        await using var server = new KeyVaultServer();
        server.Deleted.Add(Name);

        await FailsAsync(BackupErrorId.KeyVaultSecretDeleted, "391282", () => server.Safe().WriteAsync("a passphrase for tests", Cancel));
        await FailsAsync(BackupErrorId.KeyVaultSecretNotFound, null, () => server.Safe().ReadAsync(Cancel));
    }

    [Fact]
    public async Task A_disabled_secret_is_not_read_and_gets_a_next_version()
    {
        await using var server = new KeyVaultServer();
        server.Put(Name, new KeyVaultServer.Secret("switched off", []) { IsEnabled = false });

        await FailsAsync(BackupErrorId.KeyVaultSecretUnusable, null, () => server.Safe().ReadAsync(Cancel));
        await server.Safe().WriteAsync("a passphrase for tests", Cancel);

        Assert.Equal("a passphrase for tests", await server.Safe().ReadAsync(Cancel));
    }

    [Theory]
    [InlineData("secrets/get")]
    [InlineData("secrets/set")]
    public async Task A_missing_permission_is_error_391225_and_nothing_is_kept(string permission)
    {
        await using var server = new KeyVaultServer();
        server.Permissions.Remove(permission);

        BackupException fault =
            await FailsAsync(BackupErrorId.KeyVaultAccessDenied, "391225", () => server.Safe().WriteAsync("a passphrase for tests", Cancel));

        Assert.Contains($"'{permission.Split('/')[1]}'", fault.RecommendedAction, StringComparison.Ordinal);
        Assert.Empty(server.SecretsOf(Name));
    }

    [Fact]
    public async Task No_identity_is_error_391224()
    {
        await using var server = new KeyVaultServer();

        await FailsAsync(BackupErrorId.KeyVaultIdentityMissing, "391224", () => server.Safe(credential: new TestCredential(null)).ReadAsync(Cancel));
        await FailsAsync(
            BackupErrorId.KeyVaultIdentityMissing, "391224", () => server.Safe(credential: new TestCredential("of another tenant")).ReadAsync(Cancel));
    }

    [Fact]
    public async Task Who_asks_for_a_token_for_something_else_gets_none()
    {
        await using var server = new KeyVaultServer { Resource = "https://example.org" };
        var credential = new TestCredential(server.Token);

        // The package keeps what a Key Vault once asked for: no other test may have asked this one.
        var safe = new KeyVaultPassphraseSafe(KeyVaultAddress.ParseVault("https://unasked.vault.azure.net/"), Owner, credential, server.Transport());
        BackupException fault = await Assert.ThrowsAsync<BackupException>(() => safe.WriteAsync("a passphrase for tests", Cancel));

        Assert.Equal(BackupErrorId.KeyVaultUntrusted, fault.Id);
        Assert.Empty(credential.Asked);
        Assert.All(server.Requests, request => Assert.Equal((null, ""), (request.Authorization, request.Body)));
    }
}
