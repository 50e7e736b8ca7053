using MSOnlineBackup.Composition;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Host.Tests.Composition;

public sealed class VaultStoresTests
{
    [Fact]
    public async Task A_folder_is_a_vault_by_its_path_and_is_retried()
    {
        using var folder = new TempFolder();

        IVaultStore created = VaultStores.Create(folder["vault"], new VaultConnection(), _ => { });
        await created.TryCreateAsync("a", new byte[] { 1 }, TestContext.Current.CancellationToken);

        Assert.IsType<ResilientVaultStore>(created);
        Assert.NotNull(await VaultStores.Open(folder["vault"], new VaultConnection(), _ => { }).StatAsync("a", TestContext.Current.CancellationToken));
    }

    [Fact]
    public void A_container_is_a_vault_by_its_url()
    {
        const string Url = "https://acct.blob.core.windows.net/vault";
        var connection = new VaultConnection { Secret = "sv=2024-11-04&sp=rcl&sig=c2VjcmV0" };

        Assert.Equal(Url, VaultStores.Open(Url, connection, _ => { }).Location);
        Assert.Equal(Url, VaultStores.Create(Url + "/", connection, _ => { }).Location);
    }

    [Theory]
    [InlineData("https:/acct.blob.core.windows.net/vault")]
    [InlineData("HTTP:acct.blob.core.windows.net/vault")]
    [InlineData("htps://acct.blob.core.windows.net/vault")]
    public void A_mistyped_url_is_no_folder(string location)
    {
        Assert.Equal(BackupErrorId.ArgumentInvalid, Assert.Throws<BackupException>(() => VaultStores.Open(location, new VaultConnection(), _ => { })).Id);
        Assert.Equal(BackupErrorId.ArgumentInvalid, Assert.Throws<BackupException>(() => VaultStores.Create(location, new VaultConnection(), _ => { })).Id);
    }

    [Fact]
    public void A_folder_takes_no_signature()
    {
        BackupException error =
            Assert.Throws<BackupException>(() => VaultStores.Open("/backup", new VaultConnection { Secret = "sv=1&sig=c2VjcmV0" }, _ => { }));

        Assert.Equal(BackupErrorId.ArgumentInvalid, error.Id);
        Assert.DoesNotContain("c2VjcmV0", error.Message, StringComparison.Ordinal);
    }
}
