using FsCheck;
using FsCheck.Fluent;
using MSOnlineBackup.Storage.Azure.KeyVault;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using Xunit;

namespace MSOnlineBackup.Storage.Azure.Tests.KeyVault;

public class KeyVaultAddressTests
{
    [Theory]
    [InlineData("https://Backups.vault.azure.net", "https://backups.vault.azure.net/")]
    [InlineData("https://backups.vault.azure.net:443/", "https://backups.vault.azure.net/")]
    [InlineData("https://backups.vault.usgovcloudapi.net/", "https://backups.vault.usgovcloudapi.net/")]
    public void The_URI_of_a_vault_is_taken_as_the_portal_shows_it(string uri, string expected) =>
        Assert.Equal(expected, KeyVaultAddress.ParseVault(uri).Vault.AbsoluteUri);

    [Theory]
    [InlineData("")]
    [InlineData("backups")]
    [InlineData("http://backups.vault.azure.net/")]
    [InlineData("https://backups.vault.azure.net:8443/")]
    [InlineData("https://user@backups.vault.azure.net/")]
    [InlineData("https://backups.vault.azure.net/?x=1")]
    [InlineData("https://backups.vault.azure.net/keys/wrapping")]
    [InlineData("https://backups.vault.azure.net.example.org/")]
    [InlineData("https://a.b.vault.azure.net/")]
    [InlineData("https://vault.azure.net/")]
    [InlineData("https://example.org/")]
    public void What_is_no_vault_is_error_100272(string uri)
    {
        BackupException fault = Assert.Throws<BackupException>(() => KeyVaultAddress.ParseVault(uri));
        Assert.Equal((BackupErrorId.KeyVaultUriInvalid, "100272"), (fault.Id, fault.ErrorCode));
    }

    [Theory]
    [InlineData("https://backups.vault.azure.net/keys/wrapping", "https://backups.vault.azure.net/keys/wrapping")]
    [InlineData("https://backups.vault.azure.net/keys/wrapping/", "https://backups.vault.azure.net/keys/wrapping")]
    [InlineData("https://BACKUPS.vault.azure.net/keys/wrapping/0123", "https://backups.vault.azure.net/keys/wrapping/0123")]
    [InlineData("https://backups.managedhsm.azure.net/keys/wrapping", "https://backups.managedhsm.azure.net/keys/wrapping")]
    public void A_key_is_named_in_one_way(string uri, string id) => Assert.Equal(id, KeyVaultAddress.ParseKey(uri).KeyId);

    [Theory]
    [InlineData("https://backups.vault.azure.net/")]
    [InlineData("https://backups.vault.azure.net/secrets/wrapping")]
    [InlineData("https://backups.vault.azure.net/keys/wrapping/0123/unwrapkey")]
    [InlineData("https://backups.vault.azure.net/keys/wrap%2Fping")]
    [InlineData("https://backups.vault.azure.net/keys/wrapping\n/0123")]
    public void What_is_no_key_is_refused(string uri) =>
        Assert.Equal(BackupErrorId.KeyVaultUriInvalid, Assert.Throws<BackupException>(() => KeyVaultAddress.ParseKey(uri)).Id);

    [Fact]
    public void A_secret_is_named_by_machine_and_vault() =>
        Assert.Equal("AzBackup-alpha-example-org-My-office--2-", SecretName.Of(new PassphraseOwner("alpha.example.org", "My office (2)", "")));

    [Fact]
    public void Every_name_is_one_that_Key_Vault_takes() => Prop.ForAll<string, string>((machine, vault) =>
    {
        string name = SecretName.Of(new PassphraseOwner(machine ?? "", vault ?? "", ""));
        return name.Length is > 0 and <= 127 && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '-');
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Long_names_that_begin_alike_stay_apart()
    {
        string machine = new('m', 200);
        string first = SecretName.Of(new PassphraseOwner(machine, "one", ""));

        Assert.Equal(127, first.Length);
        Assert.NotEqual(first, SecretName.Of(new PassphraseOwner(machine, "two", "")));
    }
}
