using MSOnlineBackup.Storage.Azure.Locations;
using MSOnlineBackup.Vaults.Errors;
using Xunit;

namespace MSOnlineBackup.Storage.Azure.Tests;

public sealed class BlobLocationTests
{
    [Theory]
    [InlineData("https://acct.blob.core.windows.net/vault", "acct", "vault")]
    [InlineData("https://acct.blob.core.windows.net/vault/", "acct", "vault")]
    [InlineData("http://127.0.0.1:10000/devstoreaccount1/vault", "devstoreaccount1", "vault")]
    public void An_account_and_a_container_are_found_in_a_url(string url, string account, string container)
    {
        BlobLocation location = BlobLocation.Parse(url);

        Assert.Equal((account, container), (location.Account, location.Container));
        Assert.Equal(url.TrimEnd('/'), location.ToString());
    }

    [Theory]
    [InlineData("http://acct.blob.core.windows.net/vault")]
    [InlineData("http://192.0.2.1:10000/devstoreaccount1/vault")]
    [InlineData("ftp://acct.blob.core.windows.net/vault")]
    [InlineData("https://acct.blob.core.windows.net")]
    [InlineData("https://acct.blob.core.windows.net/vault/more")]
    [InlineData("https://acct.blob.core.windows.net/vault?sv=2024&sig=secret")]
    [InlineData("https://user:secret@acct.blob.core.windows.net/vault")]
    [InlineData("htps://acct.blob.core.windows.net/vault?sv=2024&sig=secret")]
    [InlineData("https://acct blob.core.windows.net/vault?sv=2024&sig=secret")]
    [InlineData("https://user:secret@acct blob.core.windows.net/vault")]
    [InlineData("htps://user:secret@acct.blob.core.windows.net/vault")]
    [InlineData("https://acct.blob.core.windows.net:99999/vault#secret")]
    [InlineData("https://user:secret@acct.blob.core.windows.net:99999/vault")]
    [InlineData("://")]
    public void Anything_else_is_refused_and_no_secret_is_repeated(string url)
    {
        BackupException error = Assert.Throws<BackupException>(() => BlobLocation.Parse(url));

        Assert.Equal(BackupErrorId.ArgumentInvalid, error.Id);
        Assert.DoesNotContain("secret", error.Message + error.Target, StringComparison.Ordinal);
    }
}
